from abc import abstractmethod
from collections.abc import Hashable, Sequence
from numbers import Real
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils._param_validation import Interval

from sklearn_mtl.convex._rows import CoefRows
from sklearn_mtl.tasks._chosen import ChosenTasks

STRENGTH = [Interval(Real, 0, None, closed="left")]


class Penalty(BaseEstimator):
    """A convex penalty Omega(W) on the weights W of all tasks, shape (n_tasks, n_features).

    Parameters are searchable (``penalty__alpha``), and penalties add up:
    ``NuclearNorm(0.1) + Ridge(0.01)``.
    """

    _parameter_constraints: dict[str, list[Any]] = {}

    def __add__(self, other: Any) -> "Penalty":
        if not isinstance(other, Penalty):
            return NotImplemented
        from sklearn_mtl.convex.penalties._sum import PenaltySum

        return PenaltySum.of(self, other)

    def check(self) -> None:
        """Raise an error where a parameter is out of range."""
        self._validate_params()

    def of_rows(self, rows: CoefRows) -> Any:
        """Return the term of a problem whose W has these rows: the penalty itself, as a rule."""
        return self

    def decoupled(self, task: Hashable, names: Sequence[Hashable]) -> "Penalty":
        """Return what the penalty is on one task where tasks of these names share nothing.

        Omega on weights of which those of other tasks are orthogonal to the task's, as a function
        of the task's own: the penalty itself, as a rule.

        Parameters
        ----------
        task : name
        names : sequence of T names
            With `task` among them.
        """
        return clone(self)

    def _parameters_for(self, tasks: ChosenTasks) -> dict[str, Any]:
        """Return the parameters that are of each task, for some of the tasks: none, as a rule."""
        return {}

    @abstractmethod
    def value(self, W: np.ndarray, rows: CoefRows) -> float:
        """Return Omega(W)."""

    @abstractmethod
    def scaled(self, factor: float) -> Self:
        """Return the penalty ``factor * Omega``."""


class NormPenalty(Penalty):
    """A penalty ``alpha * ||W||`` with a norm whose prox is known.

    Attributes
    ----------
    is_rotation_invariant : bool
        Whether the norm of W and of W Q' agree for every Q with orthonormal columns, so that
        wide data may be rotated into fewer features.
    """

    alpha: float
    is_rotation_invariant = False

    @abstractmethod
    def norm(self, W: np.ndarray) -> float:
        """Return ||W||."""

    @abstractmethod
    def prox(self, W: np.ndarray, step: float) -> np.ndarray:
        """Return ``argmin_V ||V - W||_F^2 / 2 + step * alpha * ||V||``."""

    @abstractmethod
    def dual_norm(self, V: np.ndarray) -> float:
        """Return ``max <V, W>`` over ``||W|| <= 1``."""

    def dual(self, W: np.ndarray, gradient: np.ndarray) -> tuple[float, float]:
        """Return the largest kappa <= 1 that makes ``-kappa * gradient`` feasible, and 0.

        The conjugate of the penalty is 0 where the dual norm is at most alpha, else infinite.
        """
        size = self.dual_norm(gradient)
        return (1.0 if size <= self.alpha else self.alpha / size), 0.0

    @abstractmethod
    def subdiff_distance(self, W: np.ndarray, gradient: np.ndarray) -> float:
        """Return the distance of ``-gradient`` from the subdifferential of Omega at W."""

    def value(self, W: np.ndarray, rows: CoefRows | None = None) -> float:
        """Return ``alpha * ||W||``."""
        return self.alpha * self.norm(W)

    def alpha_max(self, gradient: np.ndarray) -> float:
        """Return the smallest alpha for which W = 0 is optimal, given the gradient there."""
        return self.dual_norm(gradient)

    def scaled(self, factor: float) -> Self:
        """Return the penalty ``factor * Omega``."""
        return type(self)(**{**self.get_params(deep=False), "alpha": factor * self.alpha})


class QuadraticPenalty(Penalty):
    """A penalty ``tr(W' A W) / 2`` with a positive semi-definite A over the rows of W."""

    @abstractmethod
    def task_matrix(self, rows: CoefRows) -> np.ndarray:
        """Return A, shape (M, M), for the M rows of W that `rows` describes."""

    def row_sums(self, rows: CoefRows) -> np.ndarray:
        """Return ``A 1``, shape (M,).

        Where it is small against the entries of A, a subclass knows it to more digits.
        """
        return self.task_matrix(rows).sum(axis=1)

    def value(self, W: np.ndarray, rows: CoefRows) -> float:
        """Return ``tr(W' A W) / 2``."""
        return 0.5 * float(np.vdot(W, self.task_matrix(rows) @ W))
