"""What the labels must be enough for."""

from typing import Any
from warnings import warn

import numpy as np
from scipy.sparse import issparse
from scipy.sparse.csgraph import connected_components

from sklearn_mtl.convex import Problem
from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks import TaskData, TaskLayout
from sklearn_mtl.tasks._layout import SHARED
from sklearn_mtl.utils._validation import listing, plain
from sklearn_mtl.utils._warnings import level_of_caller

LARGEST = 1e100  # a weight times a square of numbers up to this is finite


def check_magnitudes(rows: Any, data: TaskData, layout: TaskLayout) -> None:
    """Raise an error where squares of numbers overflow, in which no method could go on."""
    values = rows.data if issparse(rows) else rows
    most = max(float(values.max(initial=0.0)), -float(values.min(initial=0.0)))
    if most > LARGEST:
        raise ValueError(
            f"X has values up to {most:.3g}, whose squares are too large for float64; measure "
            "features in larger units (StandardScaler)."
        )
    for t in np.flatnonzero([not task.is_classification for task in layout.tasks]):
        mine = data.column(data.labels, t, data.rows(t))  # type: ignore[arg-type]
        most = float(np.abs(mine).max(initial=0.0))
        if most > LARGEST:
            raise ValueError(
                f"Task {plain(layout.names[t])!r} has labels up to {most:.3g}, whose squares are "
                "too large for float64; measure it in a larger unit."
            )
    most = 0.0 if data.weights is None else float(data.weights.max(initial=0.0))
    if most > LARGEST:
        raise ValueError(
            f"sample_weight has values up to {most:.3g}, too large for float64 sums of squares; "
            "divide it by its largest value: only ratios matter."
        )


def check_more_than_one_label(count: np.ndarray, layout: TaskLayout) -> None:
    """Raise an error that names the tasks whose intercept takes up their only label."""
    single = np.flatnonzero(count == 1)
    if len(single):
        raise TaskLayoutError(
            f"Task(s) {listing(layout.names[t] for t in single)} have one label (n_samples=1), "
            "which an intercept alone fits: nothing is left to learn weights from. Drop those "
            "tasks, add labels, or set fit_intercept=False."
        )


def check_classes_observed(layout: TaskLayout, data: TaskData) -> None:
    """Raise an error, or warn, where a task has a class without a label of positive weight.

    The best intercept for it is infinite, as nothing penalises intercepts. Where tasks share rows
    that is an error, as it is without the rows of weight 0. Tasks with rows of their own take the
    classes of the others, and one that saw fewer must not stop them: it predicts those it saw.
    """
    short = []
    for t, task in enumerate(layout.tasks):
        if task.classes is None:
            continue
        rows = data.rows(t)
        labels = data.column(data.labels, t, rows)  # type: ignore[arg-type]
        absent = np.flatnonzero(np.bincount(labels.astype(int), minlength=len(task.classes)) == 0)
        if len(absent) and layout.rows == SHARED:
            raise TaskLayoutError(
                f"Task {plain(task.name)!r} has no label of class(es) "
                f"{listing(task.classes[absent])} among {len(rows)} of positive sample_weight; "
                "drop the rows of weight 0, or give that class weight."
            )
        if len(absent):
            short.append(task.name)
    if short:
        warn(
            f"Task(s) {listing(short)} saw only some of the classes of the other tasks: nothing "
            "bounds the intercepts of the rest, which are set so that they are never predicted. "
            "Drop those tasks, or set fit_intercept=False beside a constant feature, which is "
            "penalised.",
            UserWarning,
            stacklevel=level_of_caller(),
        )


def check_determined(
    problem: Problem,
    count: np.ndarray,
    n_features: float,
    layout: TaskLayout,
    *,
    owner: str,
    strengths: str,
) -> None:
    """Raise an error where weights outnumber the labels and nothing penalises them.

    Parameters
    ----------
    problem, count, n_features
        As in `undetermined_tasks`.
    layout : TaskLayout
    owner : str
        Who asks.
    strengths : str
        Parameters of the owner that penalise the size of weights.
    """
    tied = undetermined_tasks(problem, count, n_features)
    if len(tied):
        finite = np.isfinite(n_features)
        many = f"{n_features}" if finite else "a kernel's"
        raise ValueError(
            f"{owner} cannot determine the weights of task(s) "
            f"{listing(layout.names[t] for t in tied)}: {listing(count[tied])} labels (n_samples) "
            f"for {many} features, and no penalty on the size of the weights. Set "
            f"{strengths} above 0{', or pass fewer features' if finite else ''}."
        )


def undetermined_tasks(problem: Problem, count: np.ndarray, n_features: float) -> np.ndarray:
    """Return the tasks whose weights neither labels nor penalty determine; none is the rule.

    Tasks that the penalty ties determine a common direction together, so that labels are counted
    for each set of tied tasks.

    Parameters
    ----------
    problem : Problem
        Of a squared loss.
    count : ndarray of shape (T,)
        Labels of each task.
    n_features : float
        Infinite for a kernel.
    """
    nothing = np.empty(0, dtype=np.intp)
    if problem.norm is not None:
        return nothing
    matrix = np.zeros((len(count),) * 2) if problem.matrix is None else problem.matrix
    found = [nothing]
    n_sets, label = connected_components(matrix != 0, directed=False)
    small = np.finfo(float).eps * len(count) * max(float(np.abs(matrix).max()), 1e-300)
    for number in range(n_sets):
        tied = np.flatnonzero(label == number)
        smallest = np.linalg.eigvalsh(matrix[np.ix_(tied, tied)])[0]
        if smallest <= small and count[tied].sum() < n_features:
            found.append(tied)
    return np.concatenate(found)
