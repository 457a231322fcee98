from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg.lapack import dgejsv

EPS = float(np.finfo(np.float64).eps)
EVEN = 1e4  # ratio of diagonal entries up to which one scale is good for all features
TINY = float(np.finfo(np.float64).tiny) / EPS  # numbers below it lack digits


@dataclass(frozen=True, eq=False)
class GramSpectrum:
    """Eigenvalues and eigenvectors of Gram matrices, ``G_k = V_k diag(s_k) V_k'``.

    Attributes
    ----------
    values : ndarray of shape (K, p)
        s, ascending; those within rounding of 0 are 0.
    vectors : ndarray of shape (K, p, p)
        V, an eigenvector a column.
    doubt : ndarray of shape (K,)
        The part that rounding may have added to a positive eigenvalue, at most 1/2.
    group : ndarray of shape (m,)
        The Gram matrix of each task.
    """

    values: np.ndarray
    vectors: np.ndarray
    doubt: np.ndarray
    group: np.ndarray

    @classmethod
    def of(cls, gram: np.ndarray, group: np.ndarray) -> "GramSpectrum":
        """Return the spectrum of these matrices, shape (K, p, p)."""
        if len(gram) == 1 and (beside := _beside_diagonal(gram[0])) <= _rounding(gram[0]):
            order = np.argsort(gram[0].diagonal())
            values, vectors = gram[0].diagonal()[order], np.eye(len(order))[:, order]
            return cls(
                values[None], vectors[None], np.array([max(beside, EPS * len(order))]), group
            )
        values, vectors = np.empty(gram.shape[:2]), np.empty_like(gram)
        doubt = np.empty(len(gram))
        even = np.array([_is_even(matrix) for matrix in gram], dtype=bool)
        if even.any():
            some = slice(None) if even.all() else even
            values[some], vectors[some] = np.linalg.eigh(gram[some])
            doubt[some] = _cut(values, some)
        for k in np.flatnonzero(~even):
            values[k], vectors[k], doubt[k] = _graded_eigh(gram[k])
        return cls(values, vectors, doubt, group)

    def restrict(self, tasks: np.ndarray) -> "GramSpectrum":
        """Return the spectrum for these tasks alone."""
        vectors, group = restrict(self.vectors, self.group, tasks)
        values, doubt = (restrict(each, self.group, tasks)[0] for each in (self.values, self.doubt))
        return GramSpectrum(values, vectors, doubt, group)

    def of_tasks(self) -> np.ndarray:
        """Return the eigenvalues of each task, shape (m, p)."""
        return self.values[self.group]

    def rotate(self, W: np.ndarray) -> np.ndarray:
        """Return the rows ``V' w_t``: coordinates along eigenvectors."""
        return multiply_grouped(W, self.vectors, self.group)

    def restore(self, W: np.ndarray) -> np.ndarray:
        """Return the rows ``V w_t``, the inverse of `rotate`."""
        return multiply_grouped(W, self.vectors.transpose(0, 2, 1), self.group)


class GramMatrices:
    """Gram matrices, decomposed once for all losses that have them.

    Parameters
    ----------
    matrices : ndarray of shape (K, p, p)
    group : ndarray of shape (T,)
        The matrix of each task.
    """

    def __init__(self, matrices: np.ndarray, group: np.ndarray) -> None:
        self.matrices, self.group = matrices, group

    @property
    def is_decomposed(self) -> bool:
        """Whether eigenvectors are at hand."""
        return "spectrum" in vars(self)

    @cached_property
    def spectrum(self) -> GramSpectrum:
        """Eigenvalues and eigenvectors."""
        return GramSpectrum.of(self.matrices, self.group)

    @cached_property
    def largest(self) -> np.ndarray:
        """The largest eigenvalue of each, shape (K,)."""
        if self.is_decomposed:
            return self.spectrum.values[:, -1]
        return np.array([largest_eigenvalue(matrix) for matrix in self.matrices])


def semidefinite_eigh(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return eigenvalues, eigenvectors and the doubt of one positive semi-definite matrix.

    As in `GramSpectrum`. Eigenvectors have the digits of small eigenvalues only where those of
    large ones do not drown them: where diagonal entries are further apart than 1e4, features are
    scaled to 1 first, so that the units of features decide neither the rank nor the digits.
    """
    if not _is_even(matrix):
        return _graded_eigh(matrix)
    values, vectors = np.linalg.eigh(matrix)
    return values, vectors, float(_cut(values[None], slice(None))[0])


def spectrum_of_rows(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return eigenvalues and eigenvectors of B B', for rows B (n, p), or of B'B where p <= n.

    For positive definite problems, where eigenvalues within rounding of 0 need no digits.
    """
    n, p = rows.shape
    if p > n:
        return np.linalg.eigh(rows @ rows.T)
    gram = rows.T @ rows
    if _beside_diagonal(gram) <= _rounding(rows):
        return gram.diagonal(), np.eye(p)
    return np.linalg.eigh(gram)


def largest_eigenvalue(matrix: np.ndarray) -> float:
    """Return the largest eigenvalue of a positive semi-definite matrix."""
    if _beside_diagonal(matrix) <= _rounding(matrix):
        return float(matrix.diagonal().max(initial=0.0))
    return max(float(np.linalg.eigvalsh(matrix)[-1]), 0.0)


def _beside_diagonal(matrix: np.ndarray) -> float:
    """Return the norm of what is beside the diagonal of a Gram matrix scaled to diagonal 1.

    Coordinates may be eigenvectors already, as those of a kernel are: then it is rounding, and
    diagonal entries are eigenvalues to as many digits of their own.
    """
    size = np.sqrt(np.maximum(matrix.diagonal(), 0.0))
    scale = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0)
    if np.abs(matrix[:1] * scale[:1] * scale)[:, 1:].max(initial=0.0) > _rounding(matrix):
        return np.inf  # no need to look at the others
    scaled = matrix * scale[:, None] * scale
    scaled.flat[:: len(matrix) + 1] = 0.0
    return float(np.linalg.norm(scaled))


