from typing import Any

import numpy as np
from scipy.sparse import csr_array, issparse

from sklearn_mtl.bayes._standardization import Standardization, feature_scale


def standardize_rows(
    X: Any, weight: np.ndarray, n_tasks: int, *, fit_intercept: bool, each_feature: bool
) -> Standardization:
    """Return coordinates in which features have mean 0 and variance 1; classes stay as they are.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n, p)
    weight : ndarray of shape (n,)
        How often each row counts.
    n_tasks : int
    fit_intercept : bool
        Without intercepts, means stay as they are.
    each_feature : bool
        Whether each feature has its own scale; else all have one.
    """
    share, p = weight / weight.sum(), X.shape[1]
    x_mean = np.asarray(X.T @ share) if fit_intercept else np.zeros(p)
    if issparse(X):
        entries = csr_array(X, dtype=np.float64, copy=True)
        entries.sum_duplicates()
        of_entry = np.repeat(share, np.diff(entries.indptr))
        column = entries.indices
        deviation = of_entry * np.square(entries.data - x_mean[column])
        stored = np.bincount(column, of_entry, minlength=p)
        absent = np.where(stored < 1.0 - 1e-12, 1.0 - stored, 0.0)  # not what rounding leaves
        variance = np.bincount(column, deviation, minlength=p) + absent * x_mean**2
    else:
        variance = share @ np.square(X - x_mean)
    x_scale = feature_scale(variance, x_mean, each_feature=each_feature)
    return Standardization(x_mean, x_scale, np.zeros(n_tasks), np.ones(n_tasks), fit_intercept)
