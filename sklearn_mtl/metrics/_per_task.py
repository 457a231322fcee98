import warnings

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning

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
