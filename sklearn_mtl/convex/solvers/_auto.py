from typing import Any

import numpy as np

from sklearn_mtl.convex._problem import Problem
from sklearn_mtl.convex.solvers._active_features import ActiveFeatures
from sklearn_mtl.convex.solvers._base import Solution, Solver
from sklearn_mtl.convex.solvers._closed_form import ClosedForm
from sklearn_mtl.convex.solvers._fista import Fista
from sklearn_mtl.convex.solvers._group_newton import GroupNewton
from sklearn_mtl.convex.solvers._low_rank_newton import LowRankNewton
from sklearn_mtl.convex.solvers._newton_cg import NewtonCG
from sklearn_mtl.convex.solvers._prox_newton import ProxNewton
from sklearn_mtl.convex.solvers._taskwise_newton import TaskwiseNewton

SOLVERS: dict[str, Solver] = {
    "closed_form": ClosedForm(),
    "group_newton": GroupNewton(),
    "taskwise_newton": TaskwiseNewton(),
    "low_rank_newton": LowRankNewton(),
    "newton_cg": NewtonCG(),
    "active_features": ActiveFeatures(),
    "prox_newton": ProxNewton(),
    "fista": Fista(),
}

# "auto" takes the first of these that does not refuse the problem
PREFERENCE = [
    "closed_form",
    "group_newton",
    "taskwise_newton",
    "low_rank_newton",
    "newton_cg",
    "active_features",
    "prox_newton",
    "fista",
]


def choose(problem: Problem, solver: str, *, owner: str = "solve") -> Solver:
    """Return the solver of that name, or the one that "auto" stands for."""
    if solver != "auto":
        reason = SOLVERS[solver].refusal(problem)
        if reason is not None:
            fitting = [name for name, other in SOLVERS.items() if not other.refusal(problem)]
            raise ValueError(
                f"solver={solver!r} of {owner} cannot solve this problem: {reason}. Use 'auto' or "
                f"one of {fitting}."
            )
        return SOLVERS[solver]
    return next(SOLVERS[name] for name in PREFERENCE if SOLVERS[name].refusal(problem) is None)


def solve(
    problem: Problem,
    *,
    solver: str = "auto",
    start: np.ndarray | None = None,
    tol: float = 1e-6,
    max_iter: int = 1000,
    owner: Any = "solve",
) -> Solution:
    """Minimise the objective of `problem`.

    Parameters
    ----------
    problem : Problem
    solver : str, default="auto"
        A key of `SOLVERS`, or "auto": the first of `PREFERENCE` that takes the problem.
    start : ndarray of shape (M, p), default=None
        A first guess.
    tol : float, default=1e-6
        Bound on the duality gap, relative to the objective at W = 0.
    max_iter : int, default=1000
    owner : str, default="solve"
        Who asks, for errors.

    Returns
    -------
    solution : Solution
    """
    method = choose(problem, solver, owner=owner)
    return method.solve(problem, start, tol=tol, max_iter=max_iter)
