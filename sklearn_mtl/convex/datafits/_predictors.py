"""Linear predictors of several tasks over shared rows, over observed entries, or over own rows."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from copy import copy
from typing import Self

import numpy as np

from sklearn_mtl.convex.datafits._rows_of_x import CentredRows


class Predictors(ABC):
    """The map from weights (T, K, p) of T tasks with K outputs to predictors (S, K, n).

    Over shared rows S = T. Else S = 1 and the n entries are those of the tasks one after another,
    of which `counts` are each task's. Arrays by entry broadcast against (S, K, n).
    """

    n_tasks: int
    n_features: int

    @abstractmethod
    def forward(self, W: np.ndarray) -> np.ndarray:
        """Return the predictors, without intercepts."""

    @abstractmethod
    def adjoint(self, R: np.ndarray) -> np.ndarray:
        """Return ``sum_i r_tki x_ti``, shape (T, K, p)."""

    @abstractmethod
    def select(self, values: np.ndarray) -> np.ndarray:
        """Return entries of an array shaped like ``TaskData.labels``, shape (S, 1, n)."""

    @abstractmethod
    def total(self, values: np.ndarray) -> np.ndarray:
        """Return the sum over each task's entries, shape (T, K)."""

    @abstractmethod
    def spread(self, values: np.ndarray) -> np.ndarray:
        """Return each task's values (T, K) at its entries."""

    @abstractmethod
    def products(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return ``sum_i l_ki r_li`` over each task's entries, shape (T, K, K)."""

    @abstractmethod
    def grams(self, weight: np.ndarray, *, centre: bool = True) -> np.ndarray:
        """Return each row's Gram matrix with these weights, shape (T, K, p, p).

        About the means with the same weights, or about `centres`.
        """

    @abstractmethod
    def pooled_gram(self, weight: np.ndarray) -> np.ndarray:
        """Return the sum over tasks of Gram matrices with weights (S, 1, n), shape (p, p)."""

    @abstractmethod
    def pooled_moments(self, weight: np.ndarray) -> np.ndarray:
        """Return the diagonal of ``pooled_gram(weight)``, shape (p,)."""

    @abstractmethod
    def largest_eigenvalue(self, weight: np.ndarray) -> float:
        """Return a bound on the eigenvalues of all ``grams(weight)``, weights (S, 1, n)."""

    @abstractmethod
    def columns(self, features: np.ndarray) -> Self:
        """Return the predictors of weights of these features alone."""

    @abstractmethod
    def centres(self) -> np.ndarray:
        """Return what was taken out of each task's rows, shape (T, p) or (1, p)."""


class SharedRows(Predictors):
    """All tasks on all rows: one product with X for all of them."""

    def __init__(self, rows: CentredRows, tasks: np.ndarray) -> None:
        self.rows, self.tasks = rows, tasks
        self.n_tasks, self.n_features = len(tasks), rows.shape[1]

    def forward(self, W: np.ndarray) -> np.ndarray:
        """Return the predictors, without intercepts."""
        return self.rows.forward(W.reshape(-1, self.n_features)).reshape(*W.shape[:2], -1)

    def adjoint(self, R: np.ndarray) -> np.ndarray:
        """Return ``sum_i r_tki x_i``."""
        return self.rows.adjoint(R.reshape(-1, R.shape[-1])).reshape(*R.shape[:2], -1)

    def select(self, values: np.ndarray) -> np.ndarray:
        """Return the tasks' columns as rows."""
        return np.ascontiguousarray(values[:, self.tasks].T)[:, None, :]

    def total(self, values: np.ndarray) -> np.ndarray:
        """Return the sum over rows."""
        if values.shape[-1] == 1:
            return values[:, :, 0] * self.rows.shape[0]
        return values.sum(axis=-1)

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Return each task's values, to be broadcast."""
        return values[:, :, None]

    def products(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return ``sum_i l_ki r_li``."""
        return left @ right.transpose(0, 2, 1)

    def grams(self, weight: np.ndarray, *, centre: bool = True) -> np.ndarray:
        """Return each row's Gram matrix with these weights."""
        n, p = self.rows.shape
        flat = np.broadcast_to(weight, (*weight.shape[:2], n)).reshape(-1, n)
        grams = [self.rows.gram(s, centre=centre) for s in flat]
        return np.array(grams).reshape(*weight.shape[:2], p, p)

    def pooled_gram(self, weight: np.ndarray) -> np.ndarray:
        """Return the Gram matrix with the sum of the tasks' weights."""
        return self.rows.gram(self._summed(weight))

    def pooled_moments(self, weight: np.ndarray) -> np.ndarray:
        """Return the diagonal of ``pooled_gram(weight)``."""
        return self.rows.second_moments(self._summed(weight))

    def _summed(self, weight: np.ndarray) -> np.ndarray:
        return np.broadcast_to(weight.sum(axis=(0, 1)), self.rows.shape[:1])

    def largest_eigenvalue(self, weight: np.ndarray) -> float:
        """Return a bound on the eigenvalues of all tasks' Gram matrices."""
        n = self.rows.shape[0]
        if weight.shape[-1] == 1:
            return self.rows.largest_eigenvalue(np.ones(n)) * float(weight.max(initial=0.0))
        return _largest([(self.rows, s) for s in weight[:, 0, :]])

    def columns(self, features: np.ndarray) -> Self:
        """Return the predictors of weights of these features alone."""
        part = copy(self)
        part.rows, part.n_features = self.rows.columns(features), len(features)
        return part

    def centres(self) -> np.ndarray:
        """Return the mean of the rows."""
        return self.rows.mean[None]


class ObservedEntries(SharedRows):
    """Shared rows of which each task knows some: one product, then the observed are selected."""

    def __init__(self, rows: CentredRows, tasks: np.ndarray, observed: np.ndarray) -> None:
        super().__init__(rows, tasks)
        self.observed = np.ascontiguousarray(observed[:, tasks].T)
        self.segments = _Segments(self.observed.sum(axis=1))

    def forward(self, W: np.ndarray) -> np.ndarray:
        """Return the predictors of observed entries."""
        full = super().forward(W)
        outputs = [full[:, k][self.observed] for k in range(W.shape[1])]
        return np.stack(outputs)[None]

    def adjoint(self, R: np.ndarray) -> np.ndarray:
        """Return ``sum_i r_tki x_i`` over observed entries."""
        return super().adjoint(self._scatter(R))

    def _scatter(self, values: np.ndarray) -> np.ndarray:
        full = np.zeros((self.n_tasks, values.shape[1], self.observed.shape[1]))
        for k in range(values.shape[1]):
            full[:, k][self.observed] = values[0, k]
        return full

    def select(self, values: np.ndarray) -> np.ndarray:
        """Return observed entries, task after task."""
        return values[:, self.tasks].T[self.observed][None, None, :]

    def total(self, values: np.ndarray) -> np.ndarray:
        """Return the sum over each task's observed entries."""
        return self.segments.total(values)

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Return each task's values at its observed entries."""
        return self.segments.spread(values)

    def products(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return ``sum_i l_ki r_li`` over each task's observed entries."""
        return self.segments.products(left, right)

    def grams(self, weight: np.ndarray, *, centre: bool = True) -> np.ndarray:
        """Return each row's Gram matrix with these weights."""
        return super().grams(self._scatter(weight), centre=centre)

    def pooled_gram(self, weight: np.ndarray) -> np.ndarray:
        """Return the Gram matrix with the sum of the tasks' weights."""
        return super().pooled_gram(self._scatter(weight))

    def pooled_moments(self, weight: np.ndarray) -> np.ndarray:
        """Return the diagonal of ``pooled_gram(weight)``."""
        return super().pooled_moments(self._scatter(weight))

    def largest_eigenvalue(self, weight: np.ndarray) -> float:
        """Return a bound on the eigenvalues of all tasks' Gram matrices."""
        return super().largest_eigenvalue(self._scatter(weight))


class OwnRows(Predictors):
    """Each task on rows of its own, centred by their own mean."""

    def __init__(self, parts: Sequence[CentredRows], numbers: Sequence[np.ndarray]) -> None:
        self.parts, self.numbers = parts, np.concatenate(numbers)
        self.n_tasks, self.n_features = len(parts), parts[0].shape[1]
        self.segments = _Segments(np.array([len(rows) for rows in numbers]))

    def forward(self, W: np.ndarray) -> np.ndarray:
        """Return the predictors, task after task."""
        out = np.empty((1, W.shape[1], len(self.numbers)))
        for part, w, here in zip(self.parts, W, self.segments.slices, strict=True):
            out[0, :, here] = part.forward(w)
        return out

    def adjoint(self, R: np.ndarray) -> np.ndarray:
        """Return ``sum_i r_tki x_ti``."""
        out = np.empty((self.n_tasks, R.shape[1], self.n_features))
        for t, (part, here) in enumerate(zip(self.parts, self.segments.slices, strict=True)):
            out[t] = part.adjoint(R[0, :, here])
        return out

    def select(self, values: np.ndarray) -> np.ndarray:
        """Return the entries of a task's own rows, task after task."""
        return values[self.numbers][None, None, :]

    def total(self, values: np.ndarray) -> np.ndarray:
        """Return the sum over each task's rows."""
        return self.segments.total(values)

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Return each task's values at its rows."""
        return self.segments.spread(values)

    def products(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return ``sum_i l_ki r_li`` over each task's rows."""
        return self.segments.products(left, right)

    def grams(self, weight: np.ndarray, *, centre: bool = True) -> np.ndarray:
        """Return each row's Gram matrix with these weights."""
        return np.array(
            [
                [part.gram(s, centre=centre) for s in weight[0, :, here]]
                for part, here in zip(self.parts, self.segments.slices, strict=True)
            ]
        )

    def pooled_gram(self, weight: np.ndarray) -> np.ndarray:
        """Return the sum of the tasks' Gram matrices."""
        gram = np.zeros((self.n_features, self.n_features))
        for part, here in zip(self.parts, self.segments.slices, strict=True):
            gram += part.gram(weight[0, 0, here])
        return gram

    def pooled_moments(self, weight: np.ndarray) -> np.ndarray:
        """Return the diagonal of ``pooled_gram(weight)``."""
        moments = np.zeros(self.n_features)
        for part, here in zip(self.parts, self.segments.slices, strict=True):
            moments += part.second_moments(weight[0, 0, here])
        return moments

    def largest_eigenvalue(self, weight: np.ndarray) -> float:
        """Return a bound on the eigenvalues of all tasks' Gram matrices."""
        slices = self.segments.slices
        pairs = zip(self.parts, slices, strict=True)
        return _largest([(part, weight[0, 0, here]) for part, here in pairs])

    def columns(self, features: np.ndarray) -> Self:
        """Return the predictors of weights of these features alone."""
        part = copy(self)
        part.parts = [rows.columns(features) for rows in self.parts]
        part.n_features = len(features)
        return part

    def centres(self) -> np.ndarray:
        """Return the mean of each task's rows."""
        return np.array([part.mean for part in self.parts])


class ColumnsOfOwnRows(OwnRows):
    """Shared rows of which each task knows few: a copy of X for each task's rows."""

    def __init__(
        self, parts: Sequence[CentredRows], numbers: Sequence[np.ndarray], tasks: np.ndarray
    ) -> None:
        super().__init__(parts, numbers)
        self.entries = np.repeat(tasks, [len(rows) for rows in numbers])

    def select(self, values: np.ndarray) -> np.ndarray:
        """Return observed entries, task after task."""
        return values[self.numbers, self.entries][None, None, :]


class _Segments:
    """Entries of tasks one after another, none of them empty."""

    def __init__(self, counts: np.ndarray) -> None:
        ends = np.cumsum(counts)
        self.counts, self.starts = counts, ends - counts
        self.slices = [slice(a, b) for a, b in zip(self.starts, ends, strict=True)]

    def total(self, values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values[0], self.starts, axis=-1).T

    def spread(self, values: np.ndarray) -> np.ndarray:
        return np.repeat(values.T, self.counts, axis=1)[None]

    def products(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        left, right = left[0], right[0]
        return np.array([left[:, here] @ right[:, here].T for here in self.slices])


def _largest(pairs: list[tuple[CentredRows, np.ndarray]]) -> float:
    # the trace bounds an eigenvalue: most tasks need no decomposition
    traces = np.array([rows.trace(weight) for rows, weight in pairs])
    largest = 0.0
    for t in np.argsort(-traces):
        if traces[t] <= largest:
            break
        rows, weight = pairs[t]
        largest = max(largest, rows.largest_eigenvalue(weight))
    return largest
