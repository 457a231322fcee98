"""The containers a caller may pass: read into names and columns, and written back."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks._column import Column, as_array, is_frame, is_series, read_column
from sklearn_mtl.tasks._spec import TaskSpec
from sklearn_mtl.tasks._target import MultiTaskTarget
from sklearn_mtl.utils._validation import listing, plain

VECTOR = "vector"  # 1-D array, list or series
MATRIX = "matrix"  # 2-D array
FRAME = "frame"  # pandas, polars or arrow
DICT = "dict"
TARGET = "target"  # MultiTaskTarget
NAMED = (FRAME, DICT, TARGET)


@dataclass(frozen=True, eq=False)
class Labels:
    """y, read: its container, its names and a Column for each task."""

    container: str
    names: list[Hashable]
    columns: list[Column]
    backend: Any = None


def read_labels(y: Any) -> Labels:
    """Read any container of the table in the README into named columns."""
    if y is None:
        raise ValueError("This estimator requires y to be passed, but the target y is None.")
    backend = None
    if isinstance(y, MultiTaskTarget):
        container, values = TARGET, list(y.values())
        names: list[Hashable] = list(y.keys())
    elif isinstance(y, Mapping):
        container, names, values = DICT, list(y.keys()), list(y.values())
    elif is_frame(y):
        frame = nw.from_native(y, eager_only=True)
        backend = frame.implementation
        container, names = FRAME, _unique_names(y, frame)
        values = [frame[:, j].to_native() for j in range(frame.shape[1])]
    elif is_series(y):
        name = nw.from_native(y, series_only=True).name
        container, names, values = VECTOR, ["task0" if name in (None, "") else name], [y]
    else:
        array = y if isinstance(y, np.ma.MaskedArray) else _numeric_array(y)
        if array.ndim == 1:
            container, values = VECTOR, [array]
        elif array.ndim == 2:
            container, values = MATRIX, list(array.T)
        else:
            raise TaskLayoutError(
                f"y must have one or two dimensions, found shape {array.shape}; pass an array "
                "(n,) or (n, n_tasks), a DataFrame, a dict of labels or a MultiTaskTarget."
            )
        names = [f"task{t}" for t in range(len(values))]
    if not names:
        raise TaskLayoutError("y holds no task; pass at least one column of labels.")
    columns = [read_column(column, name) for name, column in zip(names, values, strict=True)]
    return Labels(container, names, columns, backend)


def _numeric_array(y: Any) -> np.ndarray:
    if isinstance(y, (list, tuple)) and y and all(_is_column(column) for column in y):
        y = np.asarray(y)  # a list of rows; ragged rows are numpy's own error
    array = as_array(y)
    if array.ndim == 0:
        raise ValueError(
            f"Expected array-like labels for y, got {type(y).__name__}; pass an array (n,) or "
            "(n, n_tasks), a DataFrame, a dict of labels or a MultiTaskTarget."
        )
    return array


def _is_column(values: Any) -> bool:
    return isinstance(values, np.ndarray) and values.ndim == 1


def _unique_names(native: Any, frame: Any) -> list[Hashable]:
    # narwhals refuses duplicate columns in its own words; ours say what to do
    names = list(native.columns) if frame.implementation.is_pandas() else list(frame.columns)
    repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if repeated:
        raise TaskLayoutError(
            f"Task names must be unique, found {listing(repeated)} more than once in y's columns; "
            "rename or drop the repeated columns."
        )
    return names


def label_array(spec: TaskSpec, values: np.ndarray, observed: np.ndarray | None) -> np.ndarray:
    """Return the labels of one task; NaN (floats) or None (others) where not observed."""
    if observed is None or observed.all():
        return spec.decode(values)
    labels = spec.decode(values[observed])
    if labels.dtype.kind == "f":
        full = np.full(len(observed), np.nan, labels.dtype)
    else:
        full = np.full(len(observed), None, object)
    full[observed] = labels
    return full


def join(arrays: Sequence[np.ndarray]) -> np.dtype:
    """Return the dtype that holds every array without turning numbers into strings."""
    kinds = {array.dtype.kind for array in arrays}
    if kinds <= set("fiu"):
        # integers beside floats are classes beside values: keep them apart
        return np.result_type(*arrays) if kinds == {"f"} or kinds <= set("iu") else np.dtype(object)
    if len(kinds) == 1:
        return np.result_type(*arrays)
    return np.dtype(object)


def write_frame(
    backend: Any, specs: Sequence[TaskSpec], arrays: Sequence[np.ndarray], index: Any
) -> Any:
    """Return a frame of the backend that y had, a column a task."""
    if not backend.is_pandas():
        columns = {
            str(spec.name): _write_series(backend, spec, array)
            for spec, array in zip(specs, arrays, strict=True)
        }
        return nw.from_dict(columns, backend=backend).to_native()
    import pandas as pd

    if all(spec.dtype is None for spec in specs) and len({a.dtype for a in arrays}) == 1:
        frame = pd.DataFrame(np.column_stack(arrays), index=index)
    else:
        frame = pd.concat(
            [
                pd.Series(array, index=index, dtype=_pandas_dtype(spec, array))
                for spec, array in zip(specs, arrays, strict=True)
            ],
            axis=1,
        )
    frame.columns = pd.Index([spec.name for spec in specs])
    return frame


def _pandas_dtype(spec: TaskSpec, array: np.ndarray) -> Any:
    if spec.dtype is None or (array.dtype == object and isinstance(spec.dtype, np.dtype)):
        return array.dtype
    return spec.dtype


def _write_series(backend: Any, spec: TaskSpec, array: np.ndarray) -> Any:
    values = [None if value is None or value != value else value for value in array.tolist()]
    return nw.new_series(plain(spec.name), values, spec.dtype, backend=backend)
