"""Points of ROC curves: of two classes, or the mean over one-vs-rest curves of several."""

from typing import Any

import numpy as np
from sklearn.metrics import auc, roc_curve


def roc_points(
    labels: np.ndarray, scores: np.ndarray, classes: np.ndarray, weights: Any = None
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return false positive rates, true positive rates and the area under the curve.

    Of more than two classes, curves of each against the rest are averaged at equal false positive
    rates, and so are their areas; classes that have no label, or all of them, are left out.

    Parameters
    ----------
    labels : ndarray of shape (m,)
    scores : ndarray of shape (m,) of the greater of two classes, or (m, n_classes)
    classes : ndarray of shape (n_classes,)
    weights : ndarray of shape (m,), default=None

    Returns
    -------
    fpr, tpr : ndarray of shape (n_points,)
        Empty where no curve is defined.
    area : float
        NaN then.
    """
    if scores.ndim == 1:
        columns = [(labels == classes[-1], scores)]
    elif len(classes) == 2:
        columns = [(labels == classes[1], scores[:, 1])]
    else:
        columns = [(labels == label, scores[:, k]) for k, label in enumerate(classes)]
    curves = [
        roc_curve(is_class, score, sample_weight=weights)[:2]
        for is_class, score in columns
        if is_class.any() and not is_class.all()
    ]
    if not curves:
        return np.array([]), np.array([]), float("nan")
    area = float(np.mean([auc(*curve) for curve in curves]))
    if len(curves) == 1:
        return *curves[0], area
    grid = np.unique(np.concatenate([fpr for fpr, _ in curves]))
    tpr = np.mean([rates_at(grid, *curve) for curve in curves], axis=0)
    return np.concatenate([[0.0], grid]), np.concatenate([[0.0], tpr]), area


def rates_at(grid: np.ndarray, fpr: np.ndarray, tpr: np.ndarray) -> np.ndarray:
    """Return the true positive rates of a curve at given false positive rates.

    Where the curve rises upright, those of its upper end.
    """
    return np.interp(grid, fpr, tpr)  # of equal fpr, the last counts
