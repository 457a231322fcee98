from typing import Any

import numpy as np
from scipy.linalg import eigh, svd

from sklearn_mtl.convex.penalties._base import STRENGTH, NormPenalty

FEW = 8  # rows up to which a singular value decomposition takes no longer than its squares
MANY = 64  # rows from which a part of an eigendecomposition takes less time than all of it


class NuclearNorm(NormPenalty):
    """Low rank: ``alpha * ||W||_*``, the sum of the singular values of W.

    Parameters
    ----------
    alpha : float, default=0.1
        Strength, in units of the loss per unit of W.

    References
    ----------
    S. Ji and J. Ye, "An accelerated gradient method for trace norm minimization", ICML 2009.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl.convex import NuclearNorm
    >>> print(NuclearNorm(alpha=2.0).value(np.diag([3.0, 4.0])))
    14.0
    """

    _parameter_constraints: dict[str, list[Any]] = {"alpha": STRENGTH}
    is_rotation_invariant = True

    def __init__(self, alpha: float = 0.1) -> None:
        self.alpha = alpha

    def norm(self, W: np.ndarray) -> float:
        """Return the sum of singular values."""
        return float(np.linalg.svd(W, compute_uv=False).sum())

    def prox(self, W: np.ndarray, step: float) -> np.ndarray:
        """Return ``argmin_V ||V - W||_F^2 / 2 + step * alpha * ||V||_*``."""
        left, sizes, right = self.prox_factors(W, step)
        return (left * sizes) @ right

    def prox_factors(self, W: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the singular value decomposition of ``prox(W, step)``, positive values only.

        Parameters
        ----------
        W : ndarray of shape (M, p)
        step : float

        Returns
        -------
        left : ndarray of shape (M, r)
        sizes : ndarray of shape (r,)
        right : ndarray of shape (r, p)
        """
        # soft-threshold the singular values (Cai, Candes & Shen 2010, Theorem 2.1)
        threshold = step * self.alpha
        left, sizes, right = _svd_above(W, threshold)
        kept = sizes > threshold
        return left[:, kept], sizes[kept] - threshold, right[kept]

    def dual_norm(self, V: np.ndarray) -> float:
        """Return the largest singular value."""
        # squaring costs the largest singular value no accuracy, and is several times faster
        scale = float(np.abs(V).max(initial=0.0))
        if not 0.0 < scale < np.inf:
            return scale
        V = V / scale
        squared = V @ V.T if len(V) <= V.shape[1] else V.T @ V
        last = len(squared) - 1
        largest = eigh(squared, eigvals_only=True, subset_by_index=[last, last], check_finite=False)
        return scale * float(np.sqrt(largest[0]))

    def subdiff_distance(self, W: np.ndarray, gradient: np.ndarray) -> float:
        """Return the distance of ``-gradient`` from ``alpha * {U V' + N}``."""
        # N is orthogonal to the singular spaces of W, with ||N||_2 <= 1 (Watson 1992)
        left, sizes, right = svd(W, full_matrices=False, check_finite=False)
        kept = sizes > np.finfo(W.dtype).eps * max(W.shape) * sizes.max(initial=0.0)
        left, right = left[:, kept], right[kept]
        free = -gradient - left @ (left.T @ -gradient)
        free -= (free @ right.T) @ right
        inside = -gradient - free - self.alpha * left @ right
        excess = np.maximum(np.linalg.svd(free, compute_uv=False) - self.alpha, 0.0)
        return float(np.hypot(np.linalg.norm(inside), np.linalg.norm(excess)))


def _svd_above(W: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return all singular triplets of W with values above the threshold, and maybe others."""
    if W.shape[0] > W.shape[1]:
        left, sizes, right = _svd_above(W.T, threshold)
        return right.T, sizes, left.T
    scale = float(np.linalg.norm(W))
    # Squaring leaves an error of eps ||W||^2 / s in a singular value s: small enough where s is
    # above 1e-4 ||W||, for which it is several times faster.
    if threshold > 1e-4 * scale and len(W) > FEW:
        relative = W / scale
        floor, squared = (0.99 * threshold / scale) ** 2, relative @ relative.T
        if len(W) > MANY:
            left = eigh(squared, subset_by_value=(floor, np.inf), check_finite=False)[1]
        else:
            values, left = np.linalg.eigh(squared)
            left = left[:, values > floor]
        right = left.T @ W
        sizes = np.linalg.norm(right, axis=1)
        return left, sizes, right / sizes[:, None]
    return svd(W, full_matrices=False, check_finite=False)