def _rounding(rows: np.ndarray) -> float:
    return 8 * EPS * len(rows)


def _is_even(matrix: np.ndarray) -> bool:
    diagonal = matrix.diagonal()
    positive = diagonal[diagonal > 0]
    return len(positive) == 0 or bool(positive.max() <= EVEN * positive.min())


def _cut(values: np.ndarray, some: slice | np.ndarray) -> np.ndarray:
    """Set what is within rounding of 0 to 0, in place, and return the doubt in the rest."""
    chosen = values[some]
    rounding = EPS * chosen.shape[1] * chosen.max(axis=1, initial=0.0, keepdims=True)
    chosen[chosen <= 2 * rounding] = 0.0
    values[some] = chosen
    least = np.where(chosen > 0, chosen, np.inf).min(axis=1, initial=np.inf)
    return np.maximum(rounding[:, 0] / least, EPS * chosen.shape[1])


def _graded_eigh(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return what `semidefinite_eigh` does, each eigenvalue with digits of its own.

    With ``D^-1 M D^-1 = Q diag(s) Q'`` of diagonal 1, the singular values of ``diag(s)^(1/2) Q' D``
    are the roots of the eigenvalues of M. One-sided Jacobi finds them to a relative accuracy that
    does not depend on D (Demmel and Veselic, "Jacobi's method is more accurate than QR", SIAM
    Journal on Matrix Analysis and Applications 13, 1992, theorem 4.2).
    """
    diagonal = matrix.diagonal()
    known = diagonal > TINY
    size = np.sqrt(np.where(known, diagonal, 0.0))
    inverse = np.divide(1.0, size, out=np.zeros_like(size), where=known)
    values, scaled = np.linalg.eigh(inverse[:, None] * matrix * inverse)
    doubt = _cut(values[None], slice(None))[0]
    n_null = len(values) - np.count_nonzero(values)
    found, vectors = _graded_right(np.sqrt(values[::-1, None]) * scaled.T[::-1] * size)
    found[len(values) - n_null :] = 0.0
    if n_null:
        # D^-1 Q spans the null space, to the digits of each row, which a complement has not
        inverse[~known] = inverse.max(initial=1.0)
        null = np.zeros_like(matrix)
        null[:n_null] = scaled[:, :n_null].T * inverse
        vectors[:, len(values) - n_null :] = _graded_right(null)[1][:, :n_null]
    return np.square(found[::-1]), vectors[:, ::-1], float(doubt)


def _graded_right(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return singular values and right singular vectors of C D, for a well-conditioned C."""
    # A = C D, all of U and V (V alone is less accurate), no scaling of what is small
    values, _, vectors, work, _, failed = dgejsv(
        matrix, joba=0, jobu=0, jobv=0, jobr=0, jobt=0, jobp=0
    )
    if failed:
        raise np.linalg.LinAlgError("One-sided Jacobi did not converge.")
    return values * (work[0] / work[1]), vectors


def restrict(
    matrices: np.ndarray, group: np.ndarray, tasks: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the matrices that these tasks have, and the place of each task's among them."""
    if len(tasks) == len(group):
        return matrices, group
    groups, local = np.unique(group[tasks], return_inverse=True)
    return matrices[groups], local


def multiply_grouped(W: np.ndarray, matrices: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return the rows ``w_t' M_group(t)``, for matrices of shape (K, p, p)."""
    if len(matrices) == 1:
        return W @ matrices[0]
    if len(matrices) == len(W) and (group == np.arange(len(W))).all():
        return np.matmul(W[:, None, :], matrices)[:, 0]
    result = np.empty_like(W)
    for k, matrix in enumerate(matrices):
        members = group == k
        result[members] = W[members] @ matrix
    return result


def restricted_hessian(
    vectors: np.ndarray, gram: np.ndarray, group: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """Return ``Z' blockdiag(lambda_t G_t) Z`` for ``Z = vectors x I``, shape (k p, k p).

    Parameters
    ----------
    vectors : ndarray of shape (m, k)
    gram : ndarray of shape (K, p, p)
    group : ndarray of shape (m,)
    weight : ndarray of shape (m,)
        lambda.
    """
    k, p = vectors.shape[1], gram.shape[1]
    products = weight[:, None, None] * vectors[:, :, None] * vectors[:, None, :]
    sums = np.zeros((len(gram), k * k))
    np.add.at(sums, group, products.reshape(len(weight), k * k))
    blocks = (sums.T @ gram.reshape(len(gram), p * p)).reshape(k, k, p, p)
    return blocks.transpose(0, 2, 1, 3).reshape(k * p, k * p)
