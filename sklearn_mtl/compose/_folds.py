"""The folds in which a task's labelled rows are held out."""

import warnings
from typing import Any

import numpy as np
from sklearn.model_selection import check_cv

from sklearn_mtl.compose._part import Part
from sklearn_mtl.utils._validation import plain

Fold = tuple[np.ndarray, np.ndarray]


def check_folds(cv: Any) -> None:
    """Raise unless `cv` is a number of folds or a splitter."""
    if isinstance(cv, (int, np.integer)):
        if cv < 2:
            raise ValueError(
                f"cv={cv} holds no row out; pass at least 2 folds, so that predictions that other "
                "tasks read are of rows that were not fitted."
            )
    elif not hasattr(cv, "split"):
        raise ValueError(
            "cv must be a number of folds or a scikit-learn splitter (each task is split on its "
            f"own labelled rows, which ready-made splits do not fit); got {cv!r}."
        )


def folds_of(part: Part, cv: Any, groups: Any = None) -> list[Fold]:
    """Return (train, test) numbers among the task's labelled rows; each is tested once.

    Parameters
    ----------
    part : Part
    cv : int or splitter
        A number is of stratified folds for a classification task.
    groups : array-like with one entry a row of X, or dict of them by task, default=None
    """
    X, y, name = part.inputs(), part.labels(), plain(part.task.name)
    splitter = check_cv(cv, y, classifier=part.task.is_classification)
    n_folds, n_labels = getattr(splitter, "n_splits", None), len(part.rows)
    if isinstance(n_folds, int) and n_labels < n_folds:
        raise ValueError(
            f"Task {name!r} has {n_labels} label(s) for cv={n_folds} folds "
            f"(n_samples={n_labels}); pass a smaller cv, label more rows, or drop the task."
        )
    cut = {} if groups is None else part.cut_metadata({"groups": groups})
    try:
        with warnings.catch_warnings():
            # what matters of it is checked below: a fold outside which a class has no label
            warnings.filterwarnings("ignore", "The least populated class in y has only")
            folds = list(splitter.split(X, y, **cut))
    except ValueError as error:
        raise ValueError(
            f"Task {name!r}: {splitter} cannot split its {n_labels} labelled rows: {error}"
        ) from error
    _check_partition(folds, n_labels, name, splitter)
    if part.task.is_classification:
        _check_classes(folds, y, name)
    return folds


def _check_partition(folds: list[Fold], n_labels: int, name: Any, splitter: Any) -> None:
    tested = np.bincount(np.concatenate([test for _, test in folds]), minlength=n_labels)
    if not (tested == 1).all():
        raise ValueError(
            f"Task {name!r}: {splitter} tests {(tested == 0).sum()} of {n_labels} labelled rows "
            f"never and {(tested > 1).sum()} more than once; pass a splitter that tests each once, "
            "such as KFold."
        )


def _check_classes(folds: list[Fold], y: np.ndarray, name: Any) -> None:
    """Raise where a fold's fit would see one class of several."""
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
