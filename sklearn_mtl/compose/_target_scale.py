"""The units of each regression task's labels."""

import numpy as np

from sklearn_mtl.tasks import TaskData


def target_moments(data: TaskData) -> tuple[np.ndarray, np.ndarray]:
    """Return the weighted mean and standard deviation of each task's labels, shape (T,).

    A task whose labels do not differ has no spread to divide by; its scale is 1.
    """
    labels, observed = data.labels, data.observed
    assert labels is not None  # encoded with y
    assert observed is not None
    weights = observed.astype(np.float64) if data.weights is None else data.weights * observed
    total = data.per_task(weights)
    mean = data.per_task(weights * labels) / total
    centre = mean if data.task_index is None else mean[data.task_index]
    scale = np.sqrt(data.per_task(weights * (labels - centre) ** 2) / total)
    # the mean of equal numbers is off by rounding, which must not pass for spread
    varies = scale > 8 * np.finfo(float).eps * np.abs(mean)
    return mean, np.where(varies, scale, 1.0)
