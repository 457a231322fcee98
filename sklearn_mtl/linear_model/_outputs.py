from collections.abc import Sequence
from typing import Any

import numpy as np

from sklearn_mtl.convex import CoefRows
from sklearn_mtl.tasks import TaskData
from sklearn_mtl.tasks._outputs import OutputGroup


def linear_outputs(
    X: Any,
    data: TaskData,
    coef: np.ndarray,
    intercept: np.ndarray,
    rows: CoefRows,
    groups: Sequence[OutputGroup],
) -> np.ndarray:
    """Return ``x . w + b``, in the columns that `groups` describes.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n, p)
    data : TaskData
    coef : ndarray of shape (M, p)
    intercept : ndarray of shape (M,)
    rows : CoefRows
        Whose weights the rows of `coef` are.
    groups : sequence of OutputGroup

    Returns
    -------
    outputs : ndarray of shape (n, M), or (n, widest task) where a row has one task
    """
    if data.task_index is None:
        order = output_order(rows, groups)
        return X @ coef[order].T + intercept[order]
    first = _first_rows(rows)
    outputs = np.zeros((data.n_rows, max(group.width for group in groups)), dtype=coef.dtype)
    for group in groups:
        for t in group.tasks:
            here, mine = data.groups[t], slice(first[t], first[t] + group.width)
            outputs[here, : group.width] = X[here] @ coef[mine].T + intercept[mine]
    return outputs


def output_order(rows: CoefRows, groups: Sequence[OutputGroup]) -> np.ndarray:
    """Return which row of the weights each output is made with, shape (M,)."""
    first = _first_rows(rows)
    return np.concatenate(
        [(first[group.tasks][:, None] + np.arange(group.width)).ravel() for group in groups]
    )


def _first_rows(rows: CoefRows) -> np.ndarray:
    return np.searchsorted(rows.task, np.arange(rows.n_tasks))
