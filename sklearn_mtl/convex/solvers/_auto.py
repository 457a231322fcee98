from dataclasses import replace
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
from sklearn_mtl.convex.solvers._norm_strength import NormStrength
from sklearn_mtl.convex.solvers._prox_newton import ProxNewton
from sklearn_mtl.convex.solvers._relationship_newton import RelationshipNewton
from sklearn_mtl.convex.solvers._taskwise_newton import TaskwiseNewton

SOLVERS: dict[str, Solver] = {
    "closed_form": ClosedForm(),
    "group_newton": GroupNewton(),
    "taskwise_newton": TaskwiseNewton(),
    "low_rank_newton": LowRankNewton(),
    "norm_strength": NormStrength(),
    "relationship_newton": RelationshipNewton(),
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
    "norm_strength",
    "relationship_newton",
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
    if solver != "auto":
        return method.solve(problem, start, tol=tol, max_iter=max_iter)
    return _solve_surely(problem, method, start, tol=tol, max_iter=max_iter)


def _solve_surely(
    problem: Problem, method: Solver, start: np.ndarray | None, *, tol: float, max_iter: int
) -> Solution:
    """Return what the method found, or what accelerated gradient makes of it where it gave up.

    Methods of second order stop where rounding leaves no progress, which on badly scaled features
    may be far from the minimum. No answer is worse than W = 0, whose gap is at most the scale.
    """
    try:
        # what overflows has no finite gap, and is not kept
        with np.errstate(over="ignore", invalid="ignore"):
            solution = method.solve(problem, start, tol=tol, max_iter=max_iter)
    except np.linalg.LinAlgError:  # a factor that rounding makes indefinite
        solution = _zero(problem, tol=tol)
    if not solution.gap <= problem.scale:
        solution = replace(_zero(problem, tol=tol), n_iter=solution.n_iter)
    left = max_iter - solution.n_iter
    fista = SOLVERS["fista"]
    if solution.converged or left < 1 or method is fista or fista.refusal(problem) is not None:
        return solution
    more = fista.solve(problem, solution.coef, tol=tol, max_iter=left)
    best = more if more.gap < solution.gap else solution
    return replace(best, n_iter=solution.n_iter + more.n_iter)


def _zero(problem: Problem, *, tol: float) -> Solution:
    """Return W = 0."""
    W = np.zeros(problem.datafit.shape)
    known = problem.certify(W)
    converged = known.gap <= tol * problem.scale
    return Solution(W, known.objective, known.gap, n_iter=0, converged=converged)
