"""The folds in which a task's labelled rows are held out."""

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from sklearn.model_selection import check_cv

from sklearn_mtl.compose._part import Part
from sklearn_mtl.tasks._layout import OWN, TaskLayout
from sklearn_mtl.utils._validation import plain

Fold = tuple[np.ndarray, np.ndarray]


def read_cv(cv: Any, layout: TaskLayout) -> Any:
    """Return `cv` as None, a number of folds, a splitter, or a list of (train, test) rows of X.

    An iterable of splits is read once, for all tasks.
    """
    if isinstance(cv, (int, np.integer)):
        if cv < 2:
            raise ValueError(
                f"cv={cv} holds no row out; pass at least 2 folds, so that what tasks read of each "
                "other was predicted on rows that were not fitted."
            )
        return cv
    if cv is None or (hasattr(cv, "split") and not isinstance(cv, str)):
        return cv
    if not isinstance(cv, Iterable) or isinstance(cv, str):
        raise ValueError(
            "cv must be a number of folds, a scikit-learn splitter or an iterable of (train, test) "
            f"rows; got {cv!r}."
        )
    if layout.rows == OWN:
        raise ValueError(
            "cv is an iterable of rows, but each task has rows of its own; pass a number of folds "
            "or a splitter, which splits each task."
        )
    return list(cv)


def folds_of(part: Part, cv: Any, groups: Any = None) -> list[Fold]:
    """Return (train, test) numbers among the task's labelled rows; each is tested once.

    Parameters
    ----------
    part : Part
    cv : int, splitter or list of (train, test)
        As `read_cv` returns it. A number is of stratified folds for a classification task;
        ready-made splits are cut to the labelled rows.
    groups : array-like with one entry a row of X, or dict of them by task, default=None
    """
    y = part.labels()
    folds = _cut(cv, part) if isinstance(cv, list) else _split(part, y, cv, groups)
    _check_partition(folds, part, cv)
    if part.task.is_classification:
        _check_classes(folds, y, plain(part.task.name))
    return folds


def _cut(splits: Sequence[Fold], part: Part) -> list[Fold]:
    """Return ready-made splits of the rows of X as numbers among the labelled rows."""
    number = np.full(part.data.n_rows, -1)
    number[part.rows] = np.arange(len(part.rows))
    folds = [(number[train], number[test]) for train, test in splits]
    folds = [(train[train >= 0], test[test >= 0]) for train, test in folds]
    return [(train, test) for train, test in folds if len(test)]


def _split(part: Part, y: np.ndarray, cv: Any, groups: Any) -> list[Fold]:
    name, n_labels = plain(part.task.name), len(y)
    splitter = check_cv(cv, y, classifier=part.task.is_classification)
    n_folds = getattr(splitter, "n_splits", None)
    if isinstance(n_folds, (int, np.integer)) and n_labels < n_folds:
        raise ValueError(
            f"Task {name!r} has {n_labels} label(s) for cv={n_folds} folds "
            f"(n_samples={n_labels}); pass a smaller cv, label more rows, or drop the task."
        )
    cut = {} if groups is None else part.cut_metadata({"groups": groups})
    try:
        with warnings.catch_warnings():
            # what matters of it is checked later: a fold outside which one class is left
            warnings.filterwarnings("ignore", "The least populated class in y has only")
            return list(splitter.split(part.inputs(), y, **cut))
    except ValueError as error:
        raise ValueError(
            f"Task {name!r}: {splitter} cannot split its {n_labels} labelled rows: {error}"
        ) from error


def _check_partition(folds: Sequence[Fold], part: Part, cv: Any) -> None:
    n_labels = len(part.rows)
    tests = np.concatenate([test for _, test in folds]) if folds else np.empty(0, np.intp)
    tested = np.bincount(tests, minlength=n_labels)
    if not (tested == 1).all():
        raise ValueError(
            f"Task {plain(part.task.name)!r}: of its {n_labels} labelled rows cv={cv!r} tests "
            f"{(tested == 0).sum()} never and {(tested > 1).sum()} more than once; pass folds that "
            "test each row once, such as KFold's."
        )
    if any(len(train) == 0 for train, _ in folds):
        raise ValueError(
            f"Task {plain(part.task.name)!r}: cv={cv!r} leaves none of its {n_labels} labels to "
            "fit; pass other folds, label more rows, or drop the task."
        )


def _check_classes(folds: Sequence[Fold], y: np.ndarray, name: Any) -> None:
    """Raise where the fit outside a fold would see one class of several."""
    classes, counts = np.unique(y, return_counts=True)
    for train, _ in folds:
        left = np.unique(y[train])
        if len(left) == 1 < len(classes):
            found = ", ".join(
                f"{n} of {plain(c)!r}" for c, n in zip(classes, counts.tolist(), strict=True)
            )
            raise ValueError(
                f"Task {name!r} has labels of one class, {plain(left[0])!r}, where one of the "
                f"{len(folds)} folds of cv is left out; it has {found}. Label more rows of the "
                "rare classes, pass stratified folds (an integer cv), or drop the task."
            )
