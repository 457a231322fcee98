from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from sklearn_mtl.convex.datafits._centred_columns import CentredColumns
from sklearn_mtl.tasks import TaskData


class DesignRows(ABC):
    """Rows as a linear map from W to fitted values, each row scaled by the root of its weight.

    A task's rows have weights that sum to 1. Where intercepts are fitted, fitted values and
    targets are centred, task by task.

    Attributes
    ----------
    targets : ndarray
        Scaled labels, in the layout of fitted values: (n, T) for shared rows, (n,) for tagged.
    group : ndarray of shape (T,)
        Tasks of one group have the same rows with the same weights.
    x_mean : ndarray of shape (K, p)
        The mean of each group's rows; 0 where there are no intercepts.
    y_mean : ndarray of shape (T,)
    """

    targets: np.ndarray
    group: np.ndarray
    x_mean: np.ndarray
    y_mean: np.ndarray

    @abstractmethod
    def fitted(self, W: np.ndarray) -> np.ndarray:
        """Return the fitted values for W, in the layout of `targets`."""

    @abstractmethod
    def pull_back(self, values: np.ndarray) -> np.ndarray:
        """Return the adjoint of `fitted` at values of its range, shape (T, p)."""

    @abstractmethod
    def gram_block(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return rows and columns of the second moments, shape (K, len(rows), len(columns))."""

    @abstractmethod
    def largest_moments(self) -> np.ndarray:
        """Return upper bounds on the largest eigenvalue of each task's second moments."""

    @abstractmethod
    def moments(self) -> np.ndarray:
        """Return the diagonals of the second moments, shape (K, p)."""

    @abstractmethod
    def stacked(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return dense scaled rows (N, p), targets (N,) and tasks (N,) of all N labels."""

    @property
    @abstractmethod
    def n_labels(self) -> int:
        """How many labels there are, over all tasks: N."""

    @abstractmethod
    def of_task(self, task: int) -> "CompleteRows":
        """Return the rows of one task alone."""

    @abstractmethod
    def per_task(self, values: np.ndarray) -> np.ndarray:
        """Return the sums of an array in the layout of `targets` over each task's rows."""


class CompleteRows(DesignRows):
    """Shared rows with every label known, of one weight for all tasks.

    Parameters
    ----------
    columns : CentredColumns
    targets : ndarray of shape (n, T)
        Labels, centred and scaled as `columns` are.
    y_mean : ndarray of shape (T,)
    """

    def __init__(self, columns: CentredColumns, targets: np.ndarray, y_mean: np.ndarray) -> None:
        self.columns, self.targets, self.y_mean = columns, targets, y_mean
        self.x_mean = columns.mean[None]
        self.group = np.zeros(len(y_mean), dtype=int)

    @classmethod
    def of(cls, X: Any, labels: np.ndarray, weight: np.ndarray, *, centre: bool) -> "CompleteRows":
        """Return these rows, of weights (n,)."""
        share = weight / weight.sum()
        y_mean = share @ labels if centre else np.zeros(labels.shape[1])
        targets = np.sqrt(share)[:, None] * (labels - y_mean)
        return cls(CentredColumns(X, share, centre=centre), targets, y_mean)

    def fitted(self, W: np.ndarray) -> np.ndarray:
        """Return the fitted values for W, in the layout of `targets`."""
        return self.columns.times(W.T)

    def pull_back(self, values: np.ndarray) -> np.ndarray:
        """Return the adjoint of `fitted` at values of its range, shape (T, p)."""
        return self.columns.transposed_times(values).T

    def gram_block(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return rows and columns of the second moments, shape (1, len(rows), len(columns))."""
        return self.columns.gram_block(rows, columns)[None]

    def largest_moments(self) -> np.ndarray:
        """Return upper bounds on the largest eigenvalue of each task's second moments."""
        return np.full(len(self.group), self.columns.largest_moment())

    def moments(self) -> np.ndarray:
        """Return the diagonal of the second moments, shape (1, p)."""
        return self.columns.moments()

    def stacked(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return dense scaled rows (N, p), targets (N,) and tasks (N,) of all N labels."""
        n, n_tasks = self.targets.shape
        rows = np.tile(self.columns.dense(), (n_tasks, 1))
        return rows, self.targets.T.ravel(), np.repeat(np.arange(n_tasks), n)

    @property
    def n_labels(self) -> int:
        """How many labels there are, over all tasks."""
        return self.targets.size

    def of_task(self, task: int) -> "CompleteRows":
        """Return the rows of one task alone."""
        here = slice(task, task + 1)
        return CompleteRows(self.columns, self.targets[:, here], self.y_mean[here])

    def per_task(self, values: np.ndarray) -> np.ndarray:
        """Return the sums of an array in the layout of `targets` over each task's rows."""
        return values.sum(axis=0)


class MaskedRows(DesignRows):
    """Shared rows, of which each task has its own part or its own weights.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n, p)
    labels, weight : ndarray of shape (n, T)
        Labels are 0 where the weight is 0.
    """

    def __init__(self, X: Any, labels: np.ndarray, weight: np.ndarray, *, centre: bool) -> None:
        n, n_tasks = labels.shape
        distinct, self.group = np.unique(weight, axis=1, return_inverse=True)
        mass = distinct.sum(axis=0)
        self.share = distinct / np.where(mass > 0, mass, 1.0)  # of each group, (n, K)
        self.task_share = self.share[:, self.group]
        self.root_share = np.sqrt(self.task_share)
        self.centre = centre
        # the mean over all rows leaves small means of each part, which are taken out on the fly
        self.columns = CentredColumns(X, np.full(n, 1.0 / n), centre=centre)
        self.unscale = np.sqrt(n)
        part_mean = self.columns.transposed_times(self.share).T * self.unscale
        self.part_mean = part_mean if centre else np.zeros_like(part_mean)
        self.x_mean = self.columns.mean + self.part_mean
        self.y_mean = (self.task_share * labels).sum(axis=0) if centre else np.zeros(n_tasks)
        self.targets = self.root_share * (labels - self.y_mean)

    def fitted(self, W: np.ndarray) -> np.ndarray:
        """Return the fitted values for W, in the layout of `targets`."""
        values = self.columns.times(W.T) * self.unscale
        if self.centre:
            values -= (self.task_share * values).sum(axis=0)
        values *= self.root_share
        return values

    def pull_back(self, values: np.ndarray) -> np.ndarray:
        """Return the adjoint of `fitted` at values of its range, shape (T, p)."""
        # values of the range are centred: the means of X drop out
        return self.columns.transposed_times(values * self.root_share).T * self.unscale

    def gram_block(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return rows and columns of the second moments, shape (K, len(rows), len(columns))."""
        left, right = self.columns.columns(rows), self.columns.columns(columns)
        blocks = np.empty((self.share.shape[1], len(rows), len(columns)))
        for k, share in enumerate(self.share.T):
            part = np.flatnonzero(share)
            weight = share[part] * self.unscale**2
            blocks[k] = (left[part] * weight[:, None]).T @ right[part]
            blocks[k] -= np.outer(self.part_mean[k, rows], self.part_mean[k, columns])
        return blocks

    def largest_moments(self) -> np.ndarray:
        """Return upper bounds on the largest eigenvalue of each task's second moments."""
        heaviest = self.share.max(axis=0) * self.unscale**2
        return heaviest[self.group] * self.columns.largest_moment()

    def moments(self) -> np.ndarray:
        """Return the diagonals of the second moments, shape (K, p)."""
        whole = self.columns.moments(self.share * self.unscale**2)
        return np.maximum(whole - np.square(self.part_mean), 0.0)

    def stacked(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return dense scaled rows (N, p), targets (N,) and tasks (N,) of all N labels."""
        task, row = np.nonzero(self.task_share.T)
        rows = self.columns.dense(row) * self.unscale - self.part_mean[self.group[task]]
        rows *= self.root_share[row, task][:, None]
        return rows, self.targets[row, task], task

    @property
    def n_labels(self) -> int:
        """How many labels there are, over all tasks."""
        return int(np.count_nonzero(self.task_share))

    def of_task(self, task: int) -> CompleteRows:
        """Return the rows of one task alone."""
        here = slice(task, task + 1)
        part = np.flatnonzero(self.task_share[:, task])
        share = self.task_share[part, task]
        columns = CentredColumns(
            self.columns.matrix[part] * self.unscale, share, centre=self.centre
        )
        return CompleteRows(columns, self.targets[part, here], self.y_mean[here])

    def per_task(self, values: np.ndarray) -> np.ndarray:
        """Return the sums of an array in the layout of `targets` over each task's rows."""
        return values.sum(axis=0)


class TaggedRows(DesignRows):
    """Rows that belong to one task each.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n, p)
    data : TaskData
        With labels and a task index.
    """

    def __init__(self, X: Any, data: TaskData, *, centre: bool) -> None:
        n_tasks, p = data.n_tasks, X.shape[1]
        self.parts, targets = [], []
        self.group, self.y_mean = np.arange(n_tasks), np.zeros(n_tasks)
        self.x_mean = np.zeros((n_tasks, p))
        for t in range(n_tasks):
            rows = data.rows(t)
            weight = np.ones(len(rows)) if data.weights is None else data.weights[rows]
            share = weight / max(weight.sum(), np.finfo(float).tiny)
            part = CentredColumns(X[rows], share, centre=centre)
            y = data.labels[rows]  # type: ignore[index]
            self.y_mean[t] = share @ y if centre else 0.0
            self.x_mean[t] = part.mean
            self.parts.append(part)
            targets.append(np.sqrt(share) * (y - self.y_mean[t]))
        self.bounds = np.cumsum([0] + [len(y) for y in targets])
        self.targets = np.concatenate(targets)

    def fitted(self, W: np.ndarray) -> np.ndarray:
        """Return the fitted values for W, in the layout of `targets`."""
        values = [part.times(w[:, None])[:, 0] for part, w in zip(self.parts, W, strict=True)]
        return np.concatenate(values)

    def pull_back(self, values: np.ndarray) -> np.ndarray:
        """Return the adjoint of `fitted` at values of its range, shape (T, p)."""
        pieces = np.split(values, self.bounds[1:-1])
        return np.array(
            [
                part.transposed_times(piece[:, None])[:, 0]
                for part, piece in zip(self.parts, pieces, strict=True)
            ]
        )

    def gram_block(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return rows and columns of the second moments, shape (T, len(rows), len(columns))."""
        return np.array([part.gram_block(rows, columns) for part in self.parts])

    def largest_moments(self) -> np.ndarray:
        """Return upper bounds on the largest eigenvalue of each task's second moments."""
        return np.array([part.largest_moment() for part in self.parts])

    def moments(self) -> np.ndarray:
        """Return the diagonals of the second moments, shape (T, p)."""
        return np.concatenate([part.moments() for part in self.parts])

    def stacked(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return dense scaled rows (N, p), targets (N,) and tasks (N,) of all N labels."""
        rows = np.concatenate([part.dense() for part in self.parts])
        return rows, self.targets, np.repeat(np.arange(len(self.parts)), np.diff(self.bounds))

    @property
    def n_labels(self) -> int:
        """How many labels there are, over all tasks."""
        return len(self.targets)

    def of_task(self, task: int) -> CompleteRows:
        """Return the rows of one task alone."""
        targets = self.targets[self.bounds[task] : self.bounds[task + 1], None]
        return CompleteRows(self.parts[task], targets, self.y_mean[task : task + 1])

    def per_task(self, values: np.ndarray) -> np.ndarray:
        """Return the sums of an array in the layout of `targets` over each task's rows."""
        return np.array([piece.sum() for piece in np.split(values, self.bounds[1:-1])])
