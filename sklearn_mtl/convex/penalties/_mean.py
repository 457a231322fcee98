from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from sklearn_mtl.convex._rows import CoefRows
from sklearn_mtl.convex.penalties._base import STRENGTH, QuadraticPenalty
from sklearn_mtl.convex.penalties._ridge import Ridge

NOTHING_SHARED = 1e100  # a strength on w_0 beside which every other is nothing


class MeanRegularization(QuadraticPenalty):
    """Weights near a shared one: w_t = w_0 + v_t, both small.

    ``min_{w_0} alpha_shared / 2 * ||w_0||^2 + alpha_specific / 2 * sum_t ||w_t - w_0||^2``

    Tasks of several classes share a w_0 for each class with the tasks that have the same classes.

    Parameters
    ----------
    alpha_shared : float, default=0.01
        Strength on w_0, in units of the loss per squared unit of W.
    alpha_specific : float, default=0.1
        Strength on each v_t.

    References
    ----------
    T. Evgeniou and M. Pontil, "Regularized multi-task learning", KDD 2004, equation 3.

    Examples
    --------
    >>> from sklearn_mtl.convex import MeanRegularization
    >>> MeanRegularization(alpha_shared=0.1)
    MeanRegularization(alpha_shared=0.1)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "alpha_shared": STRENGTH,
        "alpha_specific": STRENGTH,
    }

    def __init__(self, alpha_shared: float = 0.01, alpha_specific: float = 0.1) -> None:
        self.alpha_shared = alpha_shared
        self.alpha_specific = alpha_specific

    def decoupled(self, task: Hashable, names: Sequence[Hashable]) -> Ridge:
        """Return the penalty with w_0 = 0: the ridge of strength `alpha_specific`."""
        return Ridge(self.alpha_specific)

    def shared(self, W: np.ndarray) -> np.ndarray:
        """Return the w_0 that attains the minimum, for the rows of one block, shape (p,)."""
        # stationary in w_0: (alpha_shared + T alpha_specific) w_0 = alpha_specific sum_t w_t
        total = self.alpha_shared + len(W) * self.alpha_specific
        return W.sum(axis=0) * (self.alpha_specific / total if total > 0 else 0.0)

    def task_matrix(self, rows: CoefRows) -> np.ndarray:
        """Return ``alpha_specific (I - c 1 1')`` for each block of rows."""
        specific = float(self.alpha_specific)
        total = self.alpha_shared + np.bincount(rows.block) * specific
        square = np.full_like(total, specific**2)
        taken = np.divide(square, total, out=np.zeros_like(total), where=total > 0)
        matrix = np.where(rows.block[:, None] == rows.block, -taken[rows.block], 0.0)
        matrix.flat[:: rows.n_rows + 1] += specific
        return matrix

    def row_sums(self, rows: CoefRows) -> np.ndarray:
        """Return ``1 / (1 / alpha_specific + n / alpha_shared)``, n the rows of the block."""
        shared, specific = float(self.alpha_shared), float(self.alpha_specific)
        count = np.bincount(rows.block)
        total = shared + count * specific
        sums = np.divide(shared * specific, total, out=np.zeros(len(count)), where=total > 0)
        return sums[rows.block]

    def scaled(self, factor: float) -> "MeanRegularization":
        """Return the penalty ``factor * Omega``."""
        return MeanRegularization(factor * self.alpha_shared, factor * self.alpha_specific)
