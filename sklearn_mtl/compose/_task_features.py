"""The task of each row, written as features beside those of X."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks._column import column_names, is_frame
from sklearn_mtl.utils._validation import listing


@dataclass(frozen=True)
class TaskFeatures:
    """The columns that say which task a row belongs to; the last of the pooled X.

    Attributes
    ----------
    n_tasks : int
        T.
    is_onehot : bool
        Whether there is a column for each task, rather than one that holds task numbers.
    names : tuple of str
        What the columns are called in frames.
    """

    n_tasks: int
    is_onehot: bool
    names: tuple[str, ...]

    def beside(self, X: Any, task_index: np.ndarray) -> Any:
        """Return X with the columns of the tasks, in the type of X.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n, p)
        task_index : ndarray of shape (n,)
        """
        if is_frame(X):
            return self._beside_frame(X, task_index)
        X = check_array(
            X, accept_sparse=True, dtype=None, ensure_all_finite=False, ensure_min_samples=0
        )
        if sparse.issparse(X):
            return self._beside_sparse(X, task_index)
        n_rows, n_features = X.shape
        # one allocation, which is most of the memory where tasks are many
        pooled = np.zeros((n_rows, n_features + len(self.names)), self._dtype(X.dtype))
        pooled[:, :n_features] = X
        if self.is_onehot:
            pooled[np.arange(n_rows), n_features + task_index] = 1
        else:
            pooled[:, n_features] = task_index
        return pooled

    def _dtype(self, dtype: np.dtype) -> np.dtype:
        """Return the narrowest dtype that holds X and what the tasks' columns hold, exactly."""
        if dtype.kind not in "fiub":
            return np.dtype(object)
        return np.result_type(dtype, np.min_scalar_type(1 if self.is_onehot else self.n_tasks - 1))

    def _columns(self, task_index: np.ndarray) -> list[np.ndarray]:
        if self.is_onehot:
            return [(task_index == t).astype(np.uint8) for t in range(self.n_tasks)]
        return [task_index.astype(np.min_scalar_type(self.n_tasks - 1))]

    def _beside_sparse(self, X: Any, task_index: np.ndarray) -> Any:
        n_rows = len(task_index)
        make = sparse.csr_array if isinstance(X, sparse.sparray) else sparse.csr_matrix
        # estimators may take 32-bit indices alone
        columns = task_index if self.is_onehot else np.zeros(n_rows)
        values = np.ones(n_rows) if self.is_onehot else task_index
        own = make(
            (
                values.astype(self._dtype(X.dtype)),
                columns.astype(X.indices.dtype),
                np.arange(n_rows + 1, dtype=X.indices.dtype),
            ),
            shape=(n_rows, len(self.names)),
        )
        return sparse.hstack([X, own], format="csr")

    def _beside_frame(self, X: Any, task_index: np.ndarray) -> Any:
        present = column_names(X)
        named = all(isinstance(name, str) for name in present)
        # scikit-learn wants names that are all strings, or none of them
        names = self.names if named else range(len(present), len(present) + len(self.names))
        taken = [name for name in names if name in present]
        if taken:
            raise TaskLayoutError(
                f"X already has the column(s) {listing(taken)}, where the tasks are to be written; "
                "rename them."
            )
        columns = dict(zip(names, self._columns(task_index), strict=True))
        if hasattr(X, "iloc"):
            import pandas as pd

            return pd.concat([X, pd.DataFrame(columns, index=X.index)], axis=1)
        frame = nw.from_native(X, eager_only=True)
        series = [
            nw.new_series(str(name), values, backend=frame.implementation)
            for name, values in columns.items()
        ]
        return frame.with_columns(*series).to_native()


def task_features(names: Sequence[Any], task_encoding: str, prefix: str) -> TaskFeatures:
    """Return the columns for tasks of those names, as `task_encoding` asks.

    Parameters
    ----------
    names : sequence of T names
    task_encoding : {"onehot", "ordinal"}
    prefix : str
        What frames call the task column, or the columns of tasks before their names.
    """
    if task_encoding == "ordinal":
        return TaskFeatures(len(names), False, (prefix,))
    columns = tuple(f"{prefix}_{name}" for name in names)
    if len(set(columns)) < len(columns):
        raise TaskLayoutError(
            f"The tasks {listing(names)} do not all differ when written as text, as columns of X "
            "are named; rename those that are alike."
        )
    return TaskFeatures(len(names), True, columns)
