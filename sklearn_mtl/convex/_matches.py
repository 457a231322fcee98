from collections.abc import Hashable, Sequence
from dataclasses import dataclass
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
    named = [repr(plain(name)) for name in names]
    found = _one_pass(stats, X, data)
    t = _first(stats.count != found.count)
    if t is not None:
        return (
            f"task {named[t]} has {stats.count[t]} label(s) in the statistics and "
            f"{int(found.count[t])} in the data"
        )
    mass = stats.task_mass
    t = _first(np.abs(found.mass - mass) > _TOLERANCE * mass)
    if t is not None:
        return (
            f"the weights of task {named[t]} sum to {mass[t]:.6g} in the statistics and to "
            f"{found.mass[t]:.6g} in the data"
        )
    safe = np.where(mass > 0, mass, 1.0)
    step = found.y / safe
    t = _first(np.abs(step - stats.y_mean_low) > _tolerance(stats.y_mean, stats.energy / safe))
    if t is not None:
        return (
            f"the labels of task {named[t]} have mean {stats.y_mean[t]:.6g} in the statistics and "
            f"{stats.y_mean[t] + step[t]:.6g} in the data"
        )
    safe = np.where(stats.mass > 0, stats.mass, 1.0)[:, None]
    offset = (stats.x_mean - found.centre) + stats.x_mean_low
    away = np.where(stats.mass[:, None] > 0, found.x / safe - offset, 0.0)
    variance = stats.gram.diagonal(axis1=1, axis2=2) / safe + np.square(offset)
    wrong = np.argwhere(np.abs(away) > _tolerance(stats.x_mean, variance))
    if len(wrong):
        k, j = wrong[0]
        return (
            f"feature {j} has mean {stats.x_mean[k, j]:.6g} over the rows of task "
            f"{named[found.tasks[k]]} in the statistics and {stats.x_mean[k, j] + away[k, j]:.6g} "
            "in X"
        )
    curved = np.einsum("kij,i,j->k", stats.gram, found.direction, found.direction, optimize=True)
    z_mean = offset @ found.direction
    expected = (curved + stats.mass * np.square(z_mean))[stats.group]
    t = _first(np.abs(found.square - expected) > _TOLERANCE * found.square)
    if t is not None:
        return f"features vary otherwise over the rows of task {named[t]} in X"
    together = found.together - stats.cross @ found.direction - found.y * z_mean[stats.group]
    t = _first(np.abs(together) > _TOLERANCE * np.sqrt(found.square * stats.energy))
    if t is not None:
        return f"the labels of task {named[t]} go with other rows of X"
    return None


@dataclass(eq=False)
class _Sums:
    """Sums over the rows of each task (x: each group), z being one combination of features."""

    tasks: np.ndarray  # a task of each group
    centre: np.ndarray
    direction: np.ndarray
    count: np.ndarray
    mass: np.ndarray
    y: np.ndarray
    x: np.ndarray
    square: np.ndarray
    together: np.ndarray


def _one_pass(stats: "GramStats", X: Any, data: TaskData) -> _Sums:
    labels, observed, weights = data.labels, data.observed, data.weights
    assert labels is not None
    assert observed is not None
    # deviations from one mean for all groups, so that an offset takes no digits
    heaviest = stats.mass.argmax()
    centre, variance = stats.x_mean[heaviest], stats.gram[heaviest].diagonal()
    size = np.where(variance > 0, variance / max(stats.mass[heaviest], 1.0), np.inf)
    direction = np.random.default_rng(0).standard_normal(len(centre)) / np.sqrt(size)
    tasks = np.unique(stats.group, return_index=True)[1]
    n_tasks, p = stats.cross.shape
    per_task = np.zeros((5, n_tasks))
    count, mass, y_sum, square, together = per_task
    x_sum = np.zeros((len(tasks), p))
    X = X.tocsr() if sparse.issparse(X) else np.asarray(X)
    step = chunk_rows(p + (n_tasks if data.task_index is None else 1))
    for start in range(0, data.n_rows, step):
        part = np.arange(start, min(start + step, data.n_rows))
        here = slice(start, start + step)
        known = observed[here]
        d = np.where(known, 1.0 if weights is None else weights[here], 0.0)
        if data.task_index is None:
            y = np.where(known, labels[here] - stats.y_mean, 0.0)
            of_task, of_label = d.T, (y if weights is None else d * y).T
            count += known.sum(axis=0)
        else:
            task = data.task_index[here]
            y = np.where(known, labels[here] - stats.y_mean[task], 0.0)
            place, shape = (task, np.arange(len(part))), (n_tasks, len(part))
            of_task = sparse.csr_array((d, place), shape)
            of_label = sparse.csr_array((d * y, place), shape)
            count += np.bincount(task, weights=known, minlength=n_tasks)
        deviation = take(X, part) - centre
        z = deviation @ direction
        mass += of_task @ np.ones(len(part))
        square += of_task @ z**2
        x_sum += of_task[tasks] @ deviation
        y_sum += of_label @ np.ones(len(part))
        together += of_label @ z
    return _Sums(tasks, centre, direction, count, mass, y_sum, x_sum, square, together)


def _tolerance(mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Return what rounding may do: to sums of deviations, and to a stored mean."""
    return _TOLERANCE * np.sqrt(variance) + 8 * np.finfo(float).eps * np.abs(mean)


def _first(wrong: np.ndarray) -> int | None:
    return int(np.argmax(wrong)) if wrong.any() else None
