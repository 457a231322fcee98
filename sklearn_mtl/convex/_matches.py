from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from sklearn_mtl.convex._moments import chunk_rows, take
from sklearn_mtl.tasks import TaskData
from sklearn_mtl.utils._validation import plain

if TYPE_CHECKING:
    from sklearn_mtl.convex._stats import GramStats

# of a standard deviation: far above the rounding of a sum, far below what another row changes
_TOLERANCE = 1e-9


def difference(stats: "GramStats", X: Any, data: TaskData, names: Sequence[Hashable]) -> str | None:
    """Return the first difference between statistics and the rows they should be of.

    Parameters
    ----------
    stats : GramStats
    X : ndarray or sparse matrix of shape (n, p)
    data : TaskData
    names : sequence of T task names
    """
    if stats.n_tasks != data.n_tasks:
        return f"the statistics are of {stats.n_tasks} task(s), the data of {data.n_tasks}"
    if stats.n_features != X.shape[1]:
        return f"the statistics are of {stats.n_features} feature(s), X has {X.shape[1]}"
    labels, observed = data.labels, data.observed
    assert labels is not None
    assert observed is not None
    count = data.per_task(observed)
    t = _first(stats.count != count)
    if t is not None:
        return (
            f"task {plain(names[t])!r} has {stats.count[t]} label(s) in the statistics and "
            f"{int(count[t])} in the data"
        )
    weight = np.where(observed, 1.0 if data.weights is None else data.weights, 0.0)
    mass, expected = data.per_task(weight), stats.task_mass
    t = _first(np.abs(mass - expected) > _TOLERANCE * expected)
    if t is not None:
        return (
            f"the weights of task {plain(names[t])!r} sum to {expected[t]:.6g} in the statistics "
            f"and to {mass[t]:.6g} in the data"
        )
    safe = np.where(expected > 0, expected, 1.0)
    centre = stats.y_mean if data.task_index is None else stats.y_mean[data.task_index]
    step = data.per_task(weight * np.where(observed, labels - centre, 0.0)) / safe
    t = _first(np.abs(step) > _tolerance(stats.y_mean, stats.energy / safe))
    if t is not None:
        return (
            f"the labels of task {plain(names[t])!r} have mean {stats.y_mean[t]:.6g} in the "
            f"statistics and {stats.y_mean[t] + step[t]:.6g} in the data"
        )
    return _feature_difference(stats, X, data, weight, names)


def _feature_difference(
    stats: "GramStats", X: Any, data: TaskData, weight: np.ndarray, names: Sequence[Hashable]
) -> str | None:
    tasks = np.unique(stats.group, return_index=True)[1]
    mass = np.where(stats.mass > 0, stats.mass, 1.0)[:, None]
    # deviations from one mean of all groups, so that an offset takes no digits
    centre = stats.x_mean[stats.mass.argmax()]
    total = np.zeros((len(tasks), stats.n_features))
    X = X.tocsr() if sparse.issparse(X) else np.asarray(X)
    step = chunk_rows(stats.n_features)
    for start in range(0, data.n_rows, step):
        part = np.arange(start, min(start + step, data.n_rows))
        deviation = take(X, part) - centre
        if data.task_index is None:
            total += take(weight, part)[:, tasks].T @ deviation
        else:
            place = (stats.group[data.task_index[part]], np.arange(len(part)))
            total += sparse.csr_array((weight[part], place), (len(tasks), len(part))) @ deviation
    away = total / mass - (stats.x_mean - centre)
    variance = stats.gram.diagonal(axis1=1, axis2=2) / mass + np.square(stats.x_mean - centre)
    wrong = np.abs(away) > _tolerance(stats.x_mean, variance)
    wrong &= stats.mass[:, None] > 0
    if not wrong.any():
        return None
    k, j = np.argwhere(wrong)[0]
    return (
        f"feature {j} has mean {stats.x_mean[k, j]:.6g} over the rows of task "
        f"{plain(names[tasks[k]])!r} in the statistics and "
        f"{stats.x_mean[k, j] + away[k, j]:.6g} in X"
    )


def _tolerance(mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Return what rounding may do: to sums of deviations, and to a stored mean."""
    return _TOLERANCE * np.sqrt(variance) + 8 * np.finfo(float).eps * np.abs(mean)


def _first(wrong: np.ndarray) -> int | None:
    return int(np.argmax(wrong)) if wrong.any() else None
