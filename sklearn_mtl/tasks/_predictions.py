"""From the outputs of a model, values and logits, to labels and probabilities."""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.special import expit, softmax

from sklearn_mtl.tasks._data import TaskData
from sklearn_mtl.tasks._layout import TaskLayout
from sklearn_mtl.tasks._outputs import OutputGroup
from sklearn_mtl.tasks._spec import BINARY, REGRESSION


def encoded_predictions(
    outputs: np.ndarray,
    data: TaskData,
    groups: Sequence[OutputGroup],
    mean: np.ndarray,
    scale: np.ndarray,
) -> np.ndarray:
    """Return values and class numbers, shape (n, T), or (n,) where a row has one task.

    Parameters
    ----------
    outputs : ndarray of shape (n, n_outputs), or (n, widest task) where a row has one task
    mean, scale : ndarray of shape (T,)
        Of the regression labels.
    """
    shape = (data.n_rows,) if data.task_index is not None else (data.n_rows, data.n_tasks)
    encoded = np.empty(shape)
    if data.task_index is None:
        for group in groups:
            block = outputs[:, group.columns].reshape(len(outputs), len(group.tasks), group.width)
            encoded[:, group.tasks] = _labels(group, block, mean[group.tasks], scale[group.tasks])
        return encoded
    for group in groups:
        rows = np.flatnonzero(np.isin(data.task_index, group.tasks))
        tags = data.task_index[rows]
        block = outputs[rows, : group.width]
        encoded[rows] = _labels(group, block, mean[tags], scale[tags])
    return encoded


def _labels(
    group: OutputGroup, block: np.ndarray, mean: np.ndarray, scale: np.ndarray
) -> np.ndarray:
    if group.kind == REGRESSION:
        return block[..., 0].astype(np.float64) * scale + mean
    if group.kind == BINARY:
        return (block[..., 0] > 0).astype(np.float64)
    return block.argmax(axis=-1).astype(np.float64)


def probabilities(
    outputs: np.ndarray, layout: TaskLayout, data: TaskData, groups: Sequence[OutputGroup]
) -> list[np.ndarray | None]:
    """Return each task's class probabilities (n_t, n_classes), None for regression."""
    result: list[np.ndarray | None] = [None] * layout.n_tasks
    for group, t, column in _task_columns(groups):
        if group.kind == REGRESSION:
            continue
        if data.task_index is None:
            logits = outputs[:, column : column + group.width]
        else:
            logits = outputs[data.rows(t, observed=False), : group.width]
        logits = logits.astype(np.float64)
        if group.kind == BINARY:
            result[t] = np.column_stack([expit(-logits[:, 0]), expit(logits[:, 0])])
        else:
            result[t] = softmax(logits, axis=1)
    return result


def _task_columns(groups: Sequence[OutputGroup]) -> Iterator[tuple[OutputGroup, int, int]]:
    for group in groups:
        for place, t in enumerate(group.tasks):
            yield group, int(t), group.start + place * group.width
