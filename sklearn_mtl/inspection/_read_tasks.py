"""Labels and predictions of the tasks that a display shows, from a caller or an estimator."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.metrics._kinds import estimator_kinds, given_kinds
from sklearn_mtl.metrics._labels import read_tasks, read_true
from sklearn_mtl.metrics._metric import TaskKind
from sklearn_mtl.metrics._outputs import METHODS, EstimatorOutputs, GivenOutputs, Outputs
from sklearn_mtl.tasks._layout import LONG
from sklearn_mtl.tasks._long import split_task_column
from sklearn_mtl.tasks._nested import find_layout, find_task_feature
from sklearn_mtl.utils._validation import listing

# what a ROC curve ranks rows by, the first that there is
SCORES = ("predict_proba", "decision_function")


def read_estimator(
    estimator: Any, X: Any, y: Any, sample_weight: Any = None
) -> tuple[Outputs, list[TaskKind]]:
    """Return what a fitted estimator says of X, to be asked task by task, and the tasks' kinds."""
    check_is_fitted(estimator)
    layout, _ = find_layout(estimator)
    task_feature = find_task_feature(estimator, X, fitted=True)
    tags = None if task_feature is None else split_task_column(X, task_feature)[0]
    names = layout.names if layout is not None and layout.rows == LONG else None
    true = read_true(y, sample_weight, tags, names)
    methods = {method for method in METHODS if hasattr(estimator, method)}
    outputs = EstimatorOutputs(true, lambda method: getattr(estimator, method)(X), methods)
    return outputs, estimator_kinds(estimator, layout, true, None)


def read_predictions(
    y_true: Any,
    y_pred: Any = None,
    y_score: Any = None,
    *,
    sample_weight: Any = None,
    tasks: Any = None,
    task_kinds: Any = None,
    classes: Any = None,
) -> tuple[Outputs, list[TaskKind]]:
    """Return a caller's predictions, to be asked task by task, and the tasks' kinds."""
    true = read_true(y_true, sample_weight, read_tasks(tasks, y_true))
    return GivenOutputs(true, y_pred, y_score), given_kinds(true, task_kinds, classes)


def tasks_of_kind(
    outputs: Outputs, kinds: Sequence[TaskKind], *, classification: bool, owner: str
) -> list[int]:
    """Return the places of the tasks of one kind, of which there must be some."""
    chosen = [t for t, kind in enumerate(kinds) if kind.is_classification == classification]
    if not chosen:
        wanted, found = "classification", "regression"
        if not classification:
            wanted, found = found, wanted
        raise TaskLayoutError(
            f"{owner} shows {wanted} tasks, but {listing(outputs.true.names)} are {found}: "
            "integer, boolean and text labels are classes, other numbers are not. "
            f"from_predictions(..., task_kinds='{wanted}') overrides it."
        )
    return chosen


def class_scores(outputs: Outputs, kinds: Sequence[TaskKind], task: int, owner: str) -> np.ndarray:
    """Return probabilities or decision values of a task's labels: (m, n_classes), or (m,) of two.

    Values of shape (m,) are scores of the greater class.
    """
    name, kind = outputs.true.tasks[task].name, kinds[task]
    method = next((m for m in SCORES if outputs.has(m, task)), None)
    if method is None:
        raise ValueError(
            f"{owner} needs probabilities or decision values, but there are none of task {name!r}: "
            "the estimator has neither predict_proba nor decision_function, or y_score lacks it."
        )
    values = outputs.get(method, task)
    if values.ndim == 2 and kind.columns is not None:
        values = values[:, kind.columns]
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    assert kind.classes is not None  # a classification task
    n_classes = len(kind.classes)
    if values.shape[1:] != (n_classes,) and not (values.ndim == 1 and n_classes <= 2):
        raise TaskLayoutError(
            f"Task {name!r} has {n_classes} classes ({listing(kind.classes)}), but its scores have "
            f"shape {values.shape}; pass one column a class, and classes= if labels lack some."
        )
    return values
