"""Encoded predictions, written back as the caller's labels and containers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sklearn_mtl.tasks._spec import TaskSpec


def label_array(spec: TaskSpec, values: np.ndarray, observed: np.ndarray | None) -> np.ndarray:
    """Return the labels of one task; NaN (floats) or None (others) where not observed."""
    if observed is None or observed.all():
        return spec.decode(values)
    safe = values if not spec.is_classification else np.where(observed, values, 0)
    return blank(spec.decode(safe), observed)


def blank(labels: np.ndarray, observed: np.ndarray | None) -> np.ndarray:
    """Return labels with NaN (floats) or None (others) where not observed."""
    if observed is None or observed.all():
        return labels
    if labels.dtype.kind == "f":
        return np.where(observed, labels, np.asarray(np.nan, labels.dtype))
    result = labels.astype(object)
    result[~observed] = None
    return result


def join(arrays: Sequence[np.ndarray], *, holds_objects: bool) -> np.dtype:
    """Return the dtype that holds every array without turning one kind into another.

    Numbers join as numbers; where the caller's labels were Python objects, integers stay apart
    from floats, since there they are classes beside values.
    """
    kinds = {array.dtype.kind for array in arrays}
    if len(kinds) == 1 or kinds <= set("iu") or (kinds <= set("fiu") and not holds_objects):
        return np.result_type(*{array.dtype for array in arrays})
    return np.dtype(object)


def write_frame(
    backend: Any,
    specs: Sequence[TaskSpec],
    arrays: Sequence[np.ndarray],
    index: Any = None,
    header: Any = None,
) -> Any:
    """Return a frame of the library that y came in, a column a task."""
    pairs = list(zip(specs, arrays, strict=True))
    if backend.is_polars():
        import polars as pl

        names = [str(spec.name) for spec in specs]
        columns = [pl.Series(n, _plain(a), s.dtype) for n, (s, a) in zip(names, pairs, strict=True)]
        return pl.DataFrame(columns)
    if not backend.is_pandas():
        import pyarrow as pa  # type: ignore[import-untyped]

        return pa.table({str(spec.name): pa.array(_plain(a), spec.dtype) for spec, a in pairs})
    import pandas as pd

    if all(spec.dtype is None for spec in specs) and len({a.dtype for a in arrays}) == 1:
        frame = pd.DataFrame(np.column_stack(arrays), index=index)
    else:
        series = {
            t: pd.Series(array, index=index, dtype=_pandas_dtype(spec, array))
            for t, (spec, array) in enumerate(pairs)
        }
        frame = pd.DataFrame(series, index=index)
    frame.columns = pd.Index([spec.name for spec in specs]) if header is None else header
    return frame


def _pandas_dtype(spec: TaskSpec, array: np.ndarray) -> Any:
    if spec.dtype is None or (array.dtype == object and isinstance(spec.dtype, np.dtype)):
        return array.dtype
    return spec.dtype


def _plain(array: np.ndarray) -> Any:
    """Return what polars and arrow build a column from, with None where a label is missing."""
    if array.dtype.kind == "f" and not np.isnan(array).any():
        return array
    if array.dtype.kind in "iub":
        return array
    return [None if value is None or value != value else value for value in array.tolist()]
