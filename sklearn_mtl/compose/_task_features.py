"""The task of each row, written as features beside those of X."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from sklearn_mtl.compose._append_columns import append_columns
from sklearn_mtl.exceptions import TaskLayoutError
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
        return append_columns(X, self._columns(task_index), self.names)

    def _columns(self, task_index: np.ndarray) -> Any:
        """Return the columns, in the narrowest dtype that holds them exactly."""
        if not self.is_onehot:
            return task_index[:, np.newaxis].astype(np.min_scalar_type(self.n_tasks - 1))
        n_rows = len(task_index)
        # estimators may take 32-bit indices alone
        places = task_index.astype(np.int32), np.arange(n_rows + 1, dtype=np.int32)
        return sparse.csr_matrix((np.ones(n_rows, np.uint8), *places), shape=(n_rows, self.n_tasks))


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
