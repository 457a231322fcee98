"""Splits made once, for both sides of a comparison."""

import copy
import warnings
from collections.abc import Iterable
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
        return _check_number([(np.asarray(train), np.asarray(test)) for train, test in cv])
    else:
        cv = copy.copy(cv)
    if getattr(cv, "task_feature", 0) is None:
        cv.task_feature = task_feature
    if rows.is_own and groups is not None:
        groups = np.concatenate([np.asarray(groups[name]) for name in rows.names])
    draws = hasattr(cv, "random_state") and getattr(cv, "shuffle", True)
    if n_repeats > 1 and not draws:
        raise _cannot_repeat(repr(cv), n_repeats)
    splits: Splits = []
    for repeat in range(n_repeats):
        if draws and (repeat > 0 or cv.random_state is None):
            cv.random_state = draw_seed(rng)
        splits += list(cv.split(X, y, groups))
    return _check_number(splits)


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


def _check_number(splits: Splits) -> Splits:
    if len(splits) < 2:
        raise ValueError(
            f"cv gives {len(splits)} split(s), from which no spread can be told; pass a splitter "
            "of two or more."
        )
    return splits


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
    n_rows = 1 + max(max(part.max(initial=-1) for part in split) for split in splits)
    is_observed = np.zeros((len(rows.names), max(n_rows, 1)), dtype=bool)
    for t, own in enumerate(rows.observed):
        is_observed[t, own[own < n_rows]] = True
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
