from functools import cached_property

import numpy as np

from sklearn_mtl.convex._spectrum import GramMatrices, GramSpectrum
from sklearn_mtl.convex.datafits._base import Point
from sklearn_mtl.convex.datafits._quadratic import QuadraticDatafit, quadratic_point


class GramQuadratic(QuadraticDatafit):
    """The squared loss in terms of Gram matrices, of which tasks may share one.

    ``f(W) = sum_t lambda_t / 2 * (w_t' G_g(t) w_t - 2 w_t' c_t + s_t)``

    Parameters
    ----------
    gram : ndarray of shape (K, p, p)
        Distinct second moments, ``X'X / n`` of centred X.
    group : ndarray of shape (T,)
        The Gram matrix of each task.
    cross : ndarray of shape (T, p)
        ``X'y / n``.
    energy : ndarray of shape (T,)
        ``y'y / n``.
    task_weight : ndarray of shape (T,)
        lambda.

    Attributes
    ----------
    linear : ndarray of shape (T, p)
        ``lambda_t c_t``: the negative gradient at W = 0.
    matrices : GramMatrices
        What is known of the Gram matrices, by copies of this loss too.
    """

    def __init__(
        self,
        gram: np.ndarray,
        group: np.ndarray,
        cross: np.ndarray,
        energy: np.ndarray,
        task_weight: np.ndarray,
    ) -> None:
        self.gram = gram
        self.group = group
        self.matrices = GramMatrices(gram, group)
        self.task_weight = task_weight
        self.linear = task_weight[:, None] * cross
        self.task_energy = energy
        self.energy = float(task_weight @ energy)
        self.shape = cross.shape

    @property
    def is_shared(self) -> bool:
        """Whether all tasks have one Gram matrix."""
        return len(self.gram) == 1

    @cached_property
    def is_uniform(self) -> bool:
        """Whether all tasks have one Gram matrix and one weight, so that the Hessian is I x G."""
        return self.is_shared and bool((self.task_weight == self.task_weight[0]).all())

    @cached_property
    def _members(self) -> list[np.ndarray]:
        return [np.flatnonzero(self.group == k) for k in range(len(self.gram))]

    def hessian_product(self, W: np.ndarray) -> np.ndarray:
        """Return the rows ``lambda_t G_t w_t``."""
        if self.is_shared:
            kept = np.flatnonzero(W.any(axis=0))
            sparse = 2 * len(kept) < W.shape[1]  # features of no weight cost nothing
            product = W[:, kept] @ self.gram[0][kept] if sparse else W @ self.gram[0]
        elif len(self.gram) == len(W):
            product = np.matmul(self.gram[self._order], W[:, :, None])[:, :, 0]
        else:
            product = np.empty_like(W)
            for gram, members in zip(self.gram, self._members, strict=True):
                product[members] = W[members] @ gram
        return product * self.task_weight[:, None]

    @cached_property
    def _order(self) -> slice | np.ndarray:
        ordered = bool((self.group == np.arange(len(self.group))).all())
        return slice(None) if ordered else self.group

    def gram_block(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return these rows and columns of each G, shape (K, len(rows), len(columns))."""
        return self.gram[:, rows[:, None], columns]

    def of_task(self, task: int) -> "GramQuadratic":
        """Return the loss of one task alone, with weights of shape (1, p)."""
        weight = self.task_weight[task : task + 1]
        one = GramQuadratic(
            self.gram[self.group[task]][None],
            np.zeros(1, dtype=int),
            np.zeros((1, self.shape[1])),
            self.task_energy[task : task + 1],
            weight,
        )
        one.linear = self.linear[task : task + 1]
        return one

    def at(self, W: np.ndarray) -> Point:
        """Return value, gradient and dual at W."""
        return quadratic_point(W, self.hessian_product(W), self.linear, self.energy)

    def pooled_gram(self) -> np.ndarray:
        """Return the mean over tasks of their Gram matrices, shape (p, p)."""
        count = np.bincount(self.group, minlength=len(self.gram))
        return np.tensordot(count / count.sum(), self.gram, axes=1)

    def pooled_moments(self) -> np.ndarray:
        """Return the diagonal of ``pooled_gram()``, shape (p,)."""
        count = np.bincount(self.group, minlength=len(self.gram))
        return count @ np.diagonal(self.gram, axis1=1, axis2=2) / count.sum()

    @property
    def spectrum(self) -> GramSpectrum:
        """Eigenvalues and eigenvectors of the Gram matrices."""
        return self.matrices.spectrum

    @cached_property
    def task_lipschitz(self) -> np.ndarray:
        """The largest eigenvalue of each task's Hessian, shape (T,)."""
        return self.task_weight * self.matrices.largest[self.group]

    def lipschitz(self) -> float:
        """Return the largest eigenvalue over tasks."""
        return float(self.task_lipschitz.max())
