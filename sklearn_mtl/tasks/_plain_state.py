"""What belongs to frame libraries as plain Python, for files that hold no objects of theirs."""

from collections.abc import Callable, Iterator
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

Plain = tuple[Any, ...]  # the name of a reader below, and what it reads


def plain_dtype(dtype: Any) -> Any:
    """Return a dtype of pandas, polars, arrow or numpy as text; itself where that would lose."""
    if dtype is None:
        return None
    return next((state for state in _dtype_states(dtype) if _restores(state, dtype)), dtype)


def plain_header(header: Any) -> Any:
    """Return a pandas index of columns as lists; itself where that would lose."""
    if header is None:
        return None
    states: list[Plain] = [("header", header.tolist(), list(header.names))]
    if hasattr(header, "step"):
        states = [("range", header.start, header.stop, header.step, header.name)]
    return next((state for state in states if _restores(state, header)), header)


def plain_backend(backend: Any) -> str | None:
    """Return the name of a frame library."""
    return None if backend is None else str(backend.value)


def restored(state: Any) -> Any:
    """Return what `plain_dtype` or `plain_header` was given."""
    if not isinstance(state, tuple):
        return state
    reader, *content = state
    return READERS[reader](*content)


def restored_backend(name: str | None) -> Any:
    """Return what `plain_backend` was given."""
    return None if name is None else nw.Implementation(name)


def _dtype_states(dtype: Any) -> Iterator[Plain]:
    """Yield what a dtype may be restored from."""
    kind = dtype if isinstance(dtype, type) else type(dtype)
    library = kind.__module__.split(".")[0]
    if library == "polars" and dtype is not kind:
        library = "polars instance"
    if hasattr(dtype, "categories"):
        ordered = bool(getattr(dtype, "ordered", False))
        yield f"{library} categories", [*dtype.categories], ordered
    if hasattr(dtype, "pyarrow_dtype"):
        yield "pandas arrow", str(dtype.pyarrow_dtype)
    if hasattr(dtype, "index_type"):
        yield "pyarrow dictionary", str(dtype.index_type), str(dtype.value_type), dtype.ordered
    yield library, str(dtype)
    yield library, repr(dtype)  # pandas' "string" does not say of which storage, "string[pyarrow]"


def _restores(state: Plain, original: Any) -> bool:
    try:
        again = restored(state)
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
    if type(again) is not type(original):
        return False
    return again.identical(original) if hasattr(original, "identical") else again == original


# -- readers: they look names up among data types, and nothing else ------------------------------


def _pandas(text: str) -> Any:
    import pandas as pd

    return pd.api.types.pandas_dtype(text)


def _pandas_categories(categories: list[Any], ordered: bool) -> Any:
    import pandas as pd

    return pd.CategoricalDtype(categories, ordered)


def _pandas_arrow(text: str) -> Any:
    import pandas as pd

    return pd.ArrowDtype(_arrow(text))


def _polars(text: str) -> Any:
    import polars as pl

    dtype = getattr(pl, text)
    if not (isinstance(dtype, type) and issubclass(dtype, pl.DataType)):
        raise TypeError(f"{text!r} is no data type of polars.")
    return dtype


def _polars_categories(categories: list[str], ordered: bool) -> Any:
    import polars as pl

    return pl.Enum(categories)


def _arrow(text: str) -> Any:
    import pyarrow as pa  # type: ignore[import-untyped]

    return pa.type_for_alias(text)


def _arrow_dictionary(indices: str, values: str, ordered: bool) -> Any:
    import pyarrow as pa

    return pa.dictionary(_arrow(indices), _arrow(values), ordered)


def _header(values: list[Any], names: list[Any]) -> Any:
    import pandas as pd

    if len(names) > 1:
        return pd.MultiIndex.from_tuples(values, names=names)
    return pd.Index(values, name=names[0])


def _range(start: int, stop: int, step: int, name: Any) -> Any:
    import pandas as pd

    return pd.RangeIndex(start, stop, step, name=name)


READERS: dict[str, Callable[..., Any]] = {
    "numpy": np.dtype,
    "pandas": _pandas,
    "pandas categories": _pandas_categories,
    "pandas arrow": _pandas_arrow,
    "polars": _polars,
    "polars instance": lambda text: _polars(text)(),
    "polars instance categories": _polars_categories,
    "pyarrow": _arrow,
    "pyarrow dictionary": _arrow_dictionary,
    "header": _header,
    "range": _range,
}
