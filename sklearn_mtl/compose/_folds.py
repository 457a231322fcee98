"""The folds in which a task's labelled rows are held out."""

import warnings
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.model_selection import check_cv

from sklearn_mtl.compose._part import Part
from sklearn_mtl.utils._validation import plain

Fold = tuple[np.ndarray, np.ndarray]


def check_folds(cv: Any) -> None:
    """Raise unless `cv` is a number of folds or a splitter."""
    if isinstance(cv, Integral):
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
    n_labels = len(part.rows)
    advice = "pass a smaller cv, label more rows, or drop the task"
    n_folds = getattr(splitter, "n_splits", None)
    if isinstance(n_folds, Integral) and n_labels < n_folds:
        raise ValueError(
            f"Task {name!r} has {n_labels} label(s), fewer than the cv={n_folds} folds "
            f"(n_samples={n_labels}); {advice}."
        )
    cut = {} if groups is None else part.cut_metadata({"groups": groups})
    try:
        with warnings.catch_warnings():
            # a class rarer than the number of folds is absent from no fold's fit unless it has
            # one label only, and then its probability is 0 in one fold
            warnings.filterwarnings("ignore", "The least populated class in y has only")
            folds = list(splitter.split(X, y, **cut))
    except ValueError as error:
        raise ValueError(
            f"Task {name!r}: its {n_labels} labelled rows cannot be split by {splitter}: {error} "
            f"Instead {advice}."
        ) from error
    tested = np.bincount(np.concatenate([test for _, test in folds]), minlength=n_labels)
    if not (tested == 1).all():
        raise ValueError(
            f"Task {name!r}: {splitter} tests {(tested == 0).sum()} of {n_labels} labelled rows "
            f"never and {(tested > 1).sum()} more than once; pass a splitter that tests each once, "
            "such as KFold."
        )
    return folds
