"""Long form: one X in which a column says which task a row belongs to, and one column y."""

from collections.abc import Hashable, Mapping, Sequence
from numbers import Integral
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from scipy.sparse import issparse

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks._column import (
    EMPTY,
    REAL,
    Column,
    as_array,
    column_names,
    is_frame,
    is_series,
    of_task,
    read_column,
)
from sklearn_mtl.utils._validation import did_you_mean, listing, plain


def split_task_column(X: Any, task_feature: Any) -> tuple[np.ndarray, Any]:
    """Return the task of each row and X without the task column."""
    if isinstance(X, Mapping):
        raise TaskLayoutError(
            f"task_feature={task_feature!r} asks for long form, but X is a dict; pass one X with "
            "a task column (stack_tasks makes it), or leave task_feature=None."
        )
    if is_frame(X):
        names = column_names(X)
        position = find_column(names, task_feature)
        if hasattr(X, "iloc"):
            others = np.delete(np.arange(len(names)), position)
            tags, rest = X.iloc[:, position], X.iloc[:, others]
        else:
            frame = nw.from_native(X, eager_only=True)
            tags = frame[names[position]].to_native()
            rest = frame.drop(names[position]).to_native()
    else:
        if issparse(X):
            raise TypeError("Long form takes dense X: the task column of a sparse X is ambiguous.")
        array = X if isinstance(X, np.ndarray) else as_array(X)
        if array.ndim != 2:
            raise ValueError(
                f"Expected 2D array for X, got {array.ndim}D array instead. Reshape your data: "
                "long form needs a task column and at least one feature."
            )
        if not isinstance(task_feature, Integral):
            raise TaskLayoutError(
                f"task_feature={task_feature!r} names a column, but X is an array, which has no "
                "names; pass the column's number, or a DataFrame."
            )
        position = _position(int(task_feature), array.shape[1])
        tags, rest = array[:, position], np.delete(array, position, axis=1)
    return read_tags(tags, task_feature), rest


def find_column(names: Sequence[Hashable], task_feature: Any) -> int:
    """Return the place of the column that a name, or else a number, says."""
    found = [j for j, name in enumerate(names) if name == task_feature]
    if len(found) > 1:
        raise TaskLayoutError(
            f"task_feature={task_feature!r} names {len(found)} columns of X; rename or drop the "
            "repeated ones."
        )
    if found:
        return found[0]
    if isinstance(task_feature, Integral):
        return _position(int(task_feature), len(names))
    raise TaskLayoutError(
        f"task_feature={task_feature!r} is no column of X; the columns are "
        f"{listing(names)}{did_you_mean(task_feature, names)}."
    )


def _position(column: int, n_columns: int) -> int:
    if not -n_columns <= column < n_columns:
        raise TaskLayoutError(
            f"task_feature={column} is out of range: X has {n_columns} column(s); pass the number "
            "of one of them, or its name where X is a DataFrame."
        )
    return column % n_columns


def read_tags(tags: Any, task_feature: Any) -> np.ndarray:
    """Return the task of each row, shape (n,), of which none may be missing."""
    column = read_column(tags, f"the task column {plain(task_feature)!r}")
    if not column.observed.all():
        raise TaskLayoutError(
            f"The task column {task_feature!r} is missing in {(~column.observed).sum()} of "
            f"{len(column)} rows; every row needs its task: fill them in or drop those rows."
        )
    values = column.labels
    if column.content == REAL and np.isfinite(values).all() and (values == values.round()).all():
        return values.astype(np.int64)  # a numeric array turns task numbers into floats
    return values


def read_tagged_labels(
    y: Any, groups: Sequence[np.ndarray], names: Sequence[Hashable], n_rows: int
) -> list[Column]:
    """Read a one-dimensional y as a Column for each task."""
    if is_series(y):
        native = nw.from_native(y, series_only=True)
        dtype = y.dtype if native.implementation.is_pandas() else native.dtype
        values = native.to_numpy() if native.dtype == nw.Object else y
    else:
        values, dtype = as_array(y), None
    if np.ndim(values) != 1:
        raise TaskLayoutError(
            f"Long form needs a one-dimensional y, one label a row, found shape {np.shape(values)}."
        )
    if len(values) != n_rows:
        raise TaskLayoutError(
            f"X has {n_rows} rows, but y has {len(values)} labels; they must match."
        )
    if isinstance(values, np.ndarray) and values.dtype == object:
        # tasks of several kinds share the column: each is read by itself
        pairs = zip(names, groups, strict=True)
        return [read_column(values[rows], of_task(name)) for name, rows in pairs]
    whole = read_column(values, "y")
    place = np.cumsum(whole.observed) - 1  # row -> place among the observed labels
    columns = []
    for rows in groups:
        observed = whole.observed[rows]
        content = whole.content if observed.any() else EMPTY
        columns.append(Column(observed, whole.labels[place[rows[observed]]], content, dtype))
    return columns


def find_names(tags: np.ndarray) -> tuple[list[Hashable], np.ndarray]:
    """Return the sorted task names and the task number of each row."""
    if tags.dtype.kind in "fiub":
        found, codes = np.unique(tags, return_inverse=True)
        return found.tolist(), codes
    # hashing a million strings takes a tenth of the time of sorting them
    labels = tags.tolist()
    names = sorted(set(labels))
    number = {name: t for t, name in enumerate(names)}
    return names, np.fromiter(map(number.__getitem__, labels), np.intp, len(labels))


def find_codes(tags: np.ndarray, names: Sequence[Hashable], task_feature: Any) -> np.ndarray:
    """Return the task number of each row; an unknown task is an error that names it."""
    number = {name: t for t, name in enumerate(names)}
    found, inverse = find_names(tags)
    codes = np.array([number.get(name, -1) for name in found], dtype=np.intp)
    if (codes < 0).any():
        unknown = [name for name, code in zip(found, codes, strict=True) if code < 0]
        raise TaskLayoutError(
            f"The task column {task_feature!r} holds tasks that fit never saw: "
            f"{listing(unknown)}. The tasks are {listing(names)}"
            f"{did_you_mean(unknown[0], names)}; drop those rows or fit with them."
        )
    return codes[inverse]
