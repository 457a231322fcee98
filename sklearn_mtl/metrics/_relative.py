import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.metrics._labels import (
    TaskLabels,
    TrueLabels,
    match_names,
    predictions,
    read_predicted,
    read_tasks,
    read_true,
)
from sklearn_mtl.tasks._containers import NAMED, read_labels
from sklearn_mtl.utils._validation import listing


def average_relative_rmse(
    y_true: Any,
    y_pred: Any,
    *,
    y_train: Any = None,
    baseline: Any = None,
    sample_weight: Any = None,
    tasks: Any = None,
) -> float:
    """Return aRRMSE, the mean over tasks of the error relative to the training mean's; 0 is best.

        aRRMSE = 1/T sum_t sqrt( sum_i (y_ti - f_ti)² / sum_i (y_ti - b_ti)² )

    with both sums over the observed labels of task t, f the predictions, and b the baseline: the
    mean of the task's training labels. Predicting that mean scores 1.

    Parameters
    ----------
    y_true : array-like of shape (n,) or (n, T), DataFrame, dict name -> (n_t,) or MultiTaskTarget
        Observed numbers; NaN, None, NA and null are skipped.
    y_pred : any of those containers
        Matched by name where both have names, else by position.
    y_train : any of those containers, default=None
        Training labels, with rows of their own, whose means over what is observed are the
        baseline.
    baseline : array-like of shape (T,), dict name -> float, or predictions like `y_pred`
        The baseline itself, in place of `y_train`: a number a task, or a prediction a label, as
        ``cross_val_predict(DummyRegressor(), X, y)`` gives for errors pooled over folds. With
        neither, it is the mean of `y_true`, which no model could know: the score is then
        mean_t sqrt(1 - R²_t), a little larger than with the training mean.
    sample_weight : array-like of shape (n,) or (n, T), DataFrame or dict, default=None
        Weights of rows or of labels, in both sums.
    tasks : array-like of shape (n,), default=None
        Long form: the task of each row. `y_train` must then be None; give `baseline` as a dict
        or a prediction a row.

    Returns
    -------
    score : float

    Warns
    -----
    UndefinedMetricWarning
        Names the tasks left out: nothing observed, or a baseline without error (as that of
        equal labels).

    Raises
    ------
    TaskLayoutError
        Names, numbers of tasks or lengths that differ.
    ValueError
        Labels or predictions that are no numbers, a missing prediction, or no task left.

    References
    ----------
    Spyromitros-Xioufis, Tsoumakas, Groves, Vlahavas, "Multi-target regression via input space
    expansion: treating targets as inputs", Machine Learning 104 (2016), equation 2.

    Examples
    --------
    >>> from sklearn_mtl import average_relative_rmse
    >>> y_true = [[1.0, 10.0], [3.0, None]]
    >>> y_pred = [[1.0, 11.0], [2.0, 0.0]]
    >>> average_relative_rmse(y_true, y_pred, baseline=[2.0, 8.0])  # (sqrt(1/2) + sqrt(1/4)) / 2
    0.603...
    """
    true = read_true(y_true, sample_weight, read_tasks(tasks, y_true))
    predicted = read_predicted(y_pred, true)
    ratios: list[float] = []
    undefined = []
    for task, column, base in zip(
        true.tasks, predicted, _baselines(true, y_train, baseline), strict=True
    ):
        if len(task.rows) == 0:
            undefined.append(task.name)
            continue
        labels = _numbers(task.labels, task, "y_true")
        weights = np.ones(len(labels)) if task.weights is None else task.weights
        if base is None:
            base = np.average(labels, weights=weights)
        errors = weights @ (labels - _numbers(predictions(task, column), task, "y_pred")) ** 2
        reference = weights @ (labels - base) ** 2
        rounding = (8 * np.finfo(float).eps * np.abs(labels).max()) ** 2 * weights.sum()
        if reference > rounding:
            ratios.append(float(np.sqrt(errors / reference)))
        else:
            undefined.append(task.name)
    if undefined:
        warnings.warn(
            f"The relative error of the task(s) {listing(undefined)} is not defined: no label is "
            "observed, or the baseline predicts every label exactly. The average leaves them out.",
            UndefinedMetricWarning,
            stacklevel=2,
        )
    if not ratios:
        raise ValueError(
            "No task has a relative error: each lacks observed labels, or its baseline has no "
            "error; score on rows whose labels are known and differ."
        )
    return float(np.mean(ratios))


def _numbers(values: Any, task: TaskLabels, what: str) -> np.ndarray:
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        numbers = np.array([np.nan])
    if not np.isfinite(numbers).all():
        raise ValueError(
            f"Task {task.name!r} has entries in {what} that are no finite numbers; aRRMSE is for "
            "regression tasks: leave the others out."
        )
    return numbers


def _baselines(true: TrueLabels, y_train: Any, baseline: Any) -> list[Any]:
    """Return for each task a number, an array over the labels that count, or None."""
    if y_train is not None and baseline is not None:
        raise ValueError("y_train and baseline both say what to compare with; pass one of them.")
    if y_train is not None:
        return _training_means(true, y_train)
    if baseline is None:
        return [None] * len(true.tasks)
    numbers = _one_number_a_task(true, baseline)
    if numbers is not None:
        return [
            _numbers(number, task, "baseline")
            for task, number in zip(true.tasks, numbers, strict=True)
        ]
    columns = read_predicted(baseline, true, "baseline")
    return [
        _numbers(predictions(task, column, "baseline"), task, "baseline")
        for task, column in zip(true.tasks, columns, strict=True)
    ]


def _one_number_a_task(true: TrueLabels, baseline: Any) -> list[Any] | None:
    if isinstance(baseline, Mapping):
        if any(np.ndim(value) for value in baseline.values()):
            return None
        match_names(list(baseline), true.names, "baseline")
        return [baseline[name] for name in true.names]
    if np.ndim(baseline) == 0:
        baseline = [baseline]
    n_tasks = len(true.tasks)
    is_prediction = n_tasks == 1 and len(true.tasks[0].column) == np.size(baseline)
    if np.shape(baseline) == (n_tasks,) and not is_prediction and true.tasks[0].group is None:
        return list(baseline)
    return None


def _training_means(true: TrueLabels, y_train: Any) -> list[float]:
    if true.tasks[0].group is not None:
        raise TaskLayoutError(
            "tasks= says the tasks of y_true, but nothing says those of y_train; pass the "
            "training means as baseline={task: mean}."
        )
    read = read_labels(y_train)
    columns = dict(zip(read.names, read.columns, strict=True))
    if read.container in NAMED and true.is_named:
        match_names(read.names, true.names, "y_train")
        ordered = [columns[name] for name in true.names]
    else:
        ordered = list(read.columns)
    if len(ordered) != len(true.tasks):
        raise TaskLayoutError(
            f"y_train has {len(ordered)} column(s), but y_true has the {len(true.tasks)} task(s) "
            f"{listing(true.names)}; pass one column a task."
        )
    means = []
    for task, column in zip(true.tasks, ordered, strict=True):
        if not column.observed.any():
            raise TaskLayoutError(
                f"Task {task.name!r} has no observed label in y_train, so it has no training "
                "mean; drop it, or pass baseline=."
            )
        means.append(float(_numbers(column.labels, task, "y_train").mean()))
    return means
