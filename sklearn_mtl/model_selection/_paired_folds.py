"""Splits made once, for both sides of a comparison."""

import copy
import warnings
from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_regressor

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.model_selection._comparison_rows import ComparisonRows
from sklearn_mtl.model_selection._split import MultiTaskKFold
from sklearn_mtl.tasks._nested import innermost
from sklearn_mtl.utils._validation import draw_seed, listing, plain
from sklearn_mtl.utils._warnings import level_of_caller

Splits = list[tuple[np.ndarray, np.ndarray]]

# Of an integer cv where nobody says how often. Splits of different repeats overlap, which the
# correction does not count: of pairs of models that are equally good, 1.5, 2.0, 2.6 and 3.3 % are
# told apart in either direction at 1, 2, 3 and 5 repeats of 5 folds, where 2.5 % is stated, with
# intervals that are 30, 37 and 42 % narrower than those of 1.
REPEATS = 2


def make_splits(
    cv: Any,
    n_repeats: Any,
    rows: ComparisonRows,
    groups: Any,
    estimator: Any,
    rng: np.random.Generator,
) -> Splits:
    """Return the row numbers of all training and test parts; see `transfer_report`."""
    is_count = isinstance(cv, Integral) and not isinstance(cv, bool)
    n_repeats = _check_repeats(n_repeats, REPEATS if is_count else 1)
    X, y, task_feature = rows.for_splitter()
    if is_count:
        if cv < 2:
            raise ValueError(
                f"cv={cv} gives one split, whose chance nobody can tell; pass cv=2 or more."
            )
        cv = MultiTaskKFold(cv, shuffle=True, task_kinds=_task_kinds(estimator))
    elif isinstance(cv, str) or not (hasattr(cv, "split") or isinstance(cv, Iterable)):
        raise TypeError(
            f"cv must be a number of folds, a splitter or an iterable of (train, test), got {cv!r}."
        )
    elif not hasattr(cv, "split"):
        if n_repeats > 1:
            raise _cannot_repeat("an iterable of splits", n_repeats)
        return _checked(cv, rows)
    else:
        cv = copy.copy(cv)
    if getattr(cv, "task_feature", 0) is None:
        cv.task_feature = task_feature
    if rows.is_own and groups is not None:
        groups = _groups_of_own(groups, rows)
    draws = hasattr(cv, "random_state") and getattr(cv, "shuffle", True)
    if n_repeats > 1 and not draws:
        raise _cannot_repeat(repr(cv), n_repeats)
    splits: Splits = []
    for repeat in range(n_repeats):
        if draws and (repeat > 0 or cv.random_state is None):
            cv.random_state = draw_seed(rng)
        splits += list(cv.split(X, y, groups))
    return _checked(splits, rows)


def _groups_of_own(groups: Any, rows: ComparisonRows) -> np.ndarray:
    """Return the groups of rows that count through the tasks."""
    counts = dict(zip(rows.names, map(len, rows.rows_of), strict=True))
    if not isinstance(groups, Mapping):
        raise TaskLayoutError(
            "X is a dict (each task has its own rows), so groups must be a dict of the same tasks "
            f"{listing(rows.names)}; found {type(groups).__name__}."
        )
    for name, count in counts.items():
        if name not in groups or len(groups[name]) != count:
            found = f"{len(groups[name])} of them" if name in groups else "none"
            raise TaskLayoutError(
                f"groups must have a group for each of the {count} row(s) of task "
                f"{plain(name)!r}, found {found}."
            )
    return np.concatenate([np.asarray(groups[name]) for name in rows.names])


def _check_repeats(n_repeats: Any, default: int) -> int:
    if n_repeats is None:
        return default
    if not isinstance(n_repeats, Integral) or int(n_repeats) < 1:
        raise ValueError(f"n_repeats must be None or an integer of at least 1, got {n_repeats!r}.")
    return int(n_repeats)


