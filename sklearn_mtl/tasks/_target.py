from collections.abc import Iterator, Mapping
from numbers import Integral
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from sklearn.utils import _safe_indexing

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks._column import REAL, as_array, is_frame, is_series, read_column
from sklearn_mtl.utils._validation import did_you_mean, listing


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
    array(['yes', 'no', 'no'], dtype=object)
    """

    __slots__ = ("_columns",)

    def __init__(self, labels: Any) -> None:
        columns: dict[str, Any]
        if isinstance(labels, MultiTaskTarget):
            columns = dict(labels.items())
        elif isinstance(labels, Mapping):
            columns = {name: _as_column(values, name) for name, values in labels.items()}
        elif is_frame(labels):
            frame = nw.from_native(labels, eager_only=True)
            names = list(labels.columns)
            columns = {name: frame[:, j].to_native() for j, name in enumerate(names)}
            if len(columns) < len(names):
                raise TaskLayoutError(f"Task names must be unique, found {listing(names)}.")
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
            rows = np.array([key])
            return {name: _take(column, rows)[0] for name, column in self._columns.items()}
        if isinstance(key, list) and key and all(isinstance(name, str) for name in key):
            return MultiTaskTarget({name: self[name] for name in key})
        rows = np.arange(len(self))[key]
        return MultiTaskTarget({name: _take(col, rows) for name, col in self._columns.items()})

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        columns = [np.asarray(column) for column in self._columns.values()]
        if (
            len({c.dtype.kind in "fiub" for c in columns}) > 1
            or columns[0].dtype.kind not in "fiub"
        ):
            columns = [column.astype(object) for column in columns]
        return np.column_stack(columns).astype(dtype or np.result_type(*columns), copy=False)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        # cross_val_predict joins the predictions of its folds with numpy
        if func is np.concatenate and not kwargs and len(args) == 1:
            return concatenate(args[0])
        as_arrays = [np.asarray(a) if isinstance(a, MultiTaskTarget) else a for a in args]
        return func(*as_arrays, **kwargs)

    # -- frames, equality, print ------------------------------------------------------------------

    def to_frame(self, index: Any = None) -> Any:
        """Return a pandas DataFrame, a column a task."""
        import pandas as pd

        frame = pd.DataFrame({n: _values(column) for n, column in self._columns.items()})
        return frame if index is None else frame.set_axis(index, axis=0)

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
        pairs = [(read_column(self[n], n), read_column(other[n], n)) for n in self]
        return all(
            np.array_equal(a.observed, b.observed) and np.array_equal(a.labels, b.labels)
            for a, b in pairs
        )

    def __reduce__(self) -> Any:
        return (MultiTaskTarget, (self._columns,))

    def __repr__(self) -> str:
        rows = []
        for name, values in self._columns.items():
            column = read_column(values, name)
            missing = (~column.observed).sum()
            dtype = column.dtype or ("str" if column.content == "text" else column.labels.dtype)
            counts = f"{column.observed.sum()} observed" + (
                f", {missing} missing" if missing else ""
            )
            head = _shown(values, column.content)
            rows.append((str(name), str(dtype), counts, head))
        widths = [max(len(row[j]) for row in rows) for j in range(3)]
        lines = [
            "  " + "  ".join([*(row[j].ljust(widths[j]) for j in range(3)), row[3]])
            for row in rows[:20]
        ]
        if len(rows) > 20:
            lines.append(f"  … {len(rows) - 20} more")
        return "\n".join([f"MultiTaskTarget({self.shape[0]} rows, {self.shape[1]} tasks)", *lines])


def concatenate(targets: Any) -> MultiTaskTarget:
    """Return the rows of several targets with the same tasks, one after another."""
    first = targets[0]
    return MultiTaskTarget(
        {name: np.concatenate([np.asarray(target[name]) for target in targets]) for name in first}
    )


def _as_column(values: Any, name: object) -> Any:
    return values if is_series(values) else as_array(values)


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


def _values(column: Any) -> Any:
    series = nw.from_native(column, series_only=True) if is_series(column) else None
    if series is None:
        return column
    return column.array if series.implementation.is_pandas() else series.to_list()


def _shown(values: Any, content: str) -> str:
    head = np.asarray(values[:4]).tolist()
    if content == REAL:
        head = [round(v, 4) if isinstance(v, float) else v for v in head]
    return str(head)[:-1] + (", …]" if len(values) > 4 else "]")
