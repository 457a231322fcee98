"""The containers a caller may pass, read into names and columns."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks._column import (
    Column,
    as_array,
    frame_columns,
    is_frame,
    is_series,
    of_task,
    read_column,
)
from sklearn_mtl.tasks._target import MultiTaskTarget

VECTOR = "vector"  # 1-D array, list or series
MATRIX = "matrix"  # 2-D array
FRAME = "frame"  # pandas, polars or arrow
DICT = "dict"
TARGET = "target"  # MultiTaskTarget
NAMED = (FRAME, DICT, TARGET)


@dataclass(frozen=True, eq=False)
class Labels:
    """y, read: its container, its names and a Column for each task.

    Attributes
    ----------
    container : {"vector", "matrix", "frame", "dict", "target"}
    names : list of T names
    values : list of T columns, in the caller's types or as Column
    backend : narwhals.Implementation or None
        The library of a frame.
    header : object or None
        The column index of a pandas frame, for predictions to carry.
    matrix : ndarray of shape (n, T) or None
        All labels, where they came as floats in one piece.
    holds_objects : bool
        Whether an array of Python objects came.
    """

    container: str
    names: list[Hashable]
    values: Sequence[Any]
    backend: Any = None
    header: Any = None
    matrix: np.ndarray | None = None
    holds_objects: bool = False

    @cached_property
    def columns(self) -> list[Column]:
        """A Column for each task; read on first use, since floats in one piece need none."""
        return [
            value if isinstance(value, Column) else read_column(value, of_task(name))
            for name, value in zip(self.names, self.values, strict=True)
        ]


def read_labels(y: Any) -> Labels:
    """Read any container of the table in the README into named columns."""
    if y is None:
        raise ValueError("This estimator requires y to be passed, but the target y is None.")
    if isinstance(y, MultiTaskTarget):
        labels = Labels(TARGET, list(y.keys()), y.values())
    elif isinstance(y, Mapping):
        labels = Labels(DICT, list(y.keys()), list(y.values()))
    elif is_frame(y):
        labels = _read_frame(y)
    elif is_series(y):
        name = nw.from_native(y, series_only=True).name
        labels = Labels(VECTOR, ["task0" if name is None or name == "" else name], [y])
    else:
        labels = _read_matrix(y)
    if not labels.names:
        raise TaskLayoutError("y holds no task; pass at least one column of labels.")
    return labels


def _read_matrix(y: Any) -> Labels:
    array = as_array(y)
    if array.ndim == 0:
        raise ValueError(
            f"Expected array-like labels for y, got {type(y).__name__}; pass an array (n,) or "
            "(n, n_tasks), a DataFrame, a dict of labels or a MultiTaskTarget."
        )
    if array.ndim > 2:
        raise TaskLayoutError(
            f"y must have one or two dimensions, found shape {array.shape}; pass an array "
            "(n,) or (n, n_tasks), a DataFrame, a dict of labels or a MultiTaskTarget."
        )
    objects = array.dtype == object
    if array.ndim == 1:
        return Labels(VECTOR, ["task0"], [array], holds_objects=objects)
    names: list[Hashable] = [f"task{t}" for t in range(array.shape[1])]
    matrix = array if array.dtype.kind == "f" else None
    columns = _Transposed(array)
    return Labels(MATRIX, names, columns, matrix=matrix, holds_objects=objects)


def _read_frame(y: Any) -> Labels:
    names, columns = frame_columns(y, "y")
    if nw.dependencies.is_pandas_dataframe(y):
        floats = all(isinstance(d, np.dtype) and d.kind == "f" for d in y.dtypes)
        matrix = y.to_numpy() if floats else None
        return Labels(FRAME, names, columns, nw.Implementation.PANDAS, y.columns, matrix)
    frame = nw.from_native(y, eager_only=True)
    matrix = frame.to_numpy() if all(d.is_float() for d in frame.schema.values()) else None
    return Labels(FRAME, names, columns, frame.implementation, None, matrix)


class _Transposed(Sequence):
    """Columns of a matrix, contiguous from the first time that one is asked for."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array

    @cached_property
    def _columns(self) -> np.ndarray:
        return np.ascontiguousarray(self._array.T)

    def __len__(self) -> int:
        return self._array.shape[1]

    def __getitem__(self, task: Any) -> Any:
        return self._columns[task]
