"""Which rows train and which are held out, for every container and every splitter."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.model_selection import check_cv

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.model_selection import MultiTaskKFold, MultiTaskShuffleSplit
from sklearn_mtl.tasks import TaskData, TaskLayout
from sklearn_mtl.tasks._layout import OWN, SHARED
from sklearn_mtl.tasks._named_columns import with_rows
from sklearn_mtl.utils._validation import plain

Split = tuple[np.ndarray, np.ndarray]


def read_splits(
    cv: Any, X: Any, y: Any, data: TaskData, layout: TaskLayout, options: dict[str, Any]
) -> list[Split]:
    """Return (training rows, held-out rows) of each split, as numbers of the rows of `data`.

    A splitter splits shared rows and the rows of long form as scikit-learn does, and the rows of
    each task on their own where tasks have their own X. None or an integer K is K folds: of the
    rows where they are shared, else of each task's rows. Pairs of row numbers are taken as they
    are; with own X they count through the tasks one after another.

    Parameters
    ----------
    cv : None, int, splitter or iterable of (train, test)
    X, y : what ``fit`` received
    data : TaskData
    layout : TaskLayout
    options : dict
        Keywords of ``split``, such as groups.

    Raises
    ------
    TaskLayoutError
        A task that the splitter refuses; the message names it.
    ValueError
        A split that trains on nothing or holds out nothing.
    """
    if isinstance(cv, (MultiTaskKFold, MultiTaskShuffleSplit)):
        # they take whole numbers for classes, of which none is here
        y = layout.decode(data.labels, data, observed=data.observed)  # type: ignore[arg-type]
    is_count = cv is None or isinstance(cv, (int, np.integer))
    splitter = check_cv(cv)
    if is_count and layout.rows != SHARED:
        pairs = list(_folds_of_tasks(data, splitter.get_n_splits()))
    elif layout.rows == OWN and hasattr(cv, "split"):
        pairs = _split_each_task(splitter, data, y, layout, options)
    elif layout.rows == OWN:
        pairs = list(splitter.split())
    else:
        labels = with_rows(y) if isinstance(y, dict) else y  # a dict has no rows to count
        pairs = list(splitter.split(X, labels, **options))
    splits = [(_numbers(train), _numbers(test)) for train, test in pairs]
    for k, (train, test) in enumerate(splits):
        for rows, what in ((train, "training"), (test, "held-out")):
            if len(rows) == 0:
                raise ValueError(
                    f"Split {k} of the {len(splits)} that cv makes has no {what} rows; lower the "
                    "number of folds, or pass splits that have both."
                )
    if not splits:
        raise ValueError("cv makes no splits; pass at least one.")
    return splits


def _numbers(rows: Any) -> np.ndarray:
    rows = np.asarray(rows)
    return np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.intp, copy=False)


def _folds_of_tasks(data: TaskData, n_folds: int) -> Iterator[Split]:
    """Yield folds of each task's rows, in their order, with sizes as ``KFold`` makes them.

    A task of fewer rows than folds is held out in some folds only.
    """
    blocks = [np.array_split(rows, n_folds) for rows in data.groups]
    for k in range(n_folds):
        test = np.concatenate([parts[k] for parts in blocks])
        train = [part for parts in blocks for j, part in enumerate(parts) if j != k]
        yield np.concatenate(train), test


def _split_each_task(
    splitter: Any, data: TaskData, y: Any, layout: TaskLayout, options: dict[str, Any]
) -> list[Split]:
    found: list[list[Split]] = []
    for name, part, rows in zip(layout.names, data.X, data.groups, strict=True):
        own = {key: _of_task(value, name, key) for key, value in options.items()}
        try:
            pairs = list(splitter.split(part, y[name], **own))
        except ValueError as error:
            raise TaskLayoutError(
                f"cv cannot split the {len(rows)} row(s) of task {plain(name)!r}: {error} An "
                "integer cv takes tasks of few rows; stack_tasks makes one table of all rows, to "
                "be split as such."
            ) from error
        found.append([(rows[train], rows[test]) for train, test in pairs])
    counts = {len(pairs) for pairs in found}
    if len(counts) > 1:
        raise TaskLayoutError(
            f"cv makes {min(counts)} splits of some tasks and {max(counts)} of others; pass one "
            "that makes equally many of each."
        )
    return [
        (
            np.concatenate([train for train, _ in of_split]),
            np.concatenate([test for _, test in of_split]),
        )
        for of_split in zip(*found, strict=True)
    ]


def _of_task(value: Any, name: Any, key: str) -> Any:
    if value is None:
        return None
    if not isinstance(value, Mapping) or name not in value:
        raise TaskLayoutError(
            f"X is a dict (each task has its own rows), so {key} must be a dict with a key for "
            f"each task; found {type(value).__name__} without {plain(name)!r}."
        )
    return value[name]
