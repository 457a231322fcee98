"""What the labels must be enough for."""

import numpy as np
from scipy.sparse.csgraph import connected_components

from sklearn_mtl.convex import Problem
from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks import TaskLayout
from sklearn_mtl.utils._validation import listing


def check_more_than_one_label(count: np.ndarray, layout: TaskLayout) -> None:
    """Raise an error that names the tasks whose intercept takes up their only label."""
    single = np.flatnonzero(count == 1)
    if len(single):
        raise TaskLayoutError(
            f"Task(s) {listing(layout.names[t] for t in single)} have one label (n_samples=1), "
            "which an intercept alone fits: nothing is left to learn weights from. Drop those "
            "tasks, add labels, or set fit_intercept=False."
        )


def check_determined(
    problem: Problem, count: np.ndarray, n_features: int, layout: TaskLayout, owner: str
) -> None:
    """Raise an error where weights outnumber the labels and nothing penalises them.

    Parameters
    ----------
    problem, count, n_features
        As in `undetermined_tasks`.
    layout : TaskLayout
    owner : str
        Who asks.
    """
    tied = undetermined_tasks(problem, count, n_features)
    if len(tied):
        raise ValueError(
            f"{owner} cannot determine the weights of task(s) "
            f"{listing(layout.names[t] for t in tied)}: {count[tied].sum()} labels "
            f"(n_samples) for {n_features} features, and no penalty on their size. Set alpha "
            "(or add Ridge) above 0, or pass fewer features."
        )


def undetermined_tasks(problem: Problem, count: np.ndarray, n_features: int) -> np.ndarray:
    """Return tied tasks whose weights neither labels nor penalty determine; none is the rule.

    Tasks that the penalty ties determine a common direction together, so that labels are counted
    for each set of tied tasks.

    Parameters
    ----------
    problem : Problem
        Of a squared loss.
    count : ndarray of shape (T,)
        Labels of each task.
    n_features : int
    """
    nothing = np.empty(0, dtype=np.intp)
    if problem.norm is not None:
        return nothing
    matrix = np.zeros((len(count),) * 2) if problem.matrix is None else problem.matrix
    n_sets, label = connected_components(matrix != 0, directed=False)
    small = np.finfo(float).eps * len(count) * max(float(np.abs(matrix).max()), 1e-300)
    for number in range(n_sets):
        tied = np.flatnonzero(label == number)
        smallest = np.linalg.eigvalsh(matrix[np.ix_(tied, tied)])[0]
        if smallest <= small and count[tied].sum() < n_features:
            return tied
    return nothing
