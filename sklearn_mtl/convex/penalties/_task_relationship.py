from collections.abc import Hashable, Sequence
from numbers import Real
from typing import Any

import numpy as np
from scipy.linalg import svd
from sklearn.utils._param_validation import Interval

from sklearn_mtl.convex._prior_covariance import row_covariance
from sklearn_mtl.convex._rows import CoefRows
from sklearn_mtl.convex.penalties._base import STRENGTH, Penalty, QuadraticPenalty
from sklearn_mtl.convex.penalties._learned_covariance import (
    AnchoredNuclearNorm,
    SquaredNuclearNorm,
)
from sklearn_mtl.convex.penalties._ridge import Ridge
from sklearn_mtl.tasks._chosen import ChosenTasks

# of a prior's strength, or gamma times it: squares are finite below, and weights nothing beside it
STRONGEST = 1e100


class TaskRelationship(Penalty):
    """A covariance of the tasks that is learned with their weights.

    ``min_C gamma / 2 * (tr(W' C^+ W) + delta^2 * (tr(C^+ C_0^2) - 1))``

    over the task covariances C: positive semi-definite, of trace 1, W in its range. The minimum
    is at ``C = (W W' + delta^2 C_0^2)^(1/2)``, over its trace, which makes the penalty

    ``gamma / 2 * (||[W, delta C_0]||_*^2 - delta^2)``

    with the nuclear norm. It is convex, 0 at W = 0 and, without a prior, the square of the nuclear
    norm. C is over the rows of W, of which a task of K > 2 classes has K.

    Parameters
    ----------
    gamma : float, default=0.1
        Strength, in units of the loss per squared unit of W. T unrelated tasks of one size have
        C = I / T, under which it is a ridge of strength ``gamma * T`` on each.
    prior_covariance : None, array (T, T), data frame or dict of dicts by task, default=None
        C_0: positive semi-definite, of any scale. None is that of unrelated tasks, I / T. Rows
        of tasks of several classes covary class by class.
    prior_strength : float, default=0.0
        delta, in units of W: C is nearer to C_0 than to W W' where delta exceeds the singular
        values of W. 0 is no prior, and infinity, like anything above 1e100, holds C = C_0 fixed.

    References
    ----------
    Y. Zhang and D.-Y. Yeung, "A convex formulation for learning task relationships in multi-task
    learning", UAI 2010, equations 8 and 13. The prior is an addition. As an inverse of C is taken,
    eigenvalues of C_0 that are less than 1e-8 of the largest are raised to that.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl.convex import CoefRows, TaskRelationship
    >>> rows = CoefRows(["mon", "tue"], np.arange(2), np.zeros(2, int))
    >>> W = np.array([[3.0, 0.0], [-1.0, 0.0]])
    >>> TaskRelationship().covariance(W, rows).round(2)
    array([[ 0.9, -0.3],
           [-0.3,  0.1]])
    """

    _parameter_constraints: dict[str, Any] = {
        "gamma": STRENGTH,
        "prior_covariance": "no_validation",
        "prior_strength": [Interval(Real, 0, None, closed="both")],
    }

    def __init__(
        self, gamma: float = 0.1, prior_covariance: Any = None, prior_strength: float = 0.0
    ) -> None:
        self.gamma = gamma
        self.prior_covariance = prior_covariance
        self.prior_strength = prior_strength

    def at_prior(self) -> "FixedCovariance":
        """Return the quadratic penalty that holds C = C_0."""
        return FixedCovariance(self.prior_covariance, self.gamma)

    def _parameters_for(self, tasks: ChosenTasks) -> dict[str, Any]:
        return {"prior_covariance": tasks.by_pair(self.prior_covariance)}

    def decoupled(self, task: Hashable, names: Sequence[Hashable]) -> Ridge:
        """Return the penalty with C = I / T: the ridge of strength ``gamma * T``."""
        return Ridge(self.gamma * len(names))

    @property
    def _holds_prior(self) -> bool:
        return self.prior_strength > STRONGEST / max(self.gamma, 1.0)

    def of_rows(self, rows: CoefRows) -> Any:
        """Return the term of a problem: quadratic where C is fixed, else with C put in."""
        prior, _ = row_covariance(self.prior_covariance, rows)
        # of one row the trace is all that C has: 1
        if self.gamma == 0 or self._holds_prior or rows.n_rows == 1:
            return self.at_prior()
        if self.prior_strength == 0:
            return SquaredNuclearNorm(self.gamma)
        return AnchoredNuclearNorm(self.gamma, self.prior_strength * prior)

    def covariance(self, W: np.ndarray, rows: CoefRows) -> np.ndarray:
        """Return the C that attains the minimum, shape (M, M); C_0 where W = 0 leaves it open."""
        prior, _ = row_covariance(self.prior_covariance, rows)
        if self._holds_prior:
            return prior
        stacked = np.hstack([W, self.prior_strength * prior])
        left, sizes, _ = svd(stacked.astype(np.float64), full_matrices=False)
        total = sizes.sum()
        if total == 0:
            return prior
        half = left * np.sqrt(sizes / total)
        return half @ half.T  # symmetric to the last digit

    def value(self, W: np.ndarray, rows: CoefRows) -> float:
        """Return the minimum over C."""
        term = self.of_rows(rows)
        return term.value(W, rows) if isinstance(term, QuadraticPenalty) else term.value(W)

    def scaled(self, factor: float) -> "TaskRelationship":
        """Return the penalty ``factor * Omega``."""
        return TaskRelationship(factor * self.gamma, self.prior_covariance, self.prior_strength)


class FixedCovariance(QuadraticPenalty):
    """``gamma / 2 * tr(W' C^-1 W)`` for a covariance C of the tasks, scaled to trace 1.

    Parameters
    ----------
    covariance : None, array (T, T), data frame or dict of dicts by task
        As in `TaskRelationship`.
    gamma : float
    """

    def __init__(self, covariance: Any, gamma: float) -> None:
        self.covariance = covariance
        self.gamma = gamma

    def task_matrix(self, rows: CoefRows) -> np.ndarray:
        """Return ``gamma * C^-1``."""
        inverse = np.linalg.inv(row_covariance(self.covariance, rows)[0])
        return 0.5 * self.gamma * (inverse + inverse.T)

    def scaled(self, factor: float) -> "FixedCovariance":
        """Return the penalty ``factor * Omega``."""
        return FixedCovariance(self.covariance, factor * self.gamma)
