from dataclasses import dataclass

import numpy as np

from sklearn_mtl.convex._coupling import EPS


@dataclass(frozen=True, eq=False)
class GramSpectrum:
    """Eigenvalues and eigenvectors of Gram matrices, ``G_k = V_k diag(s_k) V_k'``.

    Attributes
    ----------
    values : ndarray of shape (K, p)
        s, ascending; those within rounding of 0 are 0.
    vectors : ndarray of shape (K, p, p)
        V, an eigenvector a column.
    group : ndarray of shape (m,)
        The Gram matrix of each task.
    """

    values: np.ndarray
    vectors: np.ndarray
    group: np.ndarray

    @classmethod
    def of(cls, gram: np.ndarray, group: np.ndarray) -> "GramSpectrum":
        """Return the spectrum of these matrices, shape (K, p, p)."""
        values, vectors = np.linalg.eigh(gram)
        values[values <= EPS * values.shape[1] * values[:, -1:]] = 0.0
        return cls(values, vectors, group)

    def restrict(self, tasks: np.ndarray) -> "GramSpectrum":
        """Return the spectrum for these tasks alone."""
        vectors, group = restrict(self.vectors, self.group, tasks)
        return GramSpectrum(restrict(self.values, self.group, tasks)[0], vectors, group)

    def of_tasks(self) -> np.ndarray:
        """Return the eigenvalues of each task, shape (m, p)."""
        return self.values[self.group]

    def rotate(self, W: np.ndarray) -> np.ndarray:
        """Return the rows ``V' w_t``: coordinates along eigenvectors."""
        return multiply_grouped(W, self.vectors, self.group)

    def restore(self, W: np.ndarray) -> np.ndarray:
        """Return the rows ``V w_t``, the inverse of `rotate`."""
        return multiply_grouped(W, self.vectors.transpose(0, 2, 1), self.group)


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
