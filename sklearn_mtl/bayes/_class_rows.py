from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import issparse

from sklearn_mtl.bayes._class_likelihood import ClassLikelihood
from sklearn_mtl.bayes._likelihood import QuadraticLikelihood
from sklearn_mtl.bayes._standardization import Standardization
from sklearn_mtl.tasks import TaskData

MOST_NUMBERS = 2**20  # of one part of the rows: 8 MiB
PADDING = 1.25  # the most rows of a task of a part, to the fewest


@dataclass(frozen=True, eq=False)
class ClassRows:
    """Labelled rows of tasks with the same classes, in standard coordinates.

    The predictors of a row z of task t are ``a_k = z . v_tk`` for its K outputs; coefficients v_t,
    of shape (d,), are those of the first output, then of the second.

    Attributes
    ----------
    X : ndarray or sparse matrix of shape (n, p)
        In the caller's coordinates.
    coordinates : Standardization
    rows : list of T ndarrays of shape (n_t,)
        The labelled rows of each task.
    labels : list of T ndarrays of shape (n_t,)
        Class numbers.
    weights : list of T ndarrays of shape (n_t,)
        How often each label counts.
    likelihood : ClassLikelihood
    """

    X: Any
    coordinates: Standardization
    rows: list[np.ndarray]
    labels: list[np.ndarray]
    weights: list[np.ndarray]
    likelihood: ClassLikelihood

    @classmethod
    def of(
        cls,
        X: Any,
        data: TaskData,
        tasks: np.ndarray,
        likelihood: ClassLikelihood,
        coordinates: Standardization,
    ) -> "ClassRows":
        """Return the labelled rows of some tasks.

        Parameters
        ----------
        X : ndarray or sparse matrix of shape (n, p)
            The numbers of the rows of `data`, in its order.
        data : TaskData
            With labels.
        tasks : ndarray of shape (T,)
            Their numbers in `data`.
        likelihood : ClassLikelihood
        coordinates : Standardization
        """
        rows = [data.rows(t) for t in tasks]
        pairs = list(zip(tasks, rows, strict=True))
        labels = [data.column(data.labels, t, mine) for t, mine in pairs]  # type: ignore[arg-type]
        if data.weights is None:
            weights = [np.ones(len(mine)) for mine in rows]
        else:
            weights = [data.column(data.weights, t, mine) for t, mine in pairs]
        return cls(X, coordinates, rows, labels, weights, likelihood)

    @property
    def n_tasks(self) -> int:
        """Number of tasks, T."""
        return len(self.rows)

    @property
    def n_coefficients(self) -> int:
        """Coefficients of a task, d."""
        width = self.X.shape[1] + self.coordinates.fit_intercept
        return self.likelihood.n_outputs * width

    @cached_property
    def mass(self) -> np.ndarray:
        """Labels of each task, repetitions counted, shape (T,)."""
        return np.array([weight.sum() for weight in self.weights])

    @cached_property
    def _standard(self) -> np.ndarray:
        return self.coordinates.rows(np.asarray(self.X, dtype=np.float64))

    @cached_property
    def _parts(self) -> list["_Part"]:
        """All labelled rows, in parts of tasks with about as many of them."""
        count = np.array([len(mine) for mine in self.rows])
        most = max(1, MOST_NUMBERS // self.X.shape[1])
        parts, together = list[_Part](), list[int]()
        for t in np.argsort(count, kind="stable"):
            larger = together and count[t] > PADDING * count[together[0]] + 4
            if larger or (len(together) + 1) * count[t] > most:
                parts += self._padded(together, most)
                together = []
            together.append(int(t))
        return [*parts, *self._padded(together, most)]

    def _padded(self, tasks: list[int], most: int) -> Iterator["_Part"]:
        longest = max((len(self.rows[t]) for t in tasks), default=0)
        for start in range(0, longest, most):
            stop = min(start + most, longest)
            yield _Part(
                np.array(tasks),
                *(
                    np.array([_cut(values[t], start, stop) for t in tasks])
                    for values in (self.rows, self.labels, self.weights)
                ),
            )

    def _rows_of(self, part: "_Part") -> np.ndarray:
        """Return rows in standard coordinates, shape (B, n, d / K)."""
        if not issparse(self.X):
            return self._standard[part.rows]
        dense = self.X[part.rows.ravel()].toarray().astype(np.float64, copy=False)
        return self.coordinates.rows(dense).reshape(*part.rows.shape, -1)

    def _predictors(self, coefficients: np.ndarray, part: "_Part", z: np.ndarray) -> np.ndarray:
        """Return predictors, shape (K, B, n)."""
        v = coefficients[part.tasks].reshape(len(part.tasks), self.likelihood.n_outputs, -1)
        return np.moveaxis(v @ np.swapaxes(z, 1, 2), 1, 0)

    def value(self, coefficients: np.ndarray) -> float:
        """Return the log-probability of all labels, given coefficients of shape (T, d)."""
        total = 0.0
        for part in self._parts:
            a = self._predictors(coefficients, part, self._rows_of(part))
            total += float((part.weights * self.likelihood.value(a, part.labels)).sum())
        return total

    def expand(self, coefficients: np.ndarray) -> QuadraticLikelihood:
        """Return the second-order expansion of the log-probability about coefficients (T, d)."""
        T, d, K = self.n_tasks, self.n_coefficients, self.likelihood.n_outputs
        blocks, gradient, value = np.zeros((T, K, d // K, K, d // K)), np.zeros((T, d)), np.zeros(T)
        for part in self._parts:
            z, tasks = self._rows_of(part), part.tasks
            a, transposed = self._predictors(coefficients, part, z), np.swapaxes(z, 1, 2)
            value[tasks] += (part.weights * self.likelihood.value(a, part.labels)).sum(axis=1)
            gradient[tasks] += _pulled(part.weights * self.likelihood.gradient(a, part.labels), z)
            curvature = part.weights * self.likelihood.curvature(a)
            for k in range(K):
                for m in range(k + 1):
                    blocks[tasks, k, :, m] += (transposed * curvature[k, m][:, None]) @ z
        for k in range(K):
            for m in range(k):
                blocks[:, m, :, k] = blocks[:, k, :, m]  # blocks of Z' D Z are symmetric
        gram = blocks.reshape(T, d, d)
        bent = np.einsum("tij,tj->ti", gram, coefficients)
        linear = gradient + bent
        constant = value - np.einsum("ti,ti->t", gradient + 0.5 * bent, coefficients)
        return QuadraticLikelihood(gram, np.arange(T), np.ones(T), linear, constant)

    def bend(self, coefficients: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        """Return the gradient in coefficients of ``sum_t tr(covariance_t G_t)``, shape (T, d).

        G_t is that of `expand`, which depends on where it expands.

        Parameters
        ----------
        coefficients : ndarray of shape (T, d)
        covariance : ndarray of shape (T, d, d)
        """
        pull = np.zeros_like(coefficients)
        for part in self._parts:
            z = self._rows_of(part)
            a = self._predictors(coefficients, part, z)
            spread = predictor_covariance(z, covariance[part.tasks], self.likelihood.n_outputs)
            pull[part.tasks] += _pulled(part.weights * self.likelihood.bend(a, spread), z)
        return pull


@dataclass(frozen=True, eq=False)
class _Part:
    """Rows of B tasks, as many of each: those that lack some repeat others with weight 0.

    Attributes
    ----------
    tasks : ndarray of shape (B,)
    rows, labels, weights : ndarray of shape (B, n)
    """

    tasks: np.ndarray
    rows: np.ndarray
    labels: np.ndarray
    weights: np.ndarray


def _cut(values: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Return these values, and zeros where there are fewer."""
    part = values[start:stop]
    return np.pad(part, (0, stop - start - len(part)))


def _pulled(slope: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return derivatives in coefficients, (B, d), from those in predictors, (K, B, n)."""
    return (np.moveaxis(slope, 0, 1) @ z).reshape(len(z), -1)


def predictor_covariance(z: np.ndarray, covariance: np.ndarray, n_outputs: int) -> np.ndarray:
    """Return covariances of the predictors of each row, shape (K, K, ..., n).

    Parameters
    ----------
    z : ndarray of shape (..., n, d / K)
        Rows in standard coordinates.
    covariance : ndarray of shape (..., d, d)
        Of the coefficients of their task.
    n_outputs : int
        K.
    """
    K, width = n_outputs, z.shape[-1]
    blocks = covariance.reshape(*covariance.shape[:-2], K, width, K, width)
    spread = np.empty((K, K, *z.shape[:-1]))
    for k in range(K):
        for m in range(k + 1):
            moved = z @ blocks[..., k, :, m, :]
            spread[k, m] = spread[m, k] = np.einsum("...ni,...ni->...n", moved, z)
    return spread
