import warnings
from collections.abc import Hashable
from typing import Any

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning

from sklearn_mtl.metrics._kinds import given_kinds
from sklearn_mtl.metrics._labels import read_tasks, read_true
from sklearn_mtl.metrics._metric import resolve_metrics, score_tasks
from sklearn_mtl.metrics._outputs import GivenOutputs
from sklearn_mtl.tasks import TaskData, TaskLayout
from sklearn_mtl.utils._validation import listing, plain


def mean_task_score(layout: TaskLayout, data: TaskData, predicted: np.ndarray) -> float:
    """Return the plain mean over tasks of R² (regression) or accuracy (classification).

    What ``score`` of an estimator gives. With w the weights of a task's observed labels,

        R²       = 1 - sum w (y - f)² / sum w (y - mean)²,    mean = sum w y / sum w
        accuracy = sum w [y = f] / sum w

    and, as in :func:`sklearn.metrics.r2_score`, the R² of constant labels is 1 where every
    prediction is exact and 0 otherwise.

    Parameters
    ----------
    layout : TaskLayout
        The tasks, T of them.
    data : TaskData
        What ``layout.encode(X, y, sample_weight)`` returned.
    predicted : ndarray of the shape of ``data.labels``
        Values, or class numbers: encoded like ``data.labels``. Entries where no label is
        observed are never read, so they may be NaN.

    Returns
    -------
    score : float

    Warns
    -----
    UndefinedMetricWarning
        Names the tasks left out of the mean: nothing observed, or an R² of a single label.

    Raises
    ------
    ValueError
        No task has a score, or a prediction at an observed label is NaN or infinite.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl.metrics._per_task import mean_task_score
    >>> from sklearn_mtl.tasks import infer_layout
    >>> X, y = np.zeros((3, 1)), np.array([[1.0, 5.0], [2.0, np.nan], [3.0, 7.0]])
    >>> layout = infer_layout(X, y)
    >>> predicted = np.array([[1.0, 6.0], [2.0, 0.0], [3.0, 6.0]])
    >>> mean_task_score(layout, layout.encode(X, y), predicted)
    0.5
    """
    observed, labels = data.observed, data.labels
    assert observed is not None  # encode was given y
    assert labels is not None
    _check_predictions(layout, data, observed, predicted)
    labels, predicted = np.where(observed, labels, 0.0), np.where(observed, predicted, 0.0)
    weights = observed.astype(np.float64) if data.weights is None else data.weights * observed
    counts = data.per_task(observed.astype(np.float64))
    totals = data.per_task(weights)
    some = np.where(totals > 0, totals, 1.0)  # the denominator, where there is one

    right = data.per_task(weights * (labels == predicted)) / some
    means = data.per_task(weights * labels) / some
    centre = means if data.task_index is None else means[data.task_index]
    spread = data.per_task(weights * (labels - centre) ** 2)
    errors = data.per_task(weights * (labels - predicted) ** 2)
    # the mean of equal numbers is off by rounding, which must not pass for spread
    varies = spread > totals * (8 * np.finfo(float).eps * means) ** 2
    constant = np.where(errors > 0, 0.0, 1.0)
    explained = np.where(varies, 1.0 - errors / np.where(varies, spread, 1.0), constant)

    classes = np.array([task.is_classification for task in layout.tasks])
    defined = counts >= np.where(classes, 1, 2)
    _warn_undefined([plain(n) for n, d in zip(layout.names, defined, strict=True) if not d])
    if not defined.any():
        raise ValueError(
            f"No task has a score: none of {listing(layout.names)} has enough observed labels "
            "(two for R², one for accuracy); score on rows whose labels are known."
        )
    return float(np.where(classes, right, explained)[defined].mean())


def _check_predictions(
    layout: TaskLayout, data: TaskData, observed: np.ndarray, predicted: np.ndarray
) -> None:
    if np.shape(predicted) != observed.shape:
        raise ValueError(
            f"Predictions must have the shape of the labels, {observed.shape}; found "
            f"{np.shape(predicted)}."
        )
    bad = data.per_task((observed & ~np.isfinite(predicted)).astype(np.float64))
    if bad.any():
        t = int(np.argmax(bad > 0))
        raise ValueError(
            f"Task {plain(layout.names[t])!r} has {int(bad[t])} prediction(s) that are NaN or "
            "infinite where a label is observed; look for a fit that diverged."
        )


