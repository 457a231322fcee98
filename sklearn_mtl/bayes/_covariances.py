"""Covariances of the coefficients of tasks, once for tasks that have the same one."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np


class Covariances(ABC):
    """The covariances of J kinds of tasks."""

    @property
    @abstractmethod
    def n_kinds(self) -> int:
        """Number of kinds, J."""

    @abstractmethod
    def dense(self) -> np.ndarray:
        """Return all of them, shape (J, d, d)."""

    @abstractmethod
    def variance(self, rows: np.ndarray, kind: int) -> np.ndarray:
        """Return the variance of ``z . v`` for each row z and a task of this kind, shape (n,)."""

    @abstractmethod
    def draw(self, kind: int, n_samples: int, random_state: np.random.RandomState) -> np.ndarray:
        """Return draws of v less its mean, shape (d, n_samples)."""


@dataclass(frozen=True, eq=False)
class Matrices(Covariances):
    """One matrix for each kind.

    Attributes
    ----------
    matrices : ndarray of shape (J, d, d)
    """

    matrices: np.ndarray

    @property
    def n_kinds(self) -> int:
        """Number of kinds, J."""
        return len(self.matrices)

    def dense(self) -> np.ndarray:
        """Return all of them, shape (J, d, d)."""
        return self.matrices

    def variance(self, rows: np.ndarray, kind: int) -> np.ndarray:
        """Return the variance of ``z . v`` for each row z, shape (n,)."""
        return np.einsum("ni,ni->n", rows @ self.matrices[kind], rows)

    def draw(self, kind: int, n_samples: int, random_state: np.random.RandomState) -> np.ndarray:
        """Return draws of v less its mean, shape (d, n_samples)."""
        root = np.linalg.cholesky(self.matrices[kind])
        return root @ random_state.standard_normal((len(root), n_samples))


@dataclass(frozen=True, eq=False)
class OneBasis(Covariances):
    """``A (diag(q) + diag(q) R R' diag(q)) A'``, with one A and R for many kinds.

    Attributes
    ----------
    basis : ndarray of shape (K, d, d)
        A of each group of kinds.
    shared : ndarray of shape (K, d, d)
        R of each group.
    group : ndarray of shape (J,)
        The group of each kind.
    left : ndarray of shape (J, d)
        q of each kind.
    """

    basis: np.ndarray
    shared: np.ndarray
    group: np.ndarray
    left: np.ndarray

    @property
    def n_kinds(self) -> int:
        """Number of kinds, J."""
        return len(self.group)

    def dense(self) -> np.ndarray:
        """Return all of them, shape (J, d, d)."""
        basis = self.basis[self.group] * self.left[:, None, :]
        moved = basis @ self.shared[self.group]
        whole = moved @ np.swapaxes(moved, 1, 2)
        whole += basis @ np.swapaxes(self.basis[self.group], 1, 2)
        return whole

    def variance(self, rows: np.ndarray, kind: int) -> np.ndarray:
        """Return the variance of ``z . v`` for each row z, shape (n,)."""
        k, left = self.group[kind], self.left[kind]
        seen = rows @ self.basis[k]
        together = (seen * left) @ self.shared[k]
        return np.square(seen) @ left + np.square(together).sum(axis=1)

    def draw(self, kind: int, n_samples: int, random_state: np.random.RandomState) -> np.ndarray:
        """Return draws of v less its mean, shape (d, n_samples)."""
        k, left = self.group[kind], self.left[kind][:, None]
        own, of_mean = random_state.standard_normal((2, len(left), n_samples))
        return self.basis[k] @ (np.sqrt(left) * own + left * (self.shared[k] @ of_mean))
