from collections.abc import Hashable, Mapping
from typing import Any, cast

import narwhals.stable.v2 as nw
import numpy as np
from sklearn.utils import _safe_indexing

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks._column import as_array, column_names, is_frame, of_task, read_column
from sklearn_mtl.tasks._data import group_rows
from sklearn_mtl.tasks._long import find_names, split_task_column
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
        Of objects where tasks differ in kind, so that integers stay apart from floats.

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
            raise TaskLayoutError(
                f"Task {plain(name)!r} must be a pair (X_t, y_t), found {type(pair).__name__}."
            )
        part = pair[0] if is_frame(pair[0]) else as_array(pair[0])
        if isinstance(part, np.ndarray) and part.ndim != 2:
            raise TaskLayoutError(
                f"X of task {plain(name)!r} must be two-dimensional, found shape {part.shape}."
            )
        column = read_column(pair[1], of_task(name)).filled()
        if len(column) != len(part):
            raise TaskLayoutError(
                f"Task {plain(name)!r} has {len(part)} rows, but {len(column)} labels; pass one "
                "label a row."
            )
        names.append(name)
        parts.append(part)
        labels.append(column)
    # integers stay apart from floats: classes beside values
    same_kind = len({label.dtype.kind for label in labels}) == 1
    y = np.concatenate(labels if same_kind else [label.astype(object) for label in labels])
    if all(is_frame(part) for part in parts):
        return _stack_frames(names, parts, task_feature), y
    framed = [name for name, part in zip(names, parts, strict=True) if is_frame(part)]
    if framed:
        raise TaskLayoutError(
            f"X of the task(s) {listing(framed)} is a DataFrame, but that of others is an array; "
            "give every task the same."
        )
    return _stack_arrays(names, parts), y


def _stack_frames(names: list[Hashable], parts: list[Any], task_feature: str) -> Any:
    first = column_names(parts[0])
    for name, part in zip(names, parts, strict=True):
        if column_names(part) != first:
            raise TaskLayoutError(
                f"X of task {plain(name)!r} has columns {listing(column_names(part))}, but that of "
                f"{plain(names[0])!r} has {listing(first)}; give every task the same columns."
            )
    if task_feature in first:
        raise TaskLayoutError(
            f"X already has a column {task_feature!r}; pass another name as task_feature."
        )
    if len({type(part) for part in parts}) > 1:
        found = sorted({type(part).__module__.split(".")[0] for part in parts})
        raise TaskLayoutError(f"Every X must come from one library, found {listing(found)}.")
    if hasattr(parts[0], "iloc"):
        import pandas as pd

        counts = [len(part) for part in parts]
        stacked = pd.concat(parts, ignore_index=True)
        stacked[task_feature] = pd.Series([plain(n) for n in names]).repeat(counts).to_numpy()
        return stacked
    frames = [nw.from_native(part, eager_only=True) for part in parts]
    for name, frame in zip(names, frames, strict=True):
        differ = [column for column in first if frame.schema[column] != frames[0].schema[column]]
        if differ:
            raise TaskLayoutError(
                f"X of task {plain(name)!r} has other dtypes than that of {plain(names[0])!r} in "
                f"{listing(differ)}; cast them to one dtype."
            )
    tagged = [
        frame.with_columns(nw.lit(cast(Any, plain(name))).alias(task_feature))
        for name, frame in zip(names, frames, strict=True)
    ]
    return nw.concat(tagged, how="vertical").to_native()


def _stack_arrays(names: list[Hashable], parts: list[np.ndarray]) -> np.ndarray:
    widths = {name: part.shape[1] for name, part in zip(names, parts, strict=True)}
    if len(set(widths.values())) > 1:
        raise TaskLayoutError(f"Every task needs the same number of features, found {widths}.")
    rows = np.concatenate(parts)
    codes = np.repeat(np.arange(len(names)), [len(part) for part in parts])
    labels = np.empty(len(names), dtype=object)
    labels[:] = [plain(name) for name in names]
    if rows.dtype.kind in "fiub" and all(isinstance(label, (int, float)) for label in labels):
        tags = np.array(labels.tolist())
        # the narrowest dtype that holds X and every task number exactly
        for dtype in (rows.dtype, np.result_type(rows.dtype, tags.dtype)):
            if dtype.kind in "fiu" and (tags.astype(dtype) == labels).all():
                return np.column_stack([rows.astype(dtype), tags.astype(dtype)[codes]])
    return np.column_stack([rows.astype(object), labels[codes]])


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

    Raises
    ------
    TaskLayoutError
        No such column, a row without a task, lengths that differ.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_mtl import unstack_tasks
    >>> X = pd.DataFrame({"school": ["b", "a", "b"], "hours": [1.0, 2.0, 3.0]})
    >>> tasks = unstack_tasks(X, [10, 20, 30], task_feature="school")
    >>> list(tasks)
    ['a', 'b']
    >>> tasks["b"][1]
    array([10, 30])
    """
    tags, rest = split_task_column(X, task_feature)
    labels = y if hasattr(y, "shape") else as_array(y)
    if len(labels) != len(tags):
        raise TaskLayoutError(
            f"X has {len(tags)} rows, but y has {len(labels)} labels; pass one label a row."
        )
    if isinstance(rest, np.ndarray) and rest.dtype == object:
        rest = _numbers_again(rest)
    names, codes = find_names(tags)
    return {
        name: (_safe_indexing(rest, rows), _own_labels(_safe_indexing(labels, rows), name))
        for name, rows in zip(names, group_rows(codes, len(names)), strict=True)
    }


def _numbers_again(values: np.ndarray) -> np.ndarray:
    # a text task column made objects of what were numbers
    if {type(value) for value in values.ravel().tolist()} <= {float, int, bool}:
        return np.array(values.tolist()).reshape(values.shape)
    return values


def _own_labels(labels: Any, name: Hashable) -> Any:
    if isinstance(labels, np.ndarray) and labels.dtype == object:
        return read_column(labels, of_task(name)).filled()
    return labels
