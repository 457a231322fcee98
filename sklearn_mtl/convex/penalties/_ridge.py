from typing import Any

import numpy as np

from sklearn_mtl.convex._rows import CoefRows
from sklearn_mtl.convex.penalties._base import STRENGTH, QuadraticPenalty


class Ridge(QuadraticPenalty):
    """Small weights: ``alpha / 2 * ||W||_F^2``.

    Parameters
    ----------
    alpha : float, default=0.01
        Strength, in units of the loss per squared unit of W.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl.convex import NuclearNorm, Ridge
    >>> penalty = NuclearNorm(0.1) + Ridge(0.01)
    >>> penalty.get_params()["ridge__alpha"]
    0.01
    """

    _parameter_constraints: dict[str, list[Any]] = {"alpha": STRENGTH}

    def __init__(self, alpha: float = 0.01) -> None:
        self.alpha = alpha

    def task_matrix(self, rows: CoefRows) -> np.ndarray:
        """Return ``alpha * I``."""
        return self.alpha * np.eye(rows.n_rows)

    def scaled(self, factor: float) -> "Ridge":
        """Return the penalty ``factor * Omega``."""
        return Ridge(factor * self.alpha)
