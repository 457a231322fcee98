"""From the outputs of a model to values, and from these to labels and probabilities."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy.special import expit, softmax

from sklearn_mtl.tasks._activations import ACTIVATIONS
from sklearn_mtl.tasks._data import TaskData
from sklearn_mtl.tasks._layout import TaskLayout
from sklearn_mtl.tasks._outputs import OutputGroup
from sklearn_mtl.tasks._spec import BINARY, REGRESSION


def activate(
    outputs: np.ndarray, groups: Sequence[OutputGroup], task_index: np.ndarray | None = None
) -> np.ndarray:
    """Return what outputs stand for: predicted numbers and class probabilities.

    These may be averaged, as over the members of an ensemble; outputs may not.

    Parameters
    ----------
    outputs : ndarray of shape (..., n, n_outputs), or (..., n, widest task) with `task_index`
    groups : sequence of OutputGroup
    task_index : ndarray of shape (n,), default=None
        The task of each row, where a row has one task.

    Returns
    -------
    values : ndarray of the shape of `outputs`, float64
        Numbers in the units of the training labels; of two classes the probability of the second.
    """
    values = outputs.astype(np.float64)
    for group in groups:
        if task_index is None:
            block = values[..., group.columns]
            values[..., group.columns] = _activated(group, block)
        else:
            rows = np.flatnonzero(np.isin(task_index, group.tasks))
            block = values[..., rows, : group.width]
            values[..., rows, : group.width] = _activated(group, block)
    return values


def _activated(group: OutputGroup, block: np.ndarray) -> np.ndarray:
    if group.kind == REGRESSION:
        return ACTIVATIONS[group.spec.activation].function(block)
    if group.kind == BINARY:
        return expit(block)
    by_class = block.reshape(*block.shape[:-1], -1, group.width)
    return softmax(by_class, axis=-1).reshape(block.shape)


def encoded_predictions(
    values: np.ndarray,
    data: TaskData,
    groups: Sequence[OutputGroup],
    mean: np.ndarray,
    scale: np.ndarray,
) -> np.ndarray:
    """Return numbers and class numbers, shape (n, T), or (n,) where a row has one task.

    Parameters
    ----------
    values : ndarray of shape (n, n_outputs), or (n, widest task) where a row has one task
        See `activate`.
    mean, scale : ndarray of shape (T,)
        Of the regression labels.
    """
    shape = (data.n_rows,) if data.task_index is not None else (data.n_rows, data.n_tasks)
    encoded = np.empty(shape)
    if data.task_index is None:
        for group in groups:
            block = values[:, group.columns].reshape(len(values), len(group.tasks), group.width)
            encoded[:, group.tasks] = _labels(group, block, mean[group.tasks], scale[group.tasks])
        return encoded
    for group in groups:
        rows = np.flatnonzero(np.isin(data.task_index, group.tasks))
        tags = data.task_index[rows]
        block = values[rows, : group.width]
        encoded[rows] = _labels(group, block, mean[tags], scale[tags])
    return encoded


def _labels(
    group: OutputGroup, block: np.ndarray, mean: np.ndarray, scale: np.ndarray
) -> np.ndarray:
    if group.kind == REGRESSION:
        return block[..., 0] * scale + mean
    if group.kind == BINARY:
        return (block[..., 0] > 0.5).astype(np.float64)
    return block.argmax(axis=-1).astype(np.float64)


def probabilities(
    values: np.ndarray, layout: TaskLayout, data: TaskData, groups: Sequence[OutputGroup]
) -> list[np.ndarray | None]:
    """Return each task's class probabilities (n_t, n_classes), None for regression.

    Parameters
    ----------
    values : ndarray of shape (n, n_outputs), or (n, widest task) where a row has one task
        See `activate`.
    """
    result: list[np.ndarray | None] = [None] * layout.n_tasks
    for group, t, column in output_columns(groups):
        if group.kind == REGRESSION:
            continue
        if data.task_index is None:
            block = values[:, column : column + group.width]
        else:
            block = values[data.rows(t, observed=False), : group.width]
        result[t] = np.column_stack([1.0 - block, block]) if group.kind == BINARY else block
    return result


def output_columns(groups: Sequence[OutputGroup]) -> Iterator[tuple[OutputGroup, int, int]]:
    """Yield the group, the number and the first output column of each task."""
    for group in groups:
        for place, t in enumerate(group.tasks):
            yield group, int(t), group.start + place * group.width


def has_classes(estimator: Any) -> bool:
    """Return whether an estimator of mixed kinds has a classification task, or may yet get one."""
    if not estimator.__sklearn_is_fitted__():
        return True
    return any(task.is_classification for task in estimator.layout_.tasks)
