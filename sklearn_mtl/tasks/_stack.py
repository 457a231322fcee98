from collections.abc import Hashable, Mapping
from typing import Any, cast

import narwhals.stable.v2 as nw
import numpy as np
from sklearn.utils import _safe_indexing

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks._column import as_array, is_frame
from sklearn_mtl.tasks._long import group_rows, split_task_column
from sklearn_mtl.utils._validation import listing, plain


def stack_tasks(tasks: Mapping[Hashable, Any], *, task_feature: str = "task") -> tuple[Any, Any]:
    """Put tasks with rows of their own into long form, which splitters and pipelines can slice.

    Parameters
    ----------
    tasks : dict name -> (X_t, y_t)
        X_t array-like of shape (n_t, p), the same p (and columns) for each task; y_t of shape
        (n_t,).
    task_feature : str, default="task"
        Name of the new column, where the X_t are frames.

    Returns
    -------
    X : DataFrame or ndarray of shape (sum n_t, p + 1)
        Frames get the task in a new last column `task_feature`. Arrays get it as their last
        column too: pass ``task_feature=-1`` to the estimator. An array holds objects where names
        are no numbers.
    y : ndarray of shape (sum n_t,)

    Raises
    ------
    TaskLayoutError
        No task, an entry that is no pair, lengths or columns that differ.

    Examples
    --------
    >>> from sklearn_mtl import stack_tasks, unstack_tasks
    >>> X, y = stack_tasks({0: ([[1.0], [2.0]], [5, 6]), 1: ([[3.0]], [7])})
    >>> X
    array([[1., 0.],
           [2., 0.],
           [3., 1.]])
    >>> unstack_tasks(X, y, task_feature=-1)[1]
    (array([[3.]]), array([7]))
    """
    if not isinstance(tasks, Mapping) or not tasks:
        raise TaskLayoutError("stack_tasks takes a dict from task name to a pair (X_t, y_t).")
    names, parts, labels = [], [], []
    for name, pair in tasks.items():
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise TaskLayoutError(f"Task {plain(name)!r} must be a pair (X_t, y_t).")
        part = pair[0] if is_frame(pair[0]) else np.asarray(pair[0])
        column = as_array(pair[1])
        if part.ndim != 2 if isinstance(part, np.ndarray) else False:
            raise TaskLayoutError(
                f"X of task {plain(name)!r} must be two-dimensional, found shape {part.shape}."
            )
        if column.ndim != 1 or len(column) != len(part):
            raise TaskLayoutError(
                f"Task {plain(name)!r} has {len(part)} rows, but labels of shape {column.shape}; "
                "pass one label a row."
            )
        names.append(name)
        parts.append(part)
        labels.append(column)
    same_kind = len({(label.dtype.kind in "fiu", label.dtype.kind) for label in labels}) == 1
    y = np.concatenate(labels if same_kind else [label.astype(object) for label in labels])
    if all(is_frame(part) for part in parts):
        return _stack_frames(names, parts, task_feature), y
    return _stack_arrays(names, [np.asarray(part) for part in parts]), y


def _stack_frames(names: list[Hashable], parts: list[Any], task_feature: str) -> Any:
    first = list(parts[0].columns)
    for name, part in zip(names, parts, strict=True):
        if list(part.columns) != first:
            raise TaskLayoutError(
                f"X of task {plain(name)!r} has columns {listing(part.columns)}, but that of "
                f"{plain(names[0])!r} has {listing(first)}; give every task the same columns."
            )
    if task_feature in first:
        raise TaskLayoutError(
            f"X already has a column {task_feature!r}; pass another name as task_feature."
        )
    frames = [
        nw.from_native(part, eager_only=True).with_columns(
            nw.lit(cast(Any, name)).alias(task_feature)
        )
        for name, part in zip(names, parts, strict=True)
    ]
    stacked = nw.concat(frames, how="vertical").to_native()
    return stacked.reset_index(drop=True) if hasattr(stacked, "iloc") else stacked


def _stack_arrays(names: list[Hashable], parts: list[np.ndarray]) -> np.ndarray:
    widths = {name: part.shape[1] for name, part in zip(names, parts, strict=True)}
    if len(set(widths.values())) > 1:
        raise TaskLayoutError(f"Every task needs the same number of features, found {widths}.")
    numeric = all(isinstance(plain(name), (int, float)) for name in names)
    rows = np.concatenate(parts)
    tags = np.empty(len(rows), dtype=np.float64 if numeric else object)
    start = 0
    for name, part in zip(names, parts, strict=True):
        tags[start : start + len(part)] = name
        start += len(part)
    if numeric and rows.dtype != object:
        return np.column_stack([rows, tags])
    return np.column_stack([rows.astype(object), tags.astype(object)])


def unstack_tasks(X: Any, y: Any, *, task_feature: Any) -> dict[Hashable, tuple[Any, Any]]:
    """Take long form apart into the rows and labels of each task: undoes `stack_tasks`.

    Parameters
    ----------
    X : DataFrame or ndarray of shape (n, p + 1)
    y : array-like of shape (n,)
    task_feature : str or int
        Name or number of the task column.

    Returns
    -------
    tasks : dict name -> (X_t, y_t)
        In sorted order of names; rows keep their order.
    """
    tags, rest = split_task_column(X, task_feature)
    labels = y if hasattr(y, "shape") else as_array(y)
    if len(labels) != len(tags):
        raise TaskLayoutError(f"X has {len(tags)} rows, but y has {len(labels)} labels.")
    if isinstance(rest, np.ndarray) and rest.dtype == object:
        rest = _numbers_again(rest)
    names, codes = np.unique(tags, return_inverse=True)
    return {
        plain(name): (_safe_indexing(rest, rows), _own_labels(_safe_indexing(labels, rows)))
        for name, rows in zip(names, group_rows(codes, len(names)), strict=True)
    }


def _numbers_again(values: np.ndarray) -> np.ndarray:
    # a text task column made objects of what were numbers
    try:
        return values.astype(np.float64)
    except (TypeError, ValueError):
        return values


def _own_labels(labels: Any) -> Any:
    if isinstance(labels, np.ndarray) and labels.dtype == object:
        tight = np.array(labels.tolist())
        if tight.dtype.kind in "fiub" and tight.ndim == 1:
            return tight
    return labels
