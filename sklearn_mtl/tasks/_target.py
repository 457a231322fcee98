from collections.abc import Iterator, Mapping, Sequence
from numbers import Integral
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from sklearn.utils import _safe_indexing

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks._column import (
    BOOLEAN,
    INTEGER,
    REAL,
    Column,
    as_array,
    frame_columns,
    is_frame,
    is_series,
    of_task,
    read_column,
)
from sklearn_mtl.utils._validation import check_option, did_you_mean, listing


class MultiTaskTarget:
    """Labels of several tasks on the same rows, by name, that scikit-learn can slice by row.

    A dict of labels has no rows to slice, so ``GridSearchCV`` and ``train_test_split`` refuse it;
    this wrapper they accept. Like a DataFrame it iterates over names, has as many entries as it
    has rows, and ``target["name"]`` is a column; ``target[rows]`` is a MultiTaskTarget.

    Parameters
    ----------
    labels : mapping from str to array-like of shape (n,), or DataFrame
        NaN, None and pandas' NA mark labels that nobody observed. Kinds may differ.

    Attributes
    ----------
    shape : tuple (n, T)
    ndim : int, 2

    Raises
    ------
    TaskLayoutError
        A name that is no string, no task at all, columns of different lengths.

    Examples
    --------
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn_mtl import MultiTaskTarget
    >>> y = MultiTaskTarget({"price": [1.0, None, 3.0, 4.0], "good": ["no", "yes", "no", "no"]})
    >>> y
    MultiTaskTarget(4 rows, 2 tasks)
      price  float64  3 observed, 1 missing  [1.0, None, 3.0, 4.0]
      good   str      4 observed             ['no', 'yes', 'no', 'no']
    >>> train, test = train_test_split(y, test_size=1, random_state=0)
    >>> train["good"]
    array(['no', 'yes', 'no'], dtype=object)
    """

    __slots__ = ("_columns",)

    def __init__(self, labels: Any) -> None:
        columns: dict[str, Any]
        if isinstance(labels, MultiTaskTarget):
            columns = dict(labels.items())
        elif isinstance(labels, Mapping):
            columns = {name: _as_column(values) for name, values in labels.items()}
        elif is_frame(labels):
            columns = dict(zip(*frame_columns(labels, "a MultiTaskTarget"), strict=True))
        else:
            raise TypeError(
                "MultiTaskTarget takes a dict from task name to labels, or a DataFrame; got "
                f"{type(labels).__name__}."
            )
        _check_columns(columns)
        self._columns = columns

    # -- a mapping of columns -----------------------------------------------------------------

    def keys(self) -> list[str]:
        """Return the task names."""
        return list(self._columns)

    def values(self) -> list[Any]:
        """Return the columns."""
        return list(self._columns.values())

    def items(self) -> list[tuple[str, Any]]:
        """Return (name, column) pairs."""
        return list(self._columns.items())

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    # -- rows, as scikit-learn slices them ------------------------------------------------------

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and tasks, (n, T)."""
        first = next(iter(self._columns.values()))
        return (len(first), len(self._columns))

    @property
    def ndim(self) -> int:
        """Always 2."""
        return 2

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            if key not in self._columns:
                raise KeyError(
                    f"{key!r} is no task; the tasks are {listing(self)}{did_you_mean(key, self)}."
                )
            return self._columns[key]
        if isinstance(key, tuple) and len(key) == 2 and key[1] is Ellipsis:
            key = key[0]  # scikit-learn asks for target[rows, ...]
        if isinstance(key, Integral):
            rows = np.arange(len(self))[[int(key)]]
            return {n: np.asarray(_take(col, rows))[0] for n, col in self._columns.items()}
        if isinstance(key, list) and key and all(isinstance(name, str) for name in key):
            # a list of names is a target of those tasks
            return MultiTaskTarget({name: self[name] for name in key})
        rows = np.arange(len(self))[np.asarray(key) if is_series(key) else key]
        return MultiTaskTarget({name: _take(col, rows) for name, col in self._columns.items()})

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("A MultiTaskTarget has a column a task: one array of it is a copy.")
        columns = [np.asarray(column) for column in self._columns.values()]
        numeric = [column.dtype.kind in "fiub" for column in columns]
        if not all(numeric):
            if dtype is None:
                self._check_one_kind(numeric)
            columns = [column.astype(object) for column in columns]
        return np.column_stack(columns).astype(dtype or np.result_type(*columns), copy=False)

    def _check_one_kind(self, numeric: list[bool]) -> None:
        # scikit-learn would number the values of such an array: missing labels, and every value of
        # a regression task, would become classes
        for name, column in self._columns.items():
            missing = int((~read_column(column, of_task(name)).observed).sum())
            if missing or any(numeric):
                found = f"{missing} missing label(s)" if missing else "classes beside numbers"
                raise TypeError(
                    f"This MultiTaskTarget is no array of one kind: task {name!r} has {found}. "
                    "scikit-learn asks for an array to number classes in it; pass a splitter as cv "
                    "(MultiTaskKFold), use method='predict' in cross_val_predict, or ask for "
                    "np.asarray(target, dtype=object)."
                )

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        # cross_val_predict joins the predictions of its folds with numpy
        if func is np.concatenate and len(args) == 1 and kwargs.get("axis", 0) == 0:
            return concatenate(args[0])
        return func(*_as_arrays(args), **{name: _as_arrays(v) for name, v in kwargs.items()})

    # -- frames, equality, print ------------------------------------------------------------------

    def to_frame(self, index: Any = None, *, backend: Any = "pandas") -> Any:
        """Return a DataFrame, a column a task.

        Parameters
        ----------
        index : sequence of n row labels, default=None
            For pandas; None keeps the index of pandas columns, else counts rows.
        backend : {"pandas", "polars", "pyarrow"}, default="pandas"

        Returns
        -------
        frame : DataFrame of shape (n, T)

        Examples
        --------
        >>> from sklearn_mtl import MultiTaskTarget
        >>> y = MultiTaskTarget({"price": [1.5, None], "good": ["no", "yes"]})
        >>> y.to_frame(index=["red", "white"])
               price good
        red      1.5   no
        white    NaN  yes
        >>> MultiTaskTarget.from_frame(y.to_frame(backend="polars")).equals(y)
        True
        """
        check_option(
            backend, ("pandas", "polars", "pyarrow"), parameter="backend", owner="to_frame"
        )
        if backend == "pandas":
            import pandas as pd

            columns = {name: _for_pandas(column, name) for name, column in self._columns.items()}
            frame = pd.DataFrame(columns)
            return frame if index is None else frame.set_axis(index, axis=0)
        if index is not None:
            raise ValueError(f"index is for pandas; a {backend} frame has none.")
        series = {name: _series(backend, column, name) for name, column in self._columns.items()}
        return nw.from_dict(series, backend=backend).to_native()

    @classmethod
    def from_frame(cls, frame: Any) -> "MultiTaskTarget":
        """Return the target that a pandas, polars or arrow frame holds, a task a column."""
        if not is_frame(frame):
            raise TypeError(f"from_frame takes a DataFrame, got {type(frame).__name__}.")
        return cls(frame)

    def equals(self, other: object) -> bool:
        """Return whether `other` has the same names and labels, missing ones in the same rows."""
        if not isinstance(other, MultiTaskTarget) or self.keys() != other.keys():
            return False
        pairs = [(_read(self[n], n), _read(other[n], n)) for n in self]
        return all(
            np.array_equal(a.observed, b.observed) and np.array_equal(a.labels, b.labels)
            for a, b in pairs
        )

    def __reduce__(self) -> Any:
        return (MultiTaskTarget, (self._columns,))

    def __repr__(self) -> str:
        rows = []
        for name, values in self._columns.items():
            try:
                column = _read(values, name)
            except TaskLayoutError:  # labels that no estimator takes can be looked at all the same
                rows.append((name, "mixed", "unreadable", _shown(values, "")))
                continue
            missing = (~column.observed).sum()
            dtype = column.dtype or ("str" if column.content == "text" else column.labels.dtype)
            counts = f"{column.observed.sum()} observed" + (
                f", {missing} missing" if missing else ""
            )
            head = _shown(values, column.content)
            rows.append((name, str(dtype), counts, head))
        widths = [max(len(row[j]) for row in rows) for j in range(3)]
        lines = [
            "  " + "  ".join([*(row[j].ljust(widths[j]) for j in range(3)), row[3]])
            for row in rows[:20]
        ]
        if len(rows) > 20:
            lines.append(f"  … {len(rows) - 20} more")
        return "\n".join([f"MultiTaskTarget({self.shape[0]} rows, {self.shape[1]} tasks)", *lines])


def concatenate(targets: Sequence[MultiTaskTarget]) -> MultiTaskTarget:
    """Return the rows of several targets with the same tasks, one after another."""
    first = targets[0]
    for target in targets:
        names = list(target.keys()) if isinstance(target, MultiTaskTarget) else []
        if names != first.keys():
            raise TaskLayoutError(
                f"Only targets of the same tasks can be joined, found {listing(first.keys())} and "
                f"{listing(names) or type(target).__name__}."
            )
    return MultiTaskTarget({n: _joined([target[n] for target in targets]) for n in first})


def _joined(columns: list[Any]) -> Any:
    if all(is_series(column) for column in columns) and len({type(c) for c in columns}) == 1:
        frames = [nw.from_native(c, series_only=True).to_frame() for c in columns]
        return (
            nw.concat(frames).to_native().iloc[:, 0]
            if hasattr(columns[0], "iloc")
            else (nw.concat(frames)[:, 0].to_native())
        )
    arrays = [np.asarray(column) for column in columns]
    if len({array.dtype.kind in "fiub" for array in arrays}) > 1:
        arrays = [array.astype(object) for array in arrays]  # numbers must not become strings
    return np.concatenate(arrays)


def _as_arrays(values: Any) -> Any:
    if isinstance(values, MultiTaskTarget):
        return np.asarray(values)
    if isinstance(values, (list, tuple)):
        return type(values)(_as_arrays(value) for value in values)
    return values


def _as_column(values: Any) -> Any:
    return values if is_series(values) else as_array(values)


def _read(values: Any, name: str) -> Column:
    return read_column(values, of_task(name))


def _check_columns(columns: dict[Any, Any]) -> None:
    if not columns:
        raise TaskLayoutError("MultiTaskTarget needs at least one task, got none.")
    for name, column in columns.items():
        if not isinstance(name, str):
            raise TaskLayoutError(
                f"Task names must be strings (a number would be taken for a row), found {name!r}; "
                f"rename it, for instance to {str(name)!r}."
            )
        if np.ndim(column) != 1:
            raise TaskLayoutError(
                f"The labels of task {name!r} must be one-dimensional, found shape "
                f"{np.shape(column)}."
            )
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise TaskLayoutError(
            f"Every task needs one label a row, found {lengths}; use NaN or None where a label is "
            "not known, or pass X as a dict too if tasks have rows of their own."
        )


def _take(column: Any, rows: np.ndarray) -> Any:
    return _safe_indexing(column, rows) if is_series(column) else column[rows]


def _for_pandas(column: Any, name: str) -> Any:
    if nw.dependencies.is_pandas_series(column):
        return column
    import pandas as pd

    read = _read(column, name)
    values = read.filled()
    if read.content in (INTEGER, BOOLEAN) and not read.observed.all():
        # pandas' own integers and booleans have no missing value; its nullable ones do
        return pd.array(values.tolist(), dtype="Int64" if read.content == INTEGER else "boolean")
    return values


def _series(backend: Any, column: Any, name: str) -> Any:
    if is_series(column):
        series = nw.from_native(column, series_only=True)
        if series.implementation.value == backend:
            return series.alias(name)
    read = _read(column, name)
    values: Any = read.filled()
    if not read.observed.all():
        pairs = zip(values.tolist(), read.observed, strict=True)
        values = [value if here else None for value, here in pairs]
    elif values.dtype.kind not in "fiub":
        values = values.tolist()
    return nw.new_series(name, values, backend=backend)


def _shown(values: Any, content: str) -> str:
    head = np.asarray(_take(values, np.arange(len(values))[:4])).tolist()
    if content == REAL:
        head = [round(v, 4) if isinstance(v, float) else v for v in head]
    return str(head)[:-1] + (", …]" if len(values) > 4 else "]")
