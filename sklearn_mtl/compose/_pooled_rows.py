"""The labels of all tasks as the rows of one problem: a row for each label."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from scipy import sparse
from sklearn.utils import _safe_indexing, check_array
from sklearn.utils.validation import _check_method_params

from sklearn_mtl.tasks import TaskData, TaskLayout
from sklearn_mtl.tasks._column import is_frame


@dataclass(frozen=True, eq=False)
class PooledRows:
    """The N observed labels, task after task; in long form in the order of the caller's rows.

    Attributes
    ----------
    data : TaskData
        Encoded with labels.
    rows : ndarray of shape (N,)
        The row of `data` that each label is of.
    task_index : ndarray of shape (N,)
        Its task.
    """

    data: TaskData
    rows: np.ndarray
    task_index: np.ndarray

    def at(self, values: np.ndarray) -> np.ndarray:
        """Return entries of an array shaped like the labels, shape (N,)."""
        return values[self.rows, self.task_index] if values.ndim == 2 else values[self.rows]

    def inputs(self) -> Any:
        """Return the row of X of each label, in the caller's type."""
        data = self.data
        if isinstance(data.X, list) and data.task_index is not None:
            return joined([data.inputs(t, data.rows(t)) for t in range(data.n_tasks)])
        if np.array_equal(self.rows, np.arange(data.n_rows)):
            return data.X
        return _safe_indexing(data.X, self.rows)

    def metadata(self, layout: TaskLayout, params: dict[str, Any]) -> dict[str, Any]:
        """Return metadata of ``fit`` in which what has an entry a row of X has one a label."""
        data = self.data
        if isinstance(data.X, list) and data.task_index is not None:
            X: Any = np.empty((data.n_rows, 0))
            params = {key: _joined_by_task(layout, value) for key, value in params.items()}
        else:
            X = data.X
        return _check_method_params(X, params, indices=self.rows) if params else {}


def pooled_rows(data: TaskData) -> PooledRows:
    """Return the observed labels of `data` as rows of one problem."""
    assert data.observed is not None  # encoded with y
    if data.task_index is not None:
        rows = np.flatnonzero(data.observed)
        return PooledRows(data, rows, data.task_index[rows])
    task_index, rows = np.nonzero(data.observed.T)
    return PooledRows(data, rows, task_index)


def joined(parts: Sequence[Any]) -> Any:
    """Return the rows of several X of the same features, one after another."""
    if is_frame(parts[0]):
        if hasattr(parts[0], "iloc"):
            import pandas as pd

            return pd.concat(parts)
        frames = [nw.from_native(part, eager_only=True) for part in parts]
        return nw.concat(frames, how="vertical").to_native()
    if any(sparse.issparse(part) for part in parts):
        return sparse.vstack(parts, format="csr")
    arrays = [
        check_array(part, dtype=None, ensure_all_finite=False, ensure_min_samples=0)
        for part in parts
    ]
    return np.concatenate(arrays)


def _joined_by_task(layout: TaskLayout, value: Any) -> Any:
    if isinstance(value, Mapping) and set(layout.names) <= set(value):
        return np.concatenate([np.asarray(value[name]) for name in layout.names])
    return value
