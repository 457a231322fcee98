"""The work of one task: fit its estimator, ask it for predictions, and name the task in errors."""

import inspect
from collections.abc import Hashable
from typing import Any

import numpy as np
from sklearn.callback import CallbackContext
from sklearn.utils.validation import _num_samples

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks import TaskSpec
from sklearn_mtl.utils._errors import told_of
from sklearn_mtl.utils._validation import plain


def fit_one(
    estimator: Any,
    X: Any,
    y: np.ndarray,
    fit_params: dict[str, Any],
    *,
    task: TaskSpec,
    caller: Any,
    context: CallbackContext,
) -> Any:
    """Fit a fresh estimator on the rows of one task and return it."""
    metadata = (
        {"sample_weight": fit_params["sample_weight"]} if "sample_weight" in fit_params else None
    )
    try:
        with context.propagate_callback_context(estimator):
            context.call_on_fit_task_begin(estimator=caller, X=X, y=y, metadata=metadata)
            estimator.fit(X, y, **fit_params)
            context.call_on_fit_task_end(estimator=caller, X=X, y=y, metadata=metadata)
    except Exception as error:
        raise told_of(_work(task, estimator, "fit"), error, _one_class(task, y)) from error
    return estimator


def fit_alone(
    estimator: Any, X: Any, y: np.ndarray, fit_params: dict[str, Any], task: TaskSpec
) -> Any:
    """Fit an estimator of which no callback is told, and return it."""
    try:
        return estimator.fit(X, y, **fit_params)
    except Exception as error:
        raise told_of(_work(task, estimator, "fit"), error, _one_class(task, y)) from error


def predict_one(estimator: Any, X: Any, task: TaskSpec) -> np.ndarray:
    """Return encoded predictions of one task: values, or class numbers as floats."""
    work = _work(task, estimator, "predict")
    try:
        predicted = np.asarray(estimator.predict(X))
    except Exception as error:
        raise told_of(work, error) from error
    predicted = one_column(predicted, X, work)
    if task.is_classification:
        try:
            return task.encode(predicted)
        except TaskLayoutError as error:
            raise ValueError(
                f"{work} returned {np.unique(predicted)[:8].tolist()}, which are not all among the "
                f"classes {task.classes.tolist()[:8]}; pass a classifier."  # type: ignore[union-attr]
            ) from error
    return predicted.astype(np.float64, copy=False)


def one_column(predicted: np.ndarray, X: Any, work: str) -> np.ndarray:
    """Return predictions as an array (n,), after a check that each row of X has one.

    Parameters
    ----------
    predicted : ndarray of shape (n,) or (n, 1)
    X : array-like, frame or sparse matrix of shape (n, p)
    work : str
        What predicted them, for the message: "Ridge.predict".
    """
    if predicted.ndim == 2 and predicted.shape[1] == 1:
        predicted = predicted[:, 0]
    if predicted.shape != (_num_samples(X),):
        raise ValueError(
            f"{work} returned shape {predicted.shape}; pass an estimator that predicts one label a "
            "row."
        )
    return predicted


def predict_proba_one(estimator: Any, X: Any, task: TaskSpec) -> np.ndarray:
    """Return probabilities (n, n_classes) of one task, in the order of the task's classes."""
    try:
        probabilities = np.asarray(estimator.predict_proba(X))
    except Exception as error:
        raise told_of(_work(task, estimator, "predict_proba"), error) from error
    classes = task.classes
    assert classes is not None  # asked of classification tasks alone
    known = np.asarray(getattr(estimator, "classes_", classes))
    if np.array_equal(known, classes):
        return probabilities
    # an estimator that saw fewer classes than the task has gives the others no probability
    full = np.zeros((len(probabilities), len(classes)), probabilities.dtype)
    full[:, task.encode(known).astype(np.intp)] = probabilities
    return full


def takes_sample_weight(estimator: Any) -> bool:
    """Return whether ``estimator.fit`` can be given `sample_weight`."""
    parameters = inspect.signature(estimator.fit).parameters
    # searches hand on what they do not name
    anything = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())
    return "sample_weight" in parameters or anything


def check_takes_sample_weight(estimator: Any, name: Hashable) -> None:
    """Raise unless ``estimator.fit`` can be given `sample_weight`."""
    if not takes_sample_weight(estimator):
        raise TypeError(
            f"sample_weight was passed, but task {plain(name)!r} is fitted by "
            f"{type(estimator).__name__}, whose fit takes no sample_weight; leave sample_weight "
            "out, or choose an estimator that weights rows."
        )


def _work(task: TaskSpec, estimator: Any, method: str) -> str:
    return f"Task {plain(task.name)!r}: {type(estimator).__name__}.{method}"


def _one_class(task: TaskSpec, y: np.ndarray) -> str:
    if task.is_classification and len(y) and (y == y[0]).all():
        return (
            f" The task has one class only, {plain(y[0])!r}, on its {len(y)} observed rows: drop "
            "it, or choose an estimator that accepts a single class."
        )
    return ""
