from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing


@dataclass(frozen=True, eq=False)
class TaskData:
    """What an engine is given: rows, encoded labels and which of them are observed.

    Rows are either *shared* (one row, a label for each task) or *tagged* (one row, one task: long
    form, and own X for each task).

    Attributes
    ----------
    X : array-like of shape (n, p), or list of array-like (n_t, p_t)
        The caller's rows, not converted; a list in task order where every task has its own X.
    n_rows : int
        n; the total over tasks where every task has its own X.
    n_tasks : int
        T.
    task_index : ndarray of shape (n,) or None
        The task of each row; None where rows are shared.
    index : object or None
        The row index of a pandas X, for predictions to carry.
    labels : ndarray of shape (n, T) or (n,), float64, or None
        Values, or class numbers. Entries that are not observed hold 0 and mean nothing.
    observed : ndarray of the shape of `labels`, bool, or None
        Where a label is known and has positive weight.
    weights : ndarray of the shape of `labels`, or None
        Sample weights, None where every label counts 1.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl.tasks import infer_layout
    >>> X, y = np.arange(6.0).reshape(3, 2), {"price": [1.5, None, 2.0], "size": [3.0, 4.0, 5.0]}
    >>> data = infer_layout(X, y).encode(X, y)
    >>> rows = data.rows(0)
    >>> rows, data.inputs(0, rows)
    (array([0, 2]), array([[0., 1.],
           [4., 5.]]))
    >>> data.column(data.labels, 0, rows)
    array([1.5, 2. ])
    >>> data.per_task(data.observed)
    array([2, 3])
    """

    X: Any
    n_rows: int
    n_tasks: int
    task_index: np.ndarray | None = None
    index: Any = None
    labels: np.ndarray | None = None
    observed: np.ndarray | None = None
    weights: np.ndarray | None = None

    @cached_property
    def groups(self) -> list[np.ndarray]:
        """For tagged rows, the row numbers of each task, present or observed alike."""
        return group_rows(self.task_index, self.n_tasks)  # type: ignore[arg-type]

    @cached_property
    def _offsets(self) -> np.ndarray:
        return np.searchsorted(self.task_index, np.arange(self.n_tasks))  # type: ignore[arg-type]

    def with_labels(
        self, labels: np.ndarray, observed: np.ndarray, weights: np.ndarray | None = None
    ) -> "TaskData":
        """Return the same rows with labels."""
        data = replace(self, labels=labels, observed=observed, weights=weights)
        if "groups" in self.__dict__:  # sorting a million rows once is enough
            data.__dict__["groups"] = self.groups
        return data

    def rows(self, task: int, *, observed: bool = True) -> np.ndarray:
        """Return the numbers of the rows on which `task` is observed (or merely present)."""
        if self.task_index is None:
            if observed and self.observed is not None:
                return np.flatnonzero(self.observed[:, task])
            return np.arange(self.n_rows)
        present = self.groups[task]
        if observed and self.observed is not None:
            return present[self.observed[present]]
        return present

    def inputs(self, task: int, rows: np.ndarray) -> Any:
        """Return the caller's X at those rows, in the caller's type."""
        if isinstance(self.X, list) and self.task_index is not None:
            return _safe_indexing(self.X[task], rows - self._offsets[task])
        if len(rows) == self.n_rows and self.task_index is None:
            return self.X
        return _safe_indexing(self.X, rows)

    def column(self, values: np.ndarray, task: int, rows: np.ndarray) -> np.ndarray:
        """Return entries of an array shaped like `labels`, for one task at `rows`."""
        return values[rows, task] if values.ndim == 2 else values[rows]

    def per_task(self, row_values: np.ndarray) -> np.ndarray:
        """Return the sum of an array shaped like `labels` over each task's rows, shape (T,)."""
        if self.task_index is None:
            return row_values.sum(axis=0)
        return np.bincount(self.task_index, weights=row_values, minlength=self.n_tasks)


def group_rows(codes: np.ndarray, n_groups: int) -> list[np.ndarray]:
    """Return, for each code, the ascending numbers of the rows that have it."""
    # radix sort, which numpy has for 16 bits, is several times faster than merging
    narrow = codes.astype(np.uint16) if n_groups <= 2**16 else codes
    order = np.argsort(narrow, kind="stable")
    return np.split(order, np.searchsorted(codes[order], np.arange(1, n_groups)))
