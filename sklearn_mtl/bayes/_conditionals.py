"""What tasks are once their population's mean m is known: one Gaussian each.

``v_t | m`` has covariance ``C_j = (S^-1 + scale_j G_j)^-1``, where j is the kind of the task: its
Gram matrix and its scale. There are J kinds among T tasks.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property

import numpy as np
from scipy.linalg import solve_triangular
from scipy.linalg.blas import dtrmm
from scipy.linalg.lapack import dpotri

from sklearn_mtl.bayes._covariances import Covariances, Matrices, OneBasis
from sklearn_mtl.bayes._kinds import multiply

MOST_NUMBERS = 2**18  # of one part of the kinds: 2 MiB
# kinds to a Gram matrix from which on one eigendecomposition costs less than their factorisations
MANY_KINDS = 8


class Conditionals(ABC):
    """The covariances C of J kinds of tasks.

    Attributes
    ----------
    precision : ndarray of shape (d, d)
        ``S^-1``.
    count : ndarray of shape (J,), int
        Tasks of each kind.
    gained : ndarray of shape (J,)
        ``log |S| - log |C|``.
    """

    precision: np.ndarray
    count: np.ndarray
    gained: np.ndarray

    @abstractmethod
    def covariances(self, root: np.ndarray) -> Covariances:
        """Return ``C + B root root' B'``, where ``B = C S^-1``."""

    @cached_property
    @abstractmethod
    def total(self) -> np.ndarray:
        """``sum_t C_t``, shape (d, d)."""

    @cached_property
    @abstractmethod
    def resolved(self) -> np.ndarray:
        """``scale_j tr(G_j C_j) = d - tr(S^-1 C_j)``, the parameters that labels decide, (J,)."""

    @abstractmethod
    def multiply(self, kind: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """Return ``C_t vectors_t`` of each task, shape (T, d)."""

    @abstractmethod
    def total_apart(self, root: np.ndarray) -> np.ndarray:
        """Return ``sum_t Y_t Y_t'``, where ``Y = (C S^-1 - I) root``, shape (d, d)."""

    @abstractmethod
    def apart(self, root: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return `total_apart`, and ``scale_j tr(G_j B_j root root' B_j')`` of each kind, (J,)."""


class Factored(Conditionals):
    """Each C from a Cholesky factorisation of its own.

    Parameters
    ----------
    prior_root : ndarray of shape (d, d)
        Lower triangle L, ``S = L L'``.
    gram : ndarray of shape (K, d, d)
    group, scale : ndarray of shape (J,)
        The Gram matrix and the scale of each kind.
    count : ndarray of shape (J,)
    """

    def __init__(
        self,
        prior_root: np.ndarray,
        gram: np.ndarray,
        group: np.ndarray,
        scale: np.ndarray,
        count: np.ndarray,
    ) -> None:
        self._prior_root, self.count = prior_root, count
        self.precision = _inverse(prior_root)
        log_prior = 2.0 * np.log(prior_root.diagonal()).sum()
        self.gained = np.full(len(count), log_prior)
        self._covariance = np.empty((len(count), *prior_root.shape))
        for part in self._parts():
            whole = gram[group[part]]
            whole *= scale[part, None, None]
            whole += self.precision
            factor = np.linalg.cholesky(whole)
            self.gained[part] += 2.0 * np.log(np.einsum("jii->ji", factor)).sum(axis=1)
            _invert(factor, self._covariance[part])

    def _parts(self) -> Iterator[slice]:
        """Yield the kinds in parts, of which what is computed stays in fast memory."""
        step = max(1, MOST_NUMBERS // self.precision.size)
        for start in range(0, len(self.count), step):
            yield slice(start, start + step)

    def covariances(self, root: np.ndarray) -> Covariances:
        """Return ``C + B root root' B'``, where ``B = C S^-1``."""
        whole, seen = self._covariance.copy(), self.precision @ root
        for part in self._parts():
            moved = self._covariance[part] @ seen
            whole[part] += moved @ np.swapaxes(moved, 1, 2)
        return Matrices(whole)

    def _sums(self, matrix: np.ndarray) -> np.ndarray:
        """Return ``tr(C_j matrix)`` for a symmetric matrix, shape (J,)."""
        return self._covariance.reshape(len(self.count), -1) @ matrix.ravel()

    @cached_property
    def total(self) -> np.ndarray:
        """``sum_t C_t``, shape (d, d)."""
        return np.tensordot(self.count.astype(float), self._covariance, axes=1)

    @cached_property
    def resolved(self) -> np.ndarray:
        """``d - tr(S^-1 C_j)``, shape (J,)."""
        return len(self.precision) - self._sums(self.precision)

    def multiply(self, kind: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """Return ``C_t vectors_t`` of each task, shape (T, d)."""
        return multiply(self._covariance, kind, vectors)

    def _apart(self, root: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield the transposes of ``Y_j = (C_j S^-1 - I) root``, shape (J', d, d), of each part."""
        seen = (self.precision @ root).T
        for part in self._parts():
            apart = seen @ self._covariance[part]
            apart -= root.T
            yield part, apart

    def _sum_of_squares(self, part: slice, apart: np.ndarray) -> np.ndarray:
        """Return ``sum_t Y_t Y_t'`` over the tasks of a part, of which `apart` is overwritten."""
        if (self.count[part] > 1).any():
            apart *= np.sqrt(self.count[part])[:, None, None]
        flat = apart.reshape(-1, apart.shape[2])
        return flat.T @ flat

    def total_apart(self, root: np.ndarray) -> np.ndarray:
        """Return ``sum_t Y_t Y_t'``, shape (d, d)."""
        parts = self._apart(root)
        return sum((self._sum_of_squares(*part) for part in parts), np.zeros_like(root))

    def apart(self, root: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return `total_apart`, and ``scale_j tr(G_j B_j root root' B_j')`` of each kind, (J,)."""
        # scale G B = S^-1 (I - B), hence the trace is -tr(root' S^-1 Y) - |L^-1 Y|^2
        d, inverse_root = len(root), invert_triangle(self._prior_root)
        seen, total = (self.precision @ root).T.ravel(), np.zeros_like(root)
        resolved = np.empty(len(self.count))
        for part, apart in self._apart(root):
            whitened = dtrmm(1.0, inverse_root, apart.reshape(-1, d).T, lower=1)
            squares = np.square(whitened, out=whitened).sum(axis=0).reshape(-1, d).sum(axis=1)
            resolved[part] = -(apart.reshape(len(apart), -1) @ seen) - squares
            total += self._sum_of_squares(part, apart)
        return total, resolved


class Spectral(Conditionals):
    """All C of a Gram matrix from one eigendecomposition: ``C = A diag(q) A'``, ``S = A A'``.

    Parameters
    ----------
    prior_root, gram, group, scale, count
        As of `Factored`.
    """

    def __init__(
        self,
        prior_root: np.ndarray,
        gram: np.ndarray,
        group: np.ndarray,
        scale: np.ndarray,
        count: np.ndarray,
    ) -> None:
        self.precision, self.count = _inverse(prior_root), count
        values, vectors = np.linalg.eigh(prior_root.T @ gram @ prior_root)
        self._group, self._basis = group, prior_root @ vectors
        self._dual = np.swapaxes(vectors, 1, 2) @ invert_triangle(prior_root)
        ratio = scale[:, None] * np.maximum(values, 0.0)[group]
        self.gained = np.log1p(ratio).sum(axis=1)
        self._left, self._taken = 1.0 / (1.0 + ratio), ratio / (1.0 + ratio)

    def covariances(self, root: np.ndarray) -> Covariances:
        """Return ``C + B root root' B'``, where ``B = C S^-1``."""
        # B = A diag(q) A^-1
        return OneBasis(self._basis, self._dual @ root, self._group, self._left)

    def _by_group(self, values: np.ndarray) -> np.ndarray:
        """Return sums over the kinds of each group, shape (K, ...)."""
        total = np.zeros((len(self._basis), *values.shape[1:]))
        np.add.at(total, self._group, values)
        return total

    @cached_property
    def total(self) -> np.ndarray:
        """``sum_t C_t``, shape (d, d)."""
        left = self._by_group(self.count[:, None] * self._left)
        return np.einsum("kia,ka,kja->ij", self._basis, left, self._basis, optimize=True)

    @cached_property
    def resolved(self) -> np.ndarray:
        """``d - tr(S^-1 C_j)``, shape (J,)."""
        return self._taken.sum(axis=1)

    def multiply(self, kind: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """Return ``C_t vectors_t`` of each task, shape (T, d)."""
        product, group = np.empty_like(vectors), self._group[kind]
        for k, basis in enumerate(self._basis):
            tasks = np.flatnonzero(group == k)
            product[tasks] = ((vectors[tasks] @ basis) * self._left[kind[tasks]]) @ basis.T
        return product

    def total_apart(self, root: np.ndarray) -> np.ndarray:
        """Return ``sum_t Y_t Y_t'``, shape (d, d)."""
        # A^-1 Y = -diag(1 - q) A^-1 root
        total = np.zeros_like(self.precision)
        for k, (basis, dual) in enumerate(zip(self._basis, self._dual, strict=True)):
            mine = self._group == k
            taken, seen = self._taken[mine], dual @ root
            weight = (taken.T * self.count[mine]) @ taken
            total += basis @ (weight * (seen @ seen.T)) @ basis.T
        return total

    def apart(self, root: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return `total_apart`, and ``scale_j tr(G_j B_j root root' B_j')`` of each kind, (J,)."""
        squares = np.square(self._dual @ root).sum(axis=2)
        resolved = (self._taken * self._left * squares[self._group]).sum(axis=1)
        return self.total_apart(root), resolved


def invert_triangle(lower: np.ndarray) -> np.ndarray:
    """Return the inverse of a lower triangle, shape (d, d)."""
    return solve_triangular(lower, np.eye(len(lower)), lower=True, check_finite=False)


def _invert(factor: np.ndarray, inverse: np.ndarray) -> None:
    """Write ``(L L')^-1`` to `inverse` for lower triangles L, (J, d, d), which are overwritten."""
    for lower in factor:
        dpotri(lower.T, lower=0, overwrite_c=1)
    # upper triangles are 0, and diagonals are added twice
    np.add(factor, np.swapaxes(factor, 1, 2), out=inverse)
    np.einsum("jii->ji", inverse)[:] *= 0.5


def _inverse(factor: np.ndarray) -> np.ndarray:
    """Return ``(L L')^-1`` for a lower triangle L, shape (d, d)."""
    inverse = np.empty((1, *factor.shape))
    _invert(factor[None].copy(), inverse)
    return inverse[0]
