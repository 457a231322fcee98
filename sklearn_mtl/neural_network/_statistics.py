"""What training rows say about scales and base rates."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_mtl.tasks import TaskData, TaskLayout
from sklearn_mtl.tasks._outputs import OutputGroup
from sklearn_mtl.tasks._spec import BINARY, REGRESSION
from sklearn_mtl.tasks._streamed import StreamedRows
from sklearn_mtl.utils._validation import listing

# a task whose classes are almost all one would otherwise count without bound
LEAST_ENTROPY = 0.1
# a class that no training row has must not start at log 0
LEAST_FREQUENCY = 1e-4
BLOCK = 2**17  # numbers at a time, a megabyte of float64


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


def input_statistics(
    X: np.ndarray | StreamedRows, mass: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of the columns, rows weighted by `mass`.

    A constant column has scale 1. Values whose squares overflow are a ValueError. Of a Dataset they
    are those of all labelled items, held-out ones too, which are known only when all are read.
    """
    if isinstance(X, StreamedRows):
        assert X.moments is not None, "no item has a label"
        mean, scale = X.moments
    else:
        with np.errstate(over="ignore", invalid="ignore"):  # told of in words
            mean, scale = _weighted_moments(X, mass)
    if not np.isfinite(scale).all():
        raise ValueError(
            f"X has values too large to scale in feature(s) "
            f"{listing(np.flatnonzero(~np.isfinite(scale)))}: their squares overflow float64; "
            "divide them by a constant, or drop them."
        )
    return mean, _no_zeros(scale, mean)


def _weighted_moments(X: np.ndarray, mass: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # seen from a row of theirs constants are zeros, however many rows are added up
    origin = X[0].astype(np.float64)
    # no matrix product: the BLAS threads it wakes go on spinning, and slow the training down
    if (mass == mass[0]).all():
        shift, scale = _moments(X, origin)
    else:
        spread = X - origin
        share = (mass / mass.sum())[:, None]
        shift = (share * spread).sum(axis=0)
        scale = np.sqrt((share * (spread - shift) ** 2).sum(axis=0))
    return origin + shift, scale


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


def _row_blocks(values: np.ndarray) -> Iterator[slice]:
    """Yield slices of rows small enough for a cache: wide labels are too large to copy whole."""
    step = max(1, BLOCK // values.shape[1])
    for start in range(0, len(values), step):
        yield slice(start, start + step)


def _moments(values: np.ndarray, origin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of the columns of ``values - origin``."""
    total = sum((values[rows] - origin).sum(axis=0) for rows in _row_blocks(values))
    shift = np.asarray(total / len(values))
    squares = np.zeros(values.shape[1])
    for rows in _row_blocks(values):
        spread = values[rows] - origin - shift
        squares += np.einsum("nt,nt->t", spread, spread)
    return shift, np.sqrt(squares / len(values))


def scaled_labels(data: TaskData, mean: np.ndarray, scale: np.ndarray, dtype: str) -> np.ndarray:
    """Return (labels - mean) / scale of each task, in that precision."""
    labels: np.ndarray = data.labels  # type: ignore[assignment]
    if data.task_index is not None:
        return ((labels - mean[data.task_index]) / scale[data.task_index]).astype(dtype)
    result = np.empty(labels.shape, dtype)
    for rows in _row_blocks(labels):
        result[rows] = (labels[rows] - mean) / scale
    return result


def _first_labels(data: TaskData) -> np.ndarray:
    """Return an observed label of each task, shape (T,)."""
    labels: np.ndarray = data.labels  # type: ignore[assignment]
    observed: np.ndarray = data.observed  # type: ignore[assignment]
    if data.task_index is None:
        return labels[observed.argmax(axis=0), np.arange(data.n_tasks)]
    tasks, rows = np.unique(np.where(observed, data.task_index, -1), return_index=True)
    first = np.zeros(data.n_tasks)
    first[tasks[tasks >= 0]] = labels[rows[tasks >= 0]]
    return first


def _label_moments(
    data: TaskData, mass: np.ndarray, total: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of each task's observed labels, weighted by `mass`."""
    labels: np.ndarray = data.labels  # type: ignore[assignment]
    # seen from a label of theirs constants are zeros: nothing rounded is left to be learned
    origin = _first_labels(data)
    if labels.ndim == 2 and data.weights is None and data.observed.all():  # type: ignore[union-attr]
        shift, deviation = _moments(labels, origin)
    else:
        tags: Any = slice(None) if data.task_index is None else data.task_index
        spread = labels - origin[tags]
        shift = data.per_task(mass * spread) / total
        deviation = np.sqrt(data.per_task(mass * (spread - shift[tags]) ** 2) / total)
    return origin + shift, deviation


def scaled_weights(data: TaskData) -> np.ndarray | None:
    """Return weights whose sum over each task is near 1: float32 holds them, whatever their unit.

    By powers of 2, which round nothing; the objective does not depend on them.
    """
    if data.weights is None:
        return None
    _, exponent = np.frexp(data.per_task(data.weights))
    return np.ldexp(
        data.weights, -(exponent if data.task_index is None else exponent[data.task_index])
    )


def target_statistics(
    layout: TaskLayout, data: TaskData, groups: list[OutputGroup], *, scaled: bool
) -> TargetStatistics:
    """Return scales and base rates over the observed labels of `data`."""
    labels: np.ndarray = data.labels  # type: ignore[assignment]
    observed: np.ndarray = data.observed  # type: ignore[assignment]
    mean, scale = np.zeros(layout.n_tasks), np.ones(layout.n_tasks)
    unit = np.ones(layout.n_tasks)
    numeric = np.array([not task.is_classification for task in layout.tasks])
    mass = observed if data.weights is None else observed * data.weights
    total = data.per_task(mass)
    if scaled and numeric.any():
        with np.errstate(over="ignore", invalid="ignore"):  # told of in words
            means, deviations = _label_moments(data, mass, total)
        mean[numeric], scale[numeric] = means[numeric], deviations[numeric]
        if not np.isfinite(scale).all():
            names = [layout.names[t] for t in np.flatnonzero(~np.isfinite(scale))]
            raise ValueError(
                f"Task(s) {listing(names)} have labels too large to scale: their squares overflow "
                "float64; divide them by a constant, or drop the largest."
            )
    bias: list[np.ndarray] = []
    for group in groups:
        if group.kind == REGRESSION:
            bias.append(np.zeros(len(group.tasks)))
            continue
        for t in group.tasks:
            rows = data.rows(t)
            codes = data.column(labels, t, rows).astype(int)
            n_classes = len(layout.tasks[t].classes)
            share = data.column(mass, t, rows) / total[t]
            frequency = np.bincount(codes, share, minlength=n_classes)
            frequency = np.maximum(frequency, LEAST_FREQUENCY)
            frequency = frequency / frequency.sum()
            unit[t] = max(-(frequency @ np.log(frequency)), LEAST_ENTROPY)
            logits = np.log(frequency)
            bias.append(logits[1:] - logits[:1] if group.kind == BINARY else logits)
    return TargetStatistics(mean, _no_zeros(scale, mean), unit, np.concatenate(bias))
