"""One column of labels: whatever it came as, read into values and a mask of what is observed."""

from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import chain
from numbers import Integral, Real
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from scipy.sparse import issparse
from sklearn.utils._missing import is_pandas_na

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.utils._validation import listing, plain

REAL = "real"  # floating point
INTEGER = "integer"
BOOLEAN = "boolean"
TEXT = "text"  # strings and categories, whatever the categories are
EMPTY = "empty"  # nothing observed, so nothing known

_CONTENTS = {"i": INTEGER, "u": INTEGER, "b": BOOLEAN, "U": TEXT}


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
        The pandas, polars or arrow dtype to restore, None for numpy arrays and lists.
    """

    observed: np.ndarray
    labels: np.ndarray
    content: str
    dtype: Any = None

    def __len__(self) -> int:
        return len(self.observed)

    def filled(self) -> np.ndarray:
        """Return all labels, shape (n,), with NaN (floats) or None (others) where missing."""
        if len(self.labels) == len(self.observed):
            return self.labels
        if self.content in (REAL, EMPTY):
            full = np.full(len(self.observed), np.nan)
        else:
            full = np.full(len(self.observed), None, dtype=object)
        full[self.observed] = self.labels
        return full


def of_task(name: Hashable) -> str:
    """Return how messages call a task."""
    return f"task {plain(name)!r}"


def is_series(values: object) -> bool:
    return nw.dependencies.is_into_series(values)


def is_dict_of_rows(X: object) -> bool:
    """Return whether X holds the rows of each task; scipy's dok matrices are mappings too."""
    return isinstance(X, Mapping) and not issparse(X)


def is_frame(values: object) -> bool:
    return nw.dependencies.is_into_dataframe(values)


def frame_columns(frame: Any, what: str) -> tuple[list[Any], list[Any]]:
    """Return the names and the series of a pandas, polars or arrow frame."""
    # names first: narwhals refuses repeated ones in its own words, ours say what to do
    names = column_names(frame)
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise TaskLayoutError(
            f"Task names must be unique, found {listing(repeated)} more than once in the columns "
            f"of {what}; rename or drop the repeated columns."
        )
    if hasattr(frame, "iloc"):
        return names, [frame.iloc[:, j] for j in range(len(names))]
    whole = nw.from_native(frame, eager_only=True)
    return names, [whole[name].to_native() for name in names]


def column_names(frame: Any) -> list[Any]:
    """Return the column names of a pandas, polars or arrow frame."""
    # an arrow table has columns where others have the names of columns
    return list(frame.column_names if hasattr(frame, "column_names") else frame.columns)


def is_missing(value: Any) -> bool:
    """Return whether one Python object stands for a label that nobody observed."""
    if value is None or is_pandas_na(value):
        return True
    return isinstance(value, (Real, Decimal)) and bool(value != value)


def read_column(values: Any, what: str) -> Column:
    """Read labels from an array, a list or a pandas, polars or arrow series.

    `what` names them in messages: ``"task 'price'"``.
    """
    if is_series(values):
        return _read_series(values, what)
    array = as_array(values)
    if array.ndim != 1:
        raise TaskLayoutError(
            f"The labels of {what} must be one-dimensional, found shape {array.shape}; pass one "
            "label a row."
        )
    return _read_array(array, what)


def as_array(values: Any) -> np.ndarray:
    """Return `values` as an array that keeps what is missing, and keeps kinds apart.

    ``np.asarray(["a", nan])`` makes the missing label the string "nan", ``np.asarray([True, nan])``
    makes booleans floats, and a masked array loses its mask: such values become objects instead.
    """
    if isinstance(values, np.ma.MaskedArray):
        array = _unmask(values)
    elif isinstance(values, (list, tuple)):
        array = _array_of_list(values)
    else:
        array = np.asarray(values)
    if np.iscomplexobj(array):
        raise ValueError("Complex data not supported: labels must be real numbers or classes.")
    return array


def _unmask(values: np.ma.MaskedArray) -> np.ndarray:
    mask = np.ma.getmaskarray(values)
    if not mask.any():
        return np.asarray(values.data)
    array = values.data.astype(values.dtype if values.dtype.kind == "f" else object)
    array[mask] = np.nan if array.dtype.kind == "f" else None
    return array


def _array_of_list(values: Any) -> np.ndarray:
    nested = any(isinstance(value, (list, tuple)) for value in values)
    if nested:
        widths = {len(v) if isinstance(v, (list, tuple)) else 0 for v in values}
        if len(widths) > 1:
            raise TaskLayoutError(
                f"A list of rows must have rows of one length, found lengths {sorted(widths)}; "
                "write None for what is not known."
            )
        entries = list(chain.from_iterable(values))
    else:
        entries = list(values)
    kinds = {_kind(kind) for kind in set(map(type, entries))}
    # integers beside floats are numbers, unless the floats are only the missing labels
    as_objects = "object" in kinds or (
        len(kinds) > 1 and ("bool" in kinds or any(is_missing(entry) for entry in entries))
    )
    return np.array(values, dtype=object) if as_objects else np.asarray(values)


