"""What training rows say about scales and base rates."""

from dataclasses import dataclass

import numpy as np

from sklearn_mtl.tasks import TaskData, TaskLayout
from sklearn_mtl.tasks._outputs import OutputGroup
from sklearn_mtl.tasks._spec import BINARY, REGRESSION

# a task whose classes are almost all one would otherwise count without bound
LEAST_ENTROPY = 0.1
# a class that no training row has must not start at log 0
LEAST_FREQUENCY = 1e-4


@dataclass(frozen=True, eq=False)
class TargetStatistics:
    """Scales and base rates of the tasks.

    Attributes
    ----------
    mean, scale : ndarray of shape (T,)
        Of regression labels; 0 and 1 for classification.
    unit : ndarray of shape (T,)
        Divides the loss: 1 for regression, the entropy of the class frequencies (nats, at least
        0.1) for classification.
    bias : ndarray of shape (n_outputs,)
        Outputs that predict the base rates, in group order.
    """

    mean: np.ndarray
    scale: np.ndarray
    unit: np.ndarray
    bias: np.ndarray


def input_statistics(X: np.ndarray, mass: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of the columns, rows weighted by `mass`.

    A constant column has scale 1.
    """
    # no matrix product: the BLAS threads it wakes go on spinning, and slow the training down
    if (mass == mass[0]).all():
        mean = X.mean(axis=0, dtype=np.float64)
        scale = X.std(axis=0, dtype=np.float64)
    else:
        share = (mass / mass.sum())[:, None]
        mean = (share * X).sum(axis=0)
        scale = np.sqrt((share * (X - mean) ** 2).sum(axis=0))
    return mean, _no_zeros(scale, mean)


def _no_zeros(scale: np.ndarray, mean: np.ndarray) -> np.ndarray:
    # a constant has a rounding error for a standard deviation
    constant = scale <= 10 * np.finfo(np.float64).eps * np.maximum(np.abs(mean), 1e-300)
    return np.where(constant, 1.0, scale)


def row_mass(data: TaskData) -> np.ndarray:
    """Return the largest label weight of each row, 0 where nothing is observed."""
    if data.weights is None:
        seen: np.ndarray = data.observed  # type: ignore[assignment]
        return np.asarray(seen if seen.ndim == 1 else seen.any(axis=1), dtype=np.float64)
    mass = np.where(data.observed, data.weights, 0.0)  # type: ignore[arg-type]
    return mass if mass.ndim == 1 else mass.max(axis=1)


def target_statistics(
    layout: TaskLayout, data: TaskData, groups: list[OutputGroup], *, scaled: bool
) -> TargetStatistics:
    """Return scales and base rates over the observed labels of `data`."""
    labels: np.ndarray = data.labels  # type: ignore[assignment]
    observed: np.ndarray = data.observed  # type: ignore[assignment]
    mean, scale = np.zeros(layout.n_tasks), np.ones(layout.n_tasks)
    unit = np.ones(layout.n_tasks)
    numeric = np.array([not task.is_classification for task in layout.tasks])
    mass = observed.astype(np.float64) if data.weights is None else observed * data.weights
    total = data.per_task(mass)
    if scaled and numeric.any():
        if labels.ndim == 2 and data.weights is None and observed.all():
            means, deviation = labels.mean(axis=0), labels.std(axis=0)
        else:
            means = data.per_task(mass * labels) / total
            spread = labels - (means if data.task_index is None else means[data.task_index])
            deviation = np.sqrt(data.per_task(mass * spread**2) / total)
        mean[numeric], scale[numeric] = means[numeric], deviation[numeric]
    bias: list[np.ndarray] = []
    for group in groups:
        if group.kind == REGRESSION:
            bias.append(np.zeros(len(group.tasks)))
            continue
        for t in group.tasks:
            rows = data.rows(t)
            codes = data.column(labels, t, rows).astype(int)
            n_classes = len(layout.tasks[t].classes)  # type: ignore[arg-type]
            share = data.column(mass, t, rows) / total[t]
            frequency = np.bincount(codes, share, minlength=n_classes)
            frequency = np.maximum(frequency, LEAST_FREQUENCY)
            frequency = frequency / frequency.sum()
            unit[t] = max(-(frequency @ np.log(frequency)), LEAST_ENTROPY)
            logits = np.log(frequency)
            bias.append(logits[1:] - logits[:1] if group.kind == BINARY else logits)
    return TargetStatistics(mean, _no_zeros(scale, mean), unit, np.concatenate(bias))
