"""One column of labels: whatever it came as, read into values and a mask of what is observed."""

from collections.abc import Hashable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from sklearn.utils._missing import is_pandas_na

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.utils._validation import plain

REAL = "real"  # floating point
INTEGER = "integer"
BOOLEAN = "boolean"
TEXT = "text"  # strings and categories
EMPTY = "empty"  # nothing observed, so nothing known


@dataclass(frozen=True, eq=False)
class Column:
    """Labels of one task, in the caller's values.

    Attributes
    ----------
    observed : ndarray of shape (n,), bool
    labels : ndarray of shape (n_observed,)
        The observed labels alone, in row order: what is missing has no value to misuse.
    content : {"real", "integer", "boolean", "text", "empty"}
    dtype : object or None
        The pandas or narwhals dtype to restore, None for numpy arrays and lists.
    """

    observed: np.ndarray
    labels: np.ndarray
    content: str
    dtype: Any = None

    def __len__(self) -> int:
        return len(self.observed)


def is_series(values: object) -> bool:
    return nw.dependencies.is_into_series(values)


def is_frame(values: object) -> bool:
    return nw.dependencies.is_into_dataframe(values)


def is_missing(value: object) -> bool:
    """Return whether one Python object stands for a label that nobody observed."""
    if value is None or is_pandas_na(value):
        return True
    return isinstance(value, Real) and not isinstance(value, Integral) and bool(value != value)


def read_column(values: Any, name: Hashable) -> Column:
    """Read the labels of task `name` from an array, a list or a pandas, polars or arrow series."""
    if is_series(values):
        return _read_series(values, name)
    if isinstance(values, np.ma.MaskedArray):
        mask, values = np.ma.getmaskarray(values), values.data.astype(object)
        values[mask] = None
    array = as_array(values)
    if array.ndim != 1:
        raise TaskLayoutError(
            f"The labels of task {plain(name)!r} must be one-dimensional, found shape "
            f"{array.shape}; pass one label a row."
        )
    return _read_array(array, name)


def as_array(values: Any) -> np.ndarray:
    """Return `values` as an array, in which a list with None or strings keeps its objects."""
    if hasattr(values, "dtype") or hasattr(values, "__array__"):
        array = np.asarray(values)
    else:
        # np.asarray(["a", nan]) would turn the missing label into the string "nan"
        array = np.asarray(values, dtype=object) if _holds_objects(values) else np.asarray(values)
    if np.iscomplexobj(array):
        raise ValueError("Complex data not supported: labels must be real numbers or classes.")
    return array


def _holds_objects(values: Any) -> bool:
    return any(
        value is None
        or isinstance(value, str)
        or is_pandas_na(value)
        or (isinstance(value, (list, tuple)) and _holds_objects(value))
        for value in values
    )


def _read_array(array: np.ndarray, name: Hashable) -> Column:
    kind = array.dtype.kind
    if kind == "O":
        observed = np.fromiter((not is_missing(v) for v in array), bool, len(array))
        labels, content = _tighten(array[observed], name)
        return Column(observed, labels, content)
    if kind == "f":
        observed = ~np.isnan(array)
        return Column(observed, array[observed], REAL if observed.any() else EMPTY)
    contents = {"i": INTEGER, "u": INTEGER, "b": BOOLEAN, "U": TEXT, "T": TEXT}
    if kind not in contents:
        raise TaskLayoutError(
            f"Task {plain(name)!r} has labels of dtype {array.dtype}; labels must be numbers, "
            "booleans or strings."
        )
    return Column(np.ones(len(array), bool), array, contents[kind])


def _read_series(values: Any, name: Hashable) -> Column:
    series = nw.from_native(values, series_only=True)
    missing = series.is_null().to_numpy().astype(bool)
    if series.dtype.is_float():
        missing |= series.is_nan().fill_null(True).to_numpy().astype(bool)
    dtype = values.dtype if series.implementation.is_pandas() else series.dtype
    present = series.filter((~missing).tolist()).to_numpy()
    if present.dtype.kind == "O":
        present, content = _tighten(present, name)
    else:
        column = _read_array(present, name)
        content = column.content if len(present) else EMPTY
    return Column(~missing, present, content, dtype)


def _tighten(labels: np.ndarray, name: Hashable) -> tuple[np.ndarray, str]:
    """Give observed Python objects the dtype that all of them have."""
    if len(labels) == 0:
        return labels.astype(float), EMPTY
    if all(isinstance(v, (bool, np.bool_)) for v in labels):
        return labels.astype(bool), BOOLEAN
    if all(isinstance(v, str) for v in labels):
        return labels, TEXT
    if all(isinstance(v, Real) and not isinstance(v, (bool, np.bool_)) for v in labels):
        if all(isinstance(v, Integral) for v in labels):
            return labels.astype(np.int64), INTEGER
        return labels.astype(np.float64), REAL
    found = sorted({type(v).__name__ for v in labels})
    raise TaskLayoutError(
        f"Unknown label type: task {plain(name)!r} mixes labels of types {', '.join(found)}; "
        "labels of one task must be all numbers, all booleans or all strings."
    )