def _kind(kind: type) -> str:
    if issubclass(kind, (bool, np.bool_)):
        return "bool"
    if issubclass(kind, (int, np.integer)):
        return "int"
    if issubclass(kind, (float, np.floating)):
        return "float"
    # rows given as arrays have their own dtype; numpy joins them
    return "array" if issubclass(kind, (np.ndarray, complex, list, tuple)) else "object"


def _read_array(array: np.ndarray, what: str) -> Column:
    kind = array.dtype.kind
    if kind == "f":
        observed = ~np.isnan(array)
        if observed.all():
            return Column(observed, array, REAL if len(array) else EMPTY)
        return Column(observed, array[observed], REAL if observed.any() else EMPTY)
    if kind in "OT":
        array = array.astype(object, copy=False)
        observed = _observed_objects(array)
        labels, content = _tighten(array[observed], what)
        return Column(observed, labels, content)
    if kind not in _CONTENTS:
        raise TaskLayoutError(
            f"{_upper(what)} has labels of dtype {array.dtype}; labels must be numbers, booleans "
            "or strings."
        )
    return Column(np.ones(len(array), bool), array, _CONTENTS[kind] if len(array) else EMPTY)


def _read_series(values: Any, what: str) -> Column:
    if nw.dependencies.is_pandas_series(values):
        dtype = values.dtype
        if isinstance(dtype, np.dtype):
            return replace(_read_array(values.to_numpy(), what), dtype=dtype)
        missing = values.isna().to_numpy(bool)
        if hasattr(dtype, "categories"):
            return _read_categories(values, missing, what)
        present = values[~missing].to_numpy()
    else:
        series = nw.from_native(values, series_only=True)
        dtype = values.dtype if hasattr(values, "dtype") else values.type
        if series.dtype == nw.Object:
            return _read_array(np.array([*series.to_list(), None], dtype=object)[:-1], what)
        missing = series.is_null().to_numpy().astype(bool)
        present = series.drop_nulls().to_numpy()
    column = _read_array(present, what)
    observed = ~missing
    observed[observed] = column.observed  # NaN that the container does not count as missing
    return Column(observed, column.labels, column.content, dtype)


def _read_categories(values: Any, missing: np.ndarray, what: str) -> Column:
    categories = np.asarray(values.cat.categories)
    labels = categories[values.cat.codes.to_numpy()[~missing]]
    try:
        np.unique(labels)
    except TypeError as error:
        raise _mixed(labels, what) from error
    return Column(~missing, labels, TEXT if len(labels) else EMPTY, values.dtype)


def _observed_objects(array: np.ndarray) -> np.ndarray:
    values = array.tolist()
    types = set(map(type, values))
    if types <= {str, int, bool}:
        return np.ones(len(values), dtype=bool)
    if types <= {str, int, bool, float, type(None)}:
        return np.fromiter((v is not None and v == v for v in values), bool, len(values))
    return np.fromiter((not is_missing(v) for v in values), bool, len(values))


def _tighten(labels: np.ndarray, what: str) -> tuple[np.ndarray, str]:
    """Give observed Python objects the dtype that all of them have."""
    if len(labels) == 0:
        return labels.astype(float), EMPTY
    types = set(map(type, labels.tolist()))
    if all(issubclass(kind, (bool, np.bool_)) for kind in types):
        return labels.astype(bool), BOOLEAN
    if all(issubclass(kind, str) for kind in types):
        return labels, TEXT
    if all(issubclass(k, (Real, Decimal)) and not issubclass(k, (bool, np.bool_)) for k in types):
        if not all(issubclass(kind, Integral) for kind in types):
            return labels.astype(np.float64), REAL
        try:
            return labels.astype(np.int64), INTEGER
        except OverflowError as error:
            raise TaskLayoutError(
                f"{_upper(what)} has integers beyond 64 bits; pass floats, or strings for classes."
            ) from error
    raise _mixed(labels, what)


def _mixed(labels: np.ndarray, what: str) -> TaskLayoutError:
    found = sorted({type(v).__name__ for v in labels.tolist()})
    mixes = "mixes labels of types" if len(found) > 1 else "has labels of type"
    return TaskLayoutError(
        f"Unknown label type: {what} {mixes} {', '.join(found)}; labels of one task must be all "
        "numbers, all booleans or all strings."
    )


def _upper(what: str) -> str:
    return what[0].upper() + what[1:]
