from typing import Any

import numpy as np
from scipy.sparse import issparse

from sklearn_mtl.bayes._class_likelihood import ClassLikelihood
from sklearn_mtl.bayes._class_rows import ClassRows
from sklearn_mtl.bayes._laplace import LaplaceFit, fit_laplace
from sklearn_mtl.bayes._learn import from_one_variance, one_variance
from sklearn_mtl.bayes._population import Population
from sklearn_mtl.bayes._row_scales import standardize_rows
from sklearn_mtl.bayes._structure import STRUCTURES, Spherical
from sklearn_mtl.tasks import TaskData

# of a weight and of an intercept that the first hyper-prior adds: where classes are separable,
# nothing else keeps log-odds, and with them the variance of weights, from growing without end
FIRST_SHARE = 1.0


def learn_classes(
    X: Any,
    data: TaskData,
    tasks: np.ndarray,
    likelihood: ClassLikelihood,
    *,
    structure: str,
    rank: int,
    pseudo_tasks: Any,
    fit_intercept: bool,
    learn_mean: bool,
    tol: float,
    max_iter: int,
) -> LaplaceFit:
    """Learn the population of tasks with the same classes, first with one variance for all weights.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n, p)
        The numbers of the rows of `data`, in its order.
    data : TaskData
        With labels.
    tasks : ndarray of shape (T,)
        Their numbers in `data`.
    likelihood : ClassLikelihood
    structure : str
        A key of STRUCTURES.
    rank : int
    pseudo_tasks : "auto" or float
    fit_intercept, learn_mean : bool
    tol : float
    max_iter : int
        Of both fits together.
    """
    # sums have one order, and one result, whatever the layout in memory
    X = X if issparse(X) else np.ascontiguousarray(X)
    coordinates = standardize_rows(
        X,
        labels_of_rows(data, tasks),
        len(tasks),
        fit_intercept=fit_intercept,
        each_feature=STRUCTURES[structure] is not Spherical,
    )
    rows = ClassRows.of(X, data, tasks, likelihood, coordinates)

    def fit(population: Population, most: int, first: LaplaceFit | None) -> LaplaceFit:
        start = None if first is None else first.prior
        return fit_laplace(rows, population, start=start, tol=tol, max_iter=most)

    return from_one_variance(
        fit,
        one_variance(
            X.shape[1],
            fit_intercept,
            learn_mean,
            share=FIRST_SHARE,
            n_outputs=likelihood.n_outputs,
        ),
        structure=structure,
        rank=rank,
        pseudo_tasks=pseudo_tasks,
        max_iter=max_iter,
    )


def labels_of_rows(data: TaskData, tasks: np.ndarray) -> np.ndarray:
    """Return how many labels of these tasks each row has, repetitions counted, shape (n,)."""
    observed, weights = data.observed, data.weights
    assert observed is not None
    count = observed.astype(float) if weights is None else np.where(observed, weights, 0.0)
    if data.task_index is None:
        return count[:, tasks].sum(axis=1)
    return np.where(np.isin(data.task_index, tasks), count, 0.0)
