from typing import Any

import numpy as np

from sklearn_mtl.convex.penalties._base import STRENGTH, NormPenalty


class GroupL21(NormPenalty):
    """Joint feature selection: ``alpha * ||W||_{2,1}``, a feature is in all tasks or in none.

    The norm is the sum over features of the Euclidean norm of the feature's weights in all tasks,
    a column of W.

    Parameters
    ----------
    alpha : float, default=0.1
        Strength, in units of the loss per unit of W.

    References
    ----------
    G. Obozinski, B. Taskar and M. Jordan, "Joint covariate selection and joint subspace selection
    for multiple classification problems", Statistics and Computing 20, 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl.convex import GroupL21
    >>> print(GroupL21(alpha=2.0).value(np.array([[3.0, 0.0], [4.0, 0.0]])))
    10.0
    """

    _parameter_constraints: dict[str, list[Any]] = {"alpha": STRENGTH}

    def __init__(self, alpha: float = 0.1) -> None:
        self.alpha = alpha

    def norm(self, W: np.ndarray) -> float:
        """Return the sum of the norms of the columns of W."""
        return float(np.linalg.norm(W, axis=0).sum())

    def prox(self, W: np.ndarray, step: float) -> np.ndarray:
        """Return ``argmin_V ||V - W||_F^2 / 2 + step * alpha * ||V||_{2,1}``."""
        # shrink each column towards 0 by step * alpha (Obozinski et al. 2010)
        sizes = np.linalg.norm(W, axis=0)
        return W * np.maximum(1.0 - step * self.alpha / np.maximum(sizes, 1e-300), 0.0)

    def dual_norm(self, V: np.ndarray) -> float:
        """Return the largest norm of a column."""
        return float(np.linalg.norm(V, axis=0).max(initial=0.0))

    def subdiff_distance(self, W: np.ndarray, gradient: np.ndarray) -> float:
        """Return the distance of ``-gradient`` from ``alpha`` times the subdifferential at W."""
        sizes = np.linalg.norm(W, axis=0)
        kept = sizes > 0
        inside = -gradient[:, kept] - self.alpha * W[:, kept] / sizes[kept]
        excess = np.linalg.norm(gradient[:, ~kept], axis=0) - self.alpha
        return float(np.hypot(np.linalg.norm(inside), np.linalg.norm(np.maximum(excess, 0.0))))
