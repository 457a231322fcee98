"""What training rows say about scales and base rates."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_mtl.neural_network._base_rates import class_base_rate, number_base_rate
from sklearn_mtl.neural_network._losses import number_loss
from sklearn_mtl.tasks import TaskData, TaskLayout
from sklearn_mtl.tasks._activations import ACTIVATIONS
from sklearn_mtl.tasks._outputs import OutputGroup
from sklearn_mtl.tasks._spec import REGRESSION
from sklearn_mtl.tasks._streamed import StreamedRows
from sklearn_mtl.utils._validation import listing

BLOCK = 2**17  # numbers at a time, a megabyte of float64


@dataclass(frozen=True, eq=False)
class TargetStatistics:
    """Scales and base rates of the tasks.

    Attributes
    ----------
    mean, scale : ndarray of shape (T,)
        Of regression labels; 0 and 1 for classification. Labels that an activation bounds are not
        centred: their scale is their mean, or 1 where they have bounds on both sides.
    unit : ndarray of shape (T,)
        Divides the loss: that of the best constant.
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

    Of inputs of other shapes, X (n, C, ...), they are those of each channel, over rows and
    positions, and have shape (C, 1, ...).

    A constant column has scale 1. Values whose squares overflow are a ValueError. Of a Dataset they
    are those of all labelled items, held-out ones too, which are known only when all are read.
    """
    if isinstance(X, StreamedRows):
        assert X.moments is not None, "no item has a label"
        mean, scale = X.moments
    else:
        with np.errstate(over="ignore", invalid="ignore"):  # told of in words
            mean, scale = (_weighted_moments if X.ndim == 2 else _channel_moments)(X, mass)
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


def _channel_moments(X: np.ndarray, mass: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of the channels of X (n, C, ...), shape (C, 1, ...)."""
    channels = X.reshape(*X.shape[:2], -1)
    origin = channels[0, :, :1].astype(np.float64)
    share = mass / (mass.sum() * channels.shape[2])
    shift, squares = np.zeros_like(origin), np.zeros_like(origin)
    for rows in _row_blocks(channels):
        shift += np.einsum("n,ncp->c", share[rows], channels[rows] - origin)[:, None]
    for rows in _row_blocks(channels):
        spread = np.square(channels[rows] - origin - shift)
        squares += np.einsum("n,ncp->c", share[rows], spread)[:, None]
    shape = (X.shape[1], *[1] * (X.ndim - 2))
    return (origin + shift).reshape(shape), np.sqrt(squares).reshape(shape)


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
    step = max(1, BLOCK // values[0].size)
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
        for group in groups:
            _fit_range(group, mean, scale)
    scale = _no_zeros(scale, mean)
    bias: list[np.ndarray] = []
    for group in groups:
        if _starts_at_zero(group, scaled):
            bias.append(np.zeros(len(group.tasks)))
            continue
        for t in group.tasks:
            rows = data.rows(t)
            values = data.column(labels, t, rows)
            share = data.column(mass, t, rows) / total[t]
            if group.kind == REGRESSION:
                output, least = number_base_rate(group, (values - mean[t]) / scale[t], share)
                unit[t] = least if scaled else 1.0
            else:
                n_classes = len(layout.tasks[t].classes)
                output, unit[t] = class_base_rate(group, values.astype(int), share, n_classes)
            bias.append(output)
    return TargetStatistics(mean, scale, unit, np.concatenate(bias))


def _fit_range(group: OutputGroup, mean: np.ndarray, scale: np.ndarray) -> None:
    """Let labels that have bounds keep them: they are not centred."""
    activation = ACTIVATIONS[group.spec.activation]
    if activation.is_bounded:
        scale[group.tasks] = mean[group.tasks] if activation.has_unit else 1.0
        mean[group.tasks] = 0.0


def _starts_at_zero(group: OutputGroup, scaled: bool) -> bool:
    """Whether 0 is the best constant and its loss 1, or where the caller has scaled the labels."""
    if group.kind != REGRESSION or ACTIVATIONS[group.spec.activation].is_bounded:
        return False
    return not scaled or number_loss(group.spec).is_variance
