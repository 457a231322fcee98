"""Weights: of labels (sample_weight) and of tasks (task_weight)."""

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks._column import frame_columns, is_frame
from sklearn_mtl.tasks._data import TaskData
from sklearn_mtl.tasks._target import MultiTaskTarget
from sklearn_mtl.utils._validation import check_tasks, did_you_mean, plain

if TYPE_CHECKING:
    from sklearn_mtl.tasks._layout import TaskLayout


def encode_sample_weight(
    sample_weight: Any, layout: "TaskLayout", rows: TaskData
) -> np.ndarray | None:
    """Return weights in the shape of labels: (n, T) for shared rows, else (n,)."""
    if sample_weight is None:
        return None
    n_rows, n_tasks = rows.n_rows, layout.n_tasks
    if rows.task_index is None:
        weights = _named_columns(sample_weight, layout)
        if weights.ndim == 1 and weights.shape == (n_rows,):
            weights = np.repeat(weights[:, None], n_tasks, axis=1)
        if weights.shape != (n_rows, n_tasks):
            raise TaskLayoutError(
                f"sample_weight must have shape ({n_rows},) or ({n_rows}, {n_tasks}) for "
                f"{n_rows} rows and {n_tasks} task(s), found {weights.shape}."
            )
    elif isinstance(rows.X, list):
        weights = _own_weights(sample_weight, layout, rows)
    else:
        weights = _numbers(sample_weight)
        if weights.shape != (n_rows,):
            raise TaskLayoutError(
                f"sample_weight must have shape ({n_rows},), one weight a row, found "
                f"{weights.shape}."
            )
    return weights


def _numbers(values: Any) -> np.ndarray:
    try:
        weights = np.asarray(values)
        if np.iscomplexobj(weights):
            raise TypeError("they are complex")
        weights = weights.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"sample_weight must hold numbers: {error}") from error
    bad = ~np.isfinite(weights) | (weights < 0)
    if bad.any():
        raise ValueError(
            f"sample_weight must be finite and not negative, found {plain(weights[bad][0])!r} in "
            f"{bad.sum()} place(s)."
        )
    return weights


def _named_columns(sample_weight: Any, layout: "TaskLayout") -> np.ndarray:
    if isinstance(sample_weight, (Mapping, MultiTaskTarget)):
        names, columns = list(sample_weight.keys()), list(sample_weight.values())
    elif is_frame(sample_weight):
        names, columns = frame_columns(sample_weight, "sample_weight")
    else:
        return _numbers(sample_weight)
    layout._check_names(names, "sample_weight")
    by_name = dict(zip(names, columns, strict=True))
    weights = [_numbers(by_name[name]) for name in layout.names]
    shapes = {column.shape for column in weights}
    if len(shapes) > 1 or weights[0].ndim != 1:
        raise TaskLayoutError(
            "sample_weight must have one weight a row for each task, found columns of shapes "
            f"{sorted(shapes)}."
        )
    return np.column_stack(weights)


def _own_weights(sample_weight: Any, layout: "TaskLayout", rows: TaskData) -> np.ndarray:
    if not isinstance(sample_weight, Mapping):
        raise TaskLayoutError(
            "X is a dict (each task has its own rows), so sample_weight must be a dict of the "
            f"same names; found {type(sample_weight).__name__}."
        )
    layout._check_names(list(sample_weight), "sample_weight")
    weights = np.zeros(rows.n_rows)
    for t, name in enumerate(layout.names):
        here = rows.groups[t]
        own = _numbers(sample_weight[name])
        if own.shape != here.shape:
            raise TaskLayoutError(
                f"sample_weight of task {plain(name)!r} must have shape ({len(here)},), found "
                f"{own.shape}."
            )
        weights[here] = own
    return weights


def resolve_task_weight(
    task_weight: Any, names: Sequence[Hashable], n_observed: np.ndarray
) -> np.ndarray:
    """Return λ, shape (T,).

    Parameters
    ----------
    task_weight : None, "n_samples", array-like of shape (T,) or dict name -> float
        None: 1 for each task. "n_samples": n_t / mean(n). A dict: 1 for names it lacks.
    names : sequence of T names
    n_observed : ndarray of shape (T,)
        Observed labels of each task.

    Examples
    --------
    >>> import numpy as np
    >>> resolve_task_weight({"price": 3.0}, ["price", "good"], np.array([10, 30]))
    array([3., 1.])
    >>> resolve_task_weight("n_samples", ["price", "good"], np.array([10, 30]))
    array([0.5, 1.5])
    """
    n_tasks = len(names)
    if task_weight is None:
        return np.ones(n_tasks)
    if isinstance(task_weight, str):
        if task_weight != "n_samples":
            raise ValueError(
                "task_weight must be None, 'n_samples', one number a task or a dict by task name, "
                f"got {task_weight!r}{did_you_mean(task_weight, ['n_samples'])}."
            )
        return n_observed / n_observed.mean()
    weights = np.ones(n_tasks)
    if isinstance(task_weight, Mapping):
        number = {name: t for t, name in enumerate(names)}
        check_tasks(task_weight, number, "task_weight")
        for name, value in task_weight.items():
            weights[number[name]] = _task_number(value, name)
    else:
        given = np.asarray(task_weight)
        if given.shape != (n_tasks,):
            raise TaskLayoutError(
                f"task_weight must have one number for each of {n_tasks} task(s), found shape "
                f"{given.shape}."
            )
        weights = np.array([_task_number(v, n) for v, n in zip(given, names, strict=True)])
    if not weights.any():
        raise ValueError("task_weight is 0 for every task; give at least one a positive weight.")
    return weights


def _task_number(value: Any, name: Hashable) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not np.isfinite(number) or number < 0:
        raise ValueError(
            f"task_weight of task {plain(name)!r} must be finite and not negative, "
            f"got {plain(value)!r}."
        )
    return number
