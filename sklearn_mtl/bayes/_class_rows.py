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

MOST_NUMBERS = 2**22  # of a dense chunk of sparse rows: 32 MiB


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

    def _chunks(self, task: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Yield rows in standard coordinates, labels and weights of a task, part by part."""
        rows, labels, weights = self.rows[task], self.labels[task], self.weights[task]
        if not issparse(self.X):
            whole = len(rows) == len(self._standard)
            yield (self._standard if whole else self._standard[rows]), labels, weights
            return
        step = max(1, MOST_NUMBERS // self.X.shape[1])
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            dense = self.X[rows[part]].toarray().astype(np.float64, copy=False)
            yield self.coordinates.rows(dense), labels[part], weights[part]

    def _by_output(self, coefficients: np.ndarray) -> np.ndarray:
        return coefficients.reshape(self.likelihood.n_outputs, -1)

    def value(self, coefficients: np.ndarray) -> float:
        """Return the log-probability of all labels, given coefficients of shape (T, d)."""
        total = 0.0
        for t in range(self.n_tasks):
            v = self._by_output(coefficients[t])
            for z, labels, weights in self._chunks(t):
                total += float(weights @ self.likelihood.value(v @ z.T, labels))
        return total

    def expand(self, coefficients: np.ndarray) -> QuadraticLikelihood:
        """Return the second-order expansion of the log-probability about coefficients (T, d)."""
        T, d, K = self.n_tasks, self.n_coefficients, self.likelihood.n_outputs
        blocks, gradient, value = np.zeros((T, K, d // K, K, d // K)), np.zeros((T, d)), np.zeros(T)
        for t in range(T):
            v = self._by_output(coefficients[t])
            for z, labels, weights in self._chunks(t):
                a = v @ z.T
                value[t] += weights @ self.likelihood.value(a, labels)
                slope = weights * self.likelihood.gradient(a, labels)
                gradient[t] += (slope @ z).ravel()
                curvature = weights * self.likelihood.curvature(a)
                for k in range(K):
                    for m in range(k + 1):
                        blocks[t, k, :, m] += (z.T * curvature[k, m]) @ z
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
        for t in range(self.n_tasks):
            v = self._by_output(coefficients[t])
            for z, _, weights in self._chunks(t):
                spread = predictor_covariance(z, covariance[t], self.likelihood.n_outputs)
                slope = weights * self.likelihood.bend(v @ z.T, spread)
                pull[t] += (slope @ z).ravel()
        return pull


def predictor_covariance(z: np.ndarray, covariance: np.ndarray, n_outputs: int) -> np.ndarray:
    """Return covariances of the predictors of each row, shape (K, K, n).

    Parameters
    ----------
    z : ndarray of shape (n, d / K)
        Rows in standard coordinates.
    covariance : ndarray of shape (d, d)
        Of the coefficients of their task.
    n_outputs : int
        K.
    """
    K, width = n_outputs, z.shape[1]
    blocks = covariance.reshape(K, width, K, width)
    spread = np.empty((K, K, len(z)))
    for k in range(K):
        for m in range(k + 1):
            spread[k, m] = spread[m, k] = np.einsum("ni,ni->n", z @ blocks[k, :, m], z)
    return spread