def _warn_undefined(names: list) -> None:
    if names:
        warnings.warn(
            f"No score is defined for the task(s) {listing(names)}: R² needs two observed labels "
            "and every other score one. They are left out of the mean.",
            UndefinedMetricWarning,
            stacklevel=3,
        )


def score_per_task(
    y_true: Any,
    y_pred: Any,
    metric: Any = None,
    *,
    sample_weight: Any = None,
    tasks: Any = None,
    task_kinds: Any = None,
    y_score: Any = None,
    classes: Any = None,
) -> dict[Hashable, float]:
    """Score each task by itself, on the labels that somebody observed.

    The score of task t is ``metric(y_true[rows_t, t], y_pred[rows_t, t])`` with rows_t the rows
    where the label of t is not missing (NaN, None, NA or null) and its weight is not 0.

    Parameters
    ----------
    y_true : array-like of shape (n,) or (n, T), DataFrame, dict name -> (n_t,) or MultiTaskTarget
        Labels. The entries of a dict may have lengths of their own.
    y_pred : any of those containers, or None
        Predictions for the same rows. Where both have names, tasks are matched by name, else by
        position. None where `metric` needs `y_score` alone.
    metric : None, str, callable or dict name -> one of these, default=None
        None: R² for regression tasks, accuracy for classification tasks. A name of
        :func:`sklearn.metrics.get_scorer_names`: greater is better, so errors are negative
        (``"neg_mean_squared_error"``). A callable ``metric(y_true, y_pred)``, or what
        :func:`sklearn.metrics.make_scorer` returned. Tasks that a dict lacks are scored as by
        None.
    sample_weight : array-like of shape (n,) or (n, T), DataFrame or dict, default=None
        Weights of rows or of labels.
    tasks : array-like of shape (n,), default=None
        Long form: the task of each row of a one-dimensional `y_true`.
    task_kinds : {"regression", "classification"} or dict name -> one of these, default=None
        For tasks whose labels say otherwise: float labels make a regression task; integer,
        boolean and text labels make a classification task.
    y_score : array, list of arrays or dict name -> array, default=None
        For metrics such as ``"roc_auc"`` or ``"neg_log_loss"``: what ``predict_proba`` gave
        (n, n_classes), or a score of the greater class (n,), for each task.
    classes : array, list of arrays or dict name -> array, default=None
        The classes that the columns of `y_score` stand for, as ``classes_`` of an estimator
        shows them; None for the sorted labels in `y_true`.

    Returns
    -------
    scores : dict name -> float
        In the order of `y_true`'s tasks (long form: sorted). ``pandas.Series(scores)`` is a
        column of them. NaN where the score is not defined.

    Warns
    -----
    UndefinedMetricWarning
        Names the tasks without an observed label, or with fewer than `metric` needs (R²: two).

    Raises
    ------
    TaskLayoutError
        Names, numbers of tasks or lengths that differ between the arguments.
    ValueError
        A missing prediction where a label is observed, or a metric that does not fit a task's
        labels; the message names the task.

    See Also
    --------
    make_task_scorer : The same scores for ``cross_validate`` and ``GridSearchCV``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl import score_per_task
    >>> y_true = {"price": [1.0, 2.0, None, 4.0], "good": ["no", "yes", "no", None]}
    >>> y_pred = {"price": [1.0, 2.0, 9.0, 3.0], "good": ["no", "no", "no", "yes"]}
    >>> {name: round(score, 3) for name, score in score_per_task(y_true, y_pred).items()}
    {'price': 0.786, 'good': 0.667}
    >>> score_per_task([1.0, 2.0, 3.0], [1.5, 2.0, 3.5], "neg_max_error", tasks=["a", "b", "b"])
    {'a': -0.5, 'b': -0.5}
    """
    if y_pred is None and y_score is None:
        raise TypeError("score_per_task needs y_pred, or y_score for metrics of probabilities.")
    true = read_true(y_true, sample_weight, read_tasks(tasks, y_true))
    metrics = resolve_metrics(metric, true.names, "score_per_task")
    kinds = given_kinds(true, task_kinds, classes)
    return score_tasks(GivenOutputs(true, y_pred, y_score), kinds, metrics)
