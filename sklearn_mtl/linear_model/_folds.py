"""What a split trains on and holds out: merges of statistics, or rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_mtl.convex import GramStats
from sklearn_mtl.convex._reduce import Intercept
from sklearn_mtl.convex.datafits import DesignQuadratic, QuadraticDatafit
from sklearn_mtl.linear_model._splits import Split
from sklearn_mtl.tasks import TaskData


@dataclass(frozen=True, eq=False)
class CellStats:
    """Training and held-out statistics as merges of those of cells."""

    splits: dict[int, tuple[list[int], list[int]]]
    cells: list[GramStats]

    def parts(self, number: int) -> tuple[GramStats, GramStats]:
        """Return what split `number` trains on and what it holds out."""
        train, test = self.splits[number]
        merge = GramStats.merge_all
        return merge([self.cells[c] for c in train]), merge([self.cells[c] for c in test])


def take_rows(X: Any, data: TaskData, rows: np.ndarray) -> tuple[Any, TaskData]:
    """Return some rows: their numbers and their labels.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n, p)
        The numbers of the rows of `data`, in its order.
    data : TaskData
        With labels.
    rows : ndarray of int
        May hold a row twice, which then counts twice.
    """
    consecutive = len(rows) > 0 and bool((np.diff(rows) == 1).all())
    chosen = slice(rows[0], rows[-1] + 1) if consecutive else rows  # a slice copies nothing

    def of(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else values[chosen]

    part = X[chosen]
    return part, TaskData(
        part,
        len(rows),
        data.n_tasks,
        of(data.task_index),
        None,
        of(data.labels),
        of(data.observed),
        of(data.weights),
    )


@dataclass(frozen=True, eq=False)
class RowPart:
    """Rows where Gram matrices would not fit, asked as `GramStats` are."""

    X: Any
    data: TaskData

    @property
    def count(self) -> np.ndarray:
        """Observed labels of each task, shape (T,)."""
        return self.data.per_task(self.data.observed)  # type: ignore[arg-type]

    @property
    def task_mass(self) -> np.ndarray:
        """Sum of weights of each task's labels, shape (T,)."""
        return self.data.per_task(self._weight)

    @property
    def _weight(self) -> np.ndarray:
        weights = 1.0 if self.data.weights is None else self.data.weights
        return np.where(self.data.observed, weights, 0.0)  # type: ignore[arg-type]

    def mean_squared_error(self, W: np.ndarray, intercept: np.ndarray) -> np.ndarray:
        """Return each task's weighted mean squared error, shape (T,); NaN where it has no label."""
        data = self.data
        if data.task_index is None:
            fitted = self.X @ W.T + intercept
        else:
            fitted = np.empty(data.n_rows)
            for t, rows in enumerate(data.groups):
                fitted[rows] = self.X[rows] @ W[t] + intercept[t]
        square = np.where(data.observed, np.square(data.labels - fitted), 0.0)  # type: ignore[arg-type]
        mass = self.task_mass
        total = data.per_task(self._weight * square)
        return np.where(mass > 0, total / np.where(mass > 0, mass, 1.0), np.nan)


def loss_of(
    part: GramStats | RowPart, task_weight: np.ndarray, fit_intercept: bool
) -> tuple[QuadraticDatafit, Intercept]:
    """Return the squared loss, in which tasks without labels have no part, and its intercepts."""
    if isinstance(part, GramStats):
        return part.datafit(task_weight, fit_intercept=fit_intercept), part.intercept
    weight = np.where(part.count > 0, task_weight, 0.0)
    loss = DesignQuadratic(part.X, part.data, weight, fit_intercept=fit_intercept)
    return loss, loss.intercept


@dataclass(frozen=True, eq=False)
class RowSplits:
    """Training and held-out rows."""

    X: Any
    data: TaskData
    splits: Sequence[Split]

    def parts(self, number: int) -> tuple[RowPart, RowPart]:
        """Return what split `number` trains on and what it holds out."""
        train, test = (RowPart(*take_rows(self.X, self.data, rows)) for rows in self.splits[number])
        return train, test
