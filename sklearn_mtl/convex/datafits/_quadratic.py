from abc import abstractmethod
from functools import cached_property

import numpy as np

from sklearn_mtl.convex._coupling import EPS
from sklearn_mtl.convex.datafits._base import Datafit, Point


def quadratic_point(W: np.ndarray, product: np.ndarray, linear: np.ndarray, energy: float) -> Point:
    """Return ``(<W, H W> - 2 <W, l> + e) / 2`` with its gradient and dual.

    Parameters
    ----------
    W, product, linear : ndarray of shape (M, p)
        W, H W and l.
    energy : float
        e.
    """
    curved, slope = float(np.vdot(W, product)), float(np.vdot(W, linear))
    residual_energy = curved - 2 * slope + energy  # sum_t lambda_t ||y - Xw||^2 / n
    inner = energy - slope  # sum_t lambda_t <y - Xw, y> / n

    def dual(kappa: float) -> float:
        return kappa * inner - 0.5 * kappa**2 * residual_energy

    # at W = 0 nothing cancels
    rounding = EPS * (abs(curved) + 2 * abs(slope))
    return Point(0.5 * residual_energy, product - linear, dual, rounding=rounding)


class QuadraticDatafit(Datafit):
    """A squared loss, whose Hessian is ``lambda_t G_g(t)`` for task t and 0 between tasks.

    Attributes
    ----------
    group : ndarray of shape (T,)
        g: tasks of one group share their second moments G.
    task_weight : ndarray of shape (T,)
        lambda.
    linear : ndarray of shape (T, p)
        The negative gradient at W = 0.
    """

    group: np.ndarray
    task_weight: np.ndarray
    linear: np.ndarray

    @cached_property
    def curvature_classes(self) -> list[np.ndarray]:
        """The tasks of each group of tasks with one G."""
        return [np.flatnonzero(self.group == k) for k in range(int(self.group.max()) + 1)]

    @abstractmethod
    def gram_block(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return these rows and columns of each G, shape (K, len(rows), len(columns))."""

    @abstractmethod
    def of_task(self, task: int) -> "QuadraticDatafit":
        """Return the loss of one task alone, with weights of shape (1, p)."""

    def root(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """Return A, Z with ``A'A = G`` and ``lambda_t A'z_t = linear_t``, or None.

        A is (m, len(features)) and Z is (m, T): the rows themselves, where they are at hand.
        """
        return None
