from typing import Any

import numpy as np
from scipy.linalg import svd

from sklearn_mtl.convex.penalties._base import STRENGTH, NormPenalty


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
        # soft-threshold the singular values (Cai, Candes & Shen 2010, Theorem 2.1)
        left, sizes, right = svd(W, full_matrices=False, check_finite=False)
        kept = sizes > step * self.alpha
        return (left[:, kept] * (sizes[kept] - step * self.alpha)) @ right[kept]

    def dual_norm(self, V: np.ndarray) -> float:
        """Return the largest singular value."""
        return float(np.linalg.norm(V, 2))

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
