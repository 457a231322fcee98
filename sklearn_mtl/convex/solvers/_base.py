from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from sklearn_mtl.convex._problem import Problem


@dataclass(frozen=True, eq=False)
class Solution:
    """What a solver found.

    Attributes
    ----------
    coef : ndarray of shape (M, p)
    objective : float
    gap : float
        Upper bound on ``objective`` minus the minimum.
    n_iter : int
    converged : bool
        Whether ``gap <= tol * objective at W = 0``.
    """

    coef: np.ndarray
    objective: float
    gap: float
    n_iter: int
    converged: bool


class Solver(ABC):
    """A method for some of the problems; it returns what it found, and neither prints nor warns."""

    @abstractmethod
    def refusal(self, problem: Problem) -> str | None:
        """Return why this method cannot solve the problem, or None where it can."""

    @abstractmethod
    def solve(
        self, problem: Problem, start: np.ndarray | None, *, tol: float, max_iter: int
    ) -> Solution:
        """Return W with a duality gap of at most ``tol`` times the objective at W = 0.

        Parameters
        ----------
        problem : Problem
        start : ndarray of shape (M, p) or None
            A first guess; None is W = 0.
        tol : float
        max_iter : int
            Where it is reached first, the solution says ``converged=False``.
        """
