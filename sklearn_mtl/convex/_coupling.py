from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from sklearn_mtl.convex._spectrum import EPS, semidefinite_eigh


@dataclass(frozen=True, eq=False)
class Component:
    """Rows of W that A ties together, directly or through others.

    Attributes
    ----------
    rows : ndarray of shape (m,)
        Which rows of W, in ascending order.
    matrix : ndarray of shape (m, m)
        Their block of A, positive semi-definite.
    known_sums : ndarray of shape (m,) or None
        The sums of its rows, where they are known better than its rounded entries tell.
    """

    rows: np.ndarray
    matrix: np.ndarray
    known_sums: np.ndarray | None = None

    @cached_property
    def sums(self) -> np.ndarray:
        """The sums of the rows of the block, shape (m,); those within rounding of 0 are 0."""
        if self.known_sums is not None:
            return self.known_sums
        sums = self.matrix.sum(axis=1)
        sums[np.abs(sums) <= EPS * len(sums) * np.abs(self.matrix).sum(axis=1)] = 0.0
        return sums

    @cached_property
    def laplacian(self) -> np.ndarray:
        """The block less its sums on the diagonal, so that rows sum to 0."""
        apart = self.matrix.copy()
        np.fill_diagonal(apart, 0.0)
        np.fill_diagonal(apart, -apart.sum(axis=1))
        return apart

    @cached_property
    def is_dominant(self) -> bool:
        """Whether no entry off the diagonal is positive and no row has a negative sum.

        The Laplacian is positive semi-definite then, and its null space, as the block is connected,
        that of constants.
        """
        off = (self.matrix > 0).sum(axis=1) == (self.matrix.diagonal() > 0)
        return bool(off.all() and (self.sums >= 0).all())

    def product(self, W: np.ndarray) -> np.ndarray:
        """Return the block times W, which rounding does not spoil where the Laplacian is large."""
        return self.laplacian @ (W - W.mean(axis=0)) + self.sums[:, None] * W

    @cached_property
    def low(self) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvalues (k,) and orthonormal eigenvectors (m, k), all those of eigenvalue 0 at least.

        Eigenvalues within rounding of 0 are 0.
        """
        m, matrix, sums = len(self.rows), self.matrix, self.sums
        if ((matrix > 0).sum(axis=1) == 1).all():
            # a connected block with no positive off-diagonal entry has one lowest eigenvector,
            # which is positive (Perron-Frobenius): the constant one where all rows have one sum
            if np.ptp(sums) <= EPS * m * 2 * matrix.diagonal().max():
                return np.array([sums.mean()]), np.full((m, 1), m**-0.5)
            if (sums >= 0).all():  # irreducibly diagonally dominant, hence positive definite
                return np.empty(0), np.empty((m, 0))
        values, vectors = np.linalg.eigh(matrix)
        flat = values <= 16 * EPS * m * values[-1]  # the rest has a Cholesky factor
        return np.zeros(flat.sum()), vectors[:, flat]

    @property
    def flat(self) -> np.ndarray:
        """An orthonormal basis of the null space of the block, shape (m, k)."""
        values, vectors = self.low
        return vectors[:, values == 0]

    @cached_property
    def rank_one(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Vectors d > 0 and f of shape (m,) with block = diag(d) - f f', or None."""
        matrix, m = self.matrix, len(self.matrix)
        if np.count_nonzero(matrix < 0) < m * (m - 1):
            return None
        if m == 2:
            factor = np.full(2, np.sqrt(-matrix[0, 1]))
        else:
            first = np.sqrt(-matrix[0, 1] * (matrix[0, 2] / matrix[1, 2]))
            factor = np.append(first, -matrix[0, 1:] / first)
        outer = factor[:, None] * factor
        apart = np.abs(matrix + outer)
        np.fill_diagonal(apart, 0.0)
        # each entry of A is a few roundings from what it stands for
        if (apart > 32 * EPS * outer).any():
            return None
        return self.matrix.diagonal() + np.square(factor), factor

    def eigh(self, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return eigenvalues and eigenvectors of ``D^(-1/2) A D^(-1/2)`` for D = diag(weight).

        In a basis whose first vector is ``D^(1/2) 1``, entries for what tasks share are sums of the
        block's sums, and none of its large entries.
        """
        if len(weight) == 0:
            return np.empty(0), np.empty((0, 0))
        root = np.sqrt(weight)
        normal = _normal_to(root)
        inner = _rotated(normal, self.laplacian / (root[:, None] * root))
        inner[0] = inner[:, 0] = 0.0
        inner += _rotated(normal, np.diag(self.sums / weight))
        values, vectors, _ = semidefinite_eigh(0.5 * (inner + inner.T))
        vectors[0] *= -1.0
        return values, _reflected(normal, vectors)


def _normal_to(first: np.ndarray) -> np.ndarray:
    """Return the normal of the reflection that takes e_1 to -first / |first|, for positive first.

    The columns of the reflection, the first one negated, are an orthonormal basis that begins with
    `first`.
    """
    normal = first / np.linalg.norm(first)
    normal[0] += 1.0
    return normal


def _reflected(normal: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return ``H matrix`` for the reflection ``H = I - v v' / v_1``, in O(m^2) operations."""
    return matrix - np.outer(normal, normal @ matrix / normal[0])


def _rotated(normal: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return a symmetric matrix in the basis of `_normal_to`."""
    inner = _reflected(normal, _reflected(normal, matrix).T)
    inner[0] *= -1.0
    inner[:, 0] *= -1.0
    return inner


class Coupling:
    """How A ties the rows of W: which are alone, and which components the others form.

    Parameters
    ----------
    matrix : ndarray of shape (M, M)
        A.
    sums : ndarray of shape (M,), default=None
        The sums of its rows, where they are known exactly: in a large Laplacian and a small ridge,
        the ridge drowns.

    Attributes
    ----------
    alone : ndarray
        Rows that are tied to no other.
    components : list of Component
        The rest.
    """

    def __init__(self, matrix: np.ndarray, sums: np.ndarray | None = None) -> None:
        self.matrix = matrix
        self.diagonal = matrix.diagonal()
        n_parts, label = _parts(matrix)
        order = np.argsort(label, kind="stable")
        parts = np.split(order, np.searchsorted(label[order], np.arange(1, n_parts)))
        self.alone = np.array(sorted(part[0] for part in parts if len(part) == 1), dtype=np.intp)
        self.components = [
            Component(
                part,
                matrix if len(part) == len(matrix) else matrix[np.ix_(part, part)],
                None if sums is None else sums[part],
            )
            for part in parts
            if len(part) > 1
        ]

    def product(self, W: np.ndarray) -> np.ndarray:
        """Return A W, which rounding does not spoil where A is large and its rows sum to 0."""
        product = np.empty_like(W)
        product[self.alone] = self.diagonal[self.alone, None] * W[self.alone]
        for component in self.components:
            product[component.rows] = component.product(W[component.rows])
        return product


def _parts(matrix: np.ndarray) -> tuple[int, np.ndarray]:
    nonzero = matrix != 0
    if nonzero.all():
        return 1, np.zeros(len(matrix), dtype=np.intp)
    return connected_components(csr_array(nonzero), directed=False)
