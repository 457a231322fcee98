from typing import Any

import numpy as np

from sklearn_mtl.convex.penalties._base import STRENGTH, NormPenalty


class L1(NormPenalty):
    """Sparse weights, each task on its own: ``alpha * sum_tj |w_tj|``.

    Parameters
    ----------
    alpha : float, default=0.1
        Strength, in units of the loss per unit of W.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl.convex import L1
    >>> print(L1(alpha=2.0).value(np.array([[3.0, 0.0], [-4.0, 0.0]])))
    14.0
    """

    _parameter_constraints: dict[str, list[Any]] = {"alpha": STRENGTH}

    def __init__(self, alpha: float = 0.1) -> None:
        self.alpha = alpha

    def norm(self, W: np.ndarray) -> float:
        """Return the sum of absolute weights."""
        return float(np.abs(W).sum())

    def prox(self, W: np.ndarray, step: float) -> np.ndarray:
        """Return ``argmin_V ||V - W||_F^2 / 2 + step * alpha * sum |v_tj|``."""
        return np.sign(W) * np.maximum(np.abs(W) - step * self.alpha, 0.0)

    def dual_norm(self, V: np.ndarray) -> float:
        """Return the largest absolute entry."""
        return float(np.abs(V).max(initial=0.0))

    def subdiff_distance(self, W: np.ndarray, gradient: np.ndarray) -> float:
        """Return the distance of ``-gradient`` from ``alpha`` times the subdifferential at W."""
        inside = -gradient - self.alpha * np.sign(W)
        excess = np.maximum(np.abs(gradient) - self.alpha, 0.0)
        return float(np.linalg.norm(np.where(W == 0, excess, inside)))