def _task_kinds(estimator: Any) -> Any:
    """Return kinds as a splitter takes them: those of the estimator, whatever labels look like."""
    inner = innermost(estimator)
    if is_regressor(inner.estimator):
        return "regression"
    return "classification" if is_classifier(inner.estimator) else inner.parameter("task_kinds")


def _cannot_repeat(what: str, n_repeats: int) -> ValueError:
    return ValueError(
        f"n_repeats={n_repeats} needs splits drawn at random, but cv is {what}, which always gives "
        "the same; pass a number of folds, a splitter with shuffle=True, or n_repeats=None."
    )


def _checked(cv: Iterable[Any], rows: ComparisonRows) -> Splits:
    """Return splits as row numbers, of which each has some for training and others to test on."""
    n_rows = rows.n_rows
    splits = [
        (_row_numbers(train, n_rows, k), _row_numbers(test, n_rows, k))
        for k, (train, test) in enumerate(cv)
    ]
    if len(splits) < 2:
        raise ValueError(
            f"cv gives {len(splits)} split(s), from which no spread can be told; pass a splitter "
            "of two or more."
        )
    for k, (train, test) in enumerate(splits):
        both = np.intersect1d(train, test)
        if len(both):
            raise ValueError(
                f"Split {k} of cv has {len(both)} row(s) in its training and its test part, such "
                f"as row {both[0]}; a model is to be tested on rows that it has not seen."
            )
    return splits


def _row_numbers(part: Any, n_rows: int, k: int) -> np.ndarray:
    """Return the row numbers that a part, which may be a mask, stands for."""
    part = np.asarray(part)
    if part.dtype == bool:
        if part.shape != (n_rows,):
            raise ValueError(
                f"Split {k} of cv has a mask of shape {part.shape} for {n_rows} row(s)."
            )
        return np.flatnonzero(part)
    outside = part[(part < 0) | (part >= n_rows)]
    if len(outside):
        raise ValueError(
            f"Split {k} of cv has row number {outside[0]}, but rows are numbered from 0 to "
            f"{n_rows - 1}."
        )
    return part.astype(np.intp, copy=False)


def count_labels(rows: ComparisonRows, splits: Splits) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels of each task in training and test parts, each (T, n_splits), all there.

    Raises
    ------
    TaskLayoutError
        A task without a label in a training part, or with labels in fewer than two test parts.

    Warns
    -----
    UserWarning
        Names tasks that have no label in some test parts.
    """
    is_observed = np.zeros((len(rows.names), rows.n_rows), dtype=bool)
    for t, own in enumerate(rows.observed):
        is_observed[t, own] = True
    train = np.array([is_observed[:, train].sum(axis=1) for train, _ in splits]).T
    test = np.array([is_observed[:, test].sum(axis=1) for _, test in splits]).T
    advice = "give it more labels, lower cv, or leave it out"
    for t, name in enumerate(rows.names):
        where = f"Task {plain(name)!r} with its {len(rows.observed[t])} observed label(s)"
        if (train[t] == 0).any():
            k = int(np.argmax(train[t] == 0))
            raise TaskLayoutError(
                f"{where} has none in the training part of split {k}, whose test part has "
                f"{test[t, k]}; {advice}."
            )
        if (test[t] > 0).sum() < 2:
            raise TaskLayoutError(
                f"{where} has some in the test part of {(test[t] > 0).sum()} split(s) of "
                f"{len(splits)}, too few to tell its spread; {advice}."
            )
    absent = (test == 0).sum(axis=1)
    if absent.any():
        names = [f"{plain(rows.names[t])} ({absent[t]})" for t in np.flatnonzero(absent)]
        warnings.warn(
            f"The test parts of some of the {len(splits)} splits have no label of task(s) "
            f"{listing(names)}; these splits are left out for those tasks.",
            UserWarning,
            stacklevel=level_of_caller(),
        )
    return train, test
