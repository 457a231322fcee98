from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from sklearn_mtl.convex._problem import Problem
from sklearn_mtl.convex.datafits import CurvedDatafit
from sklearn_mtl.convex.datafits._quadratic import QuadraticDatafit
from sklearn_mtl.convex.penalties._learned_covariance import (
    AnchoredNuclearNorm,
    SquaredNuclearNorm,
)
from sklearn_mtl.convex.solvers._base import Solution, Solver
from sklearn_mtl.convex.solvers._newton_cg import newton_direction
from sklearn_mtl.convex.solvers._norm_strength import NormStrength, on_gram_matrix
from sklearn_mtl.convex.solvers._row_preconditioner import RowPreconditioner

ROUNDING = 1e-15  # steps that promise less, relative to the objective, are lost in its digits
SUFFICIENT = 1e-4  # of the fall that the slope promises, which a step must bring
SHORTEST = 1e-10  # of a step, relative to Newton's
STALLS = 2  # steps in a row that gain nothing


class RelationshipNewton(Solver):
    """Truncated Newton for a task covariance with a prior of finite strength.

    With the covariance C put in, the penalty is smooth in W. Its quadratic majoriser at W, which
    holds C fixed, is what alternating minimisation of W and C solves; here it preconditions
    conjugate gradients for the Newton step, beside one second moment for all tasks. Alternation
    moves W by a part of its distance from the minimum, Newton's method squares that distance. Steps
    are cut until the objective falls.

    A weak prior makes the penalty all but kinked where singular values of W are near 0. Newton's
    method then starts from the minimum without the prior, which has them at 0, where that is better
    than the start it is given.
    """

    def refusal(self, problem: Problem) -> str | None:
        """Return a reason where the penalty is another, or the loss has no second derivative."""
        if not isinstance(problem.norm, AnchoredNuclearNorm):
            return "the penalty is no task covariance with a prior of finite strength"
        if not isinstance(problem.datafit, (QuadraticDatafit, CurvedDatafit)):
            return "the loss is a quadratic model of another"
        return None

    def solve(
        self, problem: Problem, start: np.ndarray | None, *, tol: float, max_iter: int
    ) -> Solution:
        """Return W with a small duality gap."""
        problem = on_gram_matrix(problem)
        datafit, term, tie = problem.datafit, problem.norm, problem.coupling.product
        assert isinstance(term, AnchoredNuclearNorm)
        target = tol * problem.scale
        W, n_iter = _first_guess(problem, start, tol=tol, max_iter=max_iter)
        point = datafit.at(W)
        known = problem.certify(W, point)
        best = Solution(W, known.objective, known.gap, n_iter, known.gap <= target)
        stalled, first = 0, 0.0
        preconditioner = None
        while known.gap > target and n_iter < max_iter and stalled < STALLS:
            n_iter += 1
            bend = _Bend(term, W)
            gradient = point.gradient + tie(W) + bend.gradient
            curved, row_scale = _curvature(datafit, point)
            # C held, the penalty is quadratic: what alternating minimisation goes by
            held = problem.coupling.matrix + bend.majoriser()
            if preconditioner is None:
                preconditioner = RowPreconditioner(replace(problem, matrix=held, row_sums=None))
            preconditioner = preconditioner.under(held).at(row_scale)
            size = float(np.sqrt(np.vdot(gradient, preconditioner.solve(gradient))))
            first = first or size
            # the gap is quadratic in the gradient: no need to go far below the target
            forcing = max(min(0.1, size / first), 0.1 * np.sqrt(target / known.gap))
            direction = newton_direction(
                gradient, (curved, tie, bend.product), preconditioner, forcing
            )
            slope = float(np.vdot(gradient, direction))
            slack = ROUNDING * abs(known.objective)
            step, here = 1.0, known.objective
            while True:
                moved = W + step * direction
                point = datafit.at(moved)
                known = problem.certify(moved, point)
                enough = here + SUFFICIENT * step * slope + slack
                if known.objective <= enough or step < SHORTEST:
                    break
                step *= 0.5
            W = moved
            # where the objective cannot tell two iterates apart any more, their gaps can
            lost = (-slope <= slack or step < SHORTEST) and known.gap > 0.5 * best.gap
            stalled = stalled + 1 if lost else 0
            if known.gap < best.gap:
                best = Solution(W, known.objective, known.gap, n_iter, known.gap <= target)
        return replace(best, n_iter=n_iter)


def _first_guess(
    problem: Problem, start: np.ndarray | None, *, tol: float, max_iter: int
) -> tuple[np.ndarray, int]:
    """Return the better one of the start and the minimum without the prior, and iterations."""
    W = np.zeros(problem.datafit.shape) if start is None else start.copy()
    known = problem.certify(W)
    if known.gap <= tol * problem.scale:
        return W, 0
    assert isinstance(problem.norm, AnchoredNuclearNorm)
    free = replace(problem, norm=SquaredNuclearNorm(problem.norm.gamma))
    # half of the iterations at most: a strong prior needs no such start
    found = NormStrength().solve(free, start, tol=tol, max_iter=max_iter // 2)
    better = problem.certify(found.coef).objective < known.objective
    return (found.coef if better else W), found.n_iter


def _curvature(datafit: Any, point: Any) -> tuple[Callable[[np.ndarray], np.ndarray], np.ndarray]:
    """Return the product with the Hessian of the loss, and how it weighs the rows of W."""
    if isinstance(datafit, CurvedDatafit):
        curvature = point.curvature()
        return curvature.product, curvature.row_scale
    # the gradient is affine
    return lambda D: datafit.at(D).gradient + datafit.linear, datafit.task_weight


class _Bend:
    """Gradient and Hessian of the penalty at W, in the eigenvectors of S.

    With ``S = (W W' + D^2)^(1/2)`` the gradient is ``gamma tr(S) S^-1 W``, and along E

        gamma tr(S) (S^-1 E - S^-1 dS S^-1 W) + gamma <S^-1 W, E> S^-1 W,
        S dS + dS S = W E' + E W'.
    """

    def __init__(self, term: AnchoredNuclearNorm, W: np.ndarray) -> None:
        self.gamma = term.gamma
        self.sizes, self.vectors = term.root(W)
        self.strength = self.gamma * float(self.sizes.sum())
        self.W = self.vectors.T @ W
        self.scaled = self.W / self.sizes[:, None]
        self.sums = self.sizes[:, None] + self.sizes
        self.gradient = self.strength * (self.vectors @ self.scaled)

    def product(self, E: np.ndarray) -> np.ndarray:
        """Return the Hessian of the penalty times E."""
        turned = self.vectors.T @ E
        half = turned @ self.W.T
        change = ((half + half.T) / self.sums) @ self.scaled
        moved = self.strength * (turned - change) / self.sizes[:, None]
        moved += self.gamma * float(np.vdot(self.scaled, turned)) * self.scaled
        return self.vectors @ moved

    def majoriser(self) -> np.ndarray:
        """Return ``gamma C^-1 = gamma tr(S) S^-1``, shape (M, M)."""
        return (self.vectors * (self.strength / self.sizes)) @ self.vectors.T
