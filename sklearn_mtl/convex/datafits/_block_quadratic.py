from collections.abc import Sequence

import numpy as np

from sklearn_mtl.convex.datafits._base import Datafit, Point
from sklearn_mtl.convex.datafits._quadratic import quadratic_point


class BlockQuadratic(Datafit):
    """A quadratic loss whose Hessian ties some rows of W with each other.

    ``f(W) = sum_b (w_b' H_b w_b - 2 w_b' l_b) / 2 + energy / 2``, w_b the rows of block b in one
    vector.

    Parameters
    ----------
    rows : sequence of ndarray
        The rows of W of each block, disjoint.
    blocks : sequence of ndarray of shape (k p, k p)
        H_b, positive semi-definite.
    linear : ndarray of shape (M, p)
        The negative gradient at W = 0.
    energy : float
        At least ``sum_b l_b' H_b^-1 l_b``, so that f is a sum of squares.
    """

    def __init__(
        self,
        rows: Sequence[np.ndarray],
        blocks: Sequence[np.ndarray],
        linear: np.ndarray,
        energy: float,
    ) -> None:
        self.rows, self.blocks = list(rows), list(blocks)
        self.linear, self.energy = linear, energy
        self.shape = linear.shape

    def hessian_product(self, W: np.ndarray) -> np.ndarray:
        """Return ``H W``."""
        product = np.zeros_like(W)
        for rows, block in zip(self.rows, self.blocks, strict=True):
            product[rows] = (block @ W[rows].ravel()).reshape(len(rows), -1)
        return product

    def at(self, W: np.ndarray) -> Point:
        """Return value, gradient and dual at W."""
        return quadratic_point(W, self.hessian_product(W), self.linear, self.energy)

    def lipschitz(self) -> float:
        """Return the largest eigenvalue of a block."""
        return max(float(np.linalg.eigvalsh(block)[-1]) for block in self.blocks)
