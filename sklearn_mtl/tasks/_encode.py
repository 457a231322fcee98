"""Labels, read, into the arrays of floats and flags that engines are given."""

from collections.abc import Sequence

import numpy as np

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks._column import TEXT, Column
from sklearn_mtl.tasks._spec import REGRESSION, TaskSpec
from sklearn_mtl.utils._validation import plain

_BLOCK = 64


def encode_matrix(
    tasks: Sequence[TaskSpec], matrix: np.ndarray, places: list[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Encode floats that came in one piece, all of them values; `places` is a column a task."""
    if places != list(range(matrix.shape[1])):
        matrix = matrix[:, places]
    if np.isfinite(matrix.sum()):  # then every term is: nothing is missing, nothing infinite
        return matrix.astype(np.float64, order="C", copy=False), np.ones(matrix.shape, bool)
    observed = ~np.isnan(matrix)
    values = np.where(observed, matrix, 0.0).astype(np.float64, order="C", copy=False)
    infinite = ~np.isfinite(values)
    if infinite.any():
        t = int(np.argmax(infinite.any(axis=0)))
        raise _infinite(tasks[t], infinite[:, t])
    return values, observed


def encode_shared(
    tasks: Sequence[TaskSpec], columns: Sequence[Column], n_rows: int
) -> tuple[np.ndarray, np.ndarray]:
    """Encode a column a task over the same rows, shape (n, T)."""
    labels = np.empty((n_rows, len(tasks)))
    observed = np.empty((n_rows, len(tasks)), dtype=bool)
    # a column of a wide array is a cache miss a row, so columns are written a block at a time
    for start in range(0, len(tasks), _BLOCK):
        block = slice(start, start + _BLOCK)
        codes = np.zeros((len(tasks[block]), n_rows))
        for row, task, column in zip(codes, tasks[block], columns[block], strict=True):
            known = slice(None) if len(column.labels) == n_rows else column.observed
            row[known] = _encode_column(task, column)
        labels[:, block] = codes.T
        observed[:, block] = np.stack([column.observed for column in columns[block]], axis=1)
    return labels, observed


def encode_tagged(
    tasks: Sequence[TaskSpec], columns: Sequence[Column], groups: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Encode a column a task over rows of its own, shape (n,)."""
    n_rows = sum(map(len, groups))
    labels = np.zeros(n_rows)
    observed = np.zeros(n_rows, dtype=bool)
    for task, column, group in zip(tasks, columns, groups, strict=True):
        observed[group] = column.observed
        labels[group[column.observed]] = _encode_column(task, column)
    return labels, observed


def _encode_column(task: TaskSpec, column: Column) -> np.ndarray:
    if task.kind == REGRESSION and column.content == TEXT:
        raise TaskLayoutError(
            f"Task {plain(task.name)!r} is regression, but its labels are strings or categories "
            f"(first: {plain(column.labels[0])!r}); pass numbers."
        )
    codes = task.encode(column.labels)
    infinite = ~np.isfinite(codes)
    if infinite.any():
        raise _infinite(task, infinite)
    return codes


def _infinite(task: TaskSpec, infinite: np.ndarray) -> TaskLayoutError:
    return TaskLayoutError(
        f"Task {plain(task.name)!r} has {infinite.sum()} infinite label(s), or labels too large "
        "for float64; drop them, or mark them missing with NaN."
    )
