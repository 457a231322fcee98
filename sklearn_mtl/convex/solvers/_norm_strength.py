from dataclasses import replace

import numpy as np

from sklearn_mtl.convex._problem import Problem
from sklearn_mtl.convex.datafits import DesignQuadratic
from sklearn_mtl.convex.penalties import NuclearNorm
from sklearn_mtl.convex.penalties._learned_covariance import NUCLEAR, SquaredNuclearNorm
from sklearn_mtl.convex.solvers._base import Solution, Solver

ROUNDING = 1e-15  # gaps less than this share of the scale are rounding
STALLS = 5  # strengths in a row that bring no smaller gap


class NormStrength(Solver):
    """``gamma / 2 * ||W||_*^2`` by a search for the strength alpha of ``alpha * ||W||_*``.

    With W(alpha) the minimum under the norm itself, the minimum under its square is where
    ``alpha = gamma * ||W(alpha)||_*``. The right side falls as alpha rises, so that each alpha
    bounds the root on both sides; between, lines through what was found lead to it. Solves are warm
    and as exact as the gap calls for: a strength that is off by d adds but ``d^2 / (2 gamma)``.
    """

    def refusal(self, problem: Problem) -> str | None:
        """Return a reason where the penalty is not the square of a nuclear norm."""
        if not isinstance(problem.norm, SquaredNuclearNorm):
            return "the penalty is not the square of a nuclear norm"
        return None

    def solve(
        self, problem: Problem, start: np.ndarray | None, *, tol: float, max_iter: int
    ) -> Solution:
        """Return W with a small duality gap."""
        from sklearn_mtl.convex.solvers._auto import solve

        problem = on_gram_matrix(problem)
        square = problem.norm
        assert isinstance(square, SquaredNuclearNorm)
        target = tol * problem.scale
        search = _Search(square, problem)
        W = search.step if start is None else start.copy()
        known = problem.certify(W)
        if known.objective > problem.scale:
            W, known = search.step, problem.certify(search.step)
        best = W
        search.begin(W)
        wanted, n_iter, stalled = known.gap, 0, 0
        while known.gap > target and n_iter < max_iter and stalled < STALLS:
            wanted = max(0.1 * min(wanted, known.gap), 0.01 * target, ROUNDING * problem.scale)
            inner = solve(
                replace(problem, norm=NuclearNorm(search.alpha)),
                start=W,
                tol=wanted / problem.scale,
                max_iter=max_iter - n_iter,
            )
            n_iter += max(inner.n_iter, 1)
            W = inner.coef
            found = problem.certify(W)
            stalled = 0 if found.gap < 0.9 * known.gap else stalled + 1
            if found.gap < known.gap:
                best, known = W, found
            # a strength that is right, but for what the gap allows, stays
            if search.mismatch(W) > 0.1 * found.gap:
                search.learn(W)
        return Solution(best, known.objective, known.gap, n_iter, known.gap <= target)


def on_gram_matrix(problem: Problem) -> Problem:
    """Return the problem in terms of a Gram matrix, where shared dense rows outnumber features."""
    if not isinstance(problem.datafit, DesignQuadratic):
        return problem
    datafit = problem.datafit.on_gram_matrix()
    return problem if datafit is None else replace(problem, datafit=datafit)


class _Search:
    """The next strength to try, from the norms that others led to.

    Attributes
    ----------
    step : ndarray of shape (M, p)
        The proximal step from W = 0, about the solution where the penalty outweighs the loss.
    most : float
        The strength from which on W = 0.
    alpha : float
        The strength to try.
    """

    def __init__(self, square: SquaredNuclearNorm, problem: Problem) -> None:
        self.gamma = square.gamma
        slope = problem.datafit.at(np.zeros(problem.datafit.shape)).gradient
        curvature = problem.datafit.lipschitz()
        if problem.matrix is not None:
            curvature += max(float(problem.eigh[0][-1]), 0.0)
        self.step = square.prox(-slope / curvature, 1.0 / curvature) if curvature > 0 else slope
        self.most = NUCLEAR.dual_norm(slope)
        # the penalty at the solution is alpha^2 / (2 gamma), and at most the objective at W = 0
        self.alpha = min(0.5 * self.most, np.sqrt(2.0 * self.gamma * problem.scale))
        self.last: tuple[float, float] | None = None

    def begin(self, W: np.ndarray) -> None:
        """Take the first strength from a first guess, unless that is far too small."""
        size = self.gamma * NUCLEAR.norm(W)
        is_step = W is self.step
        if size > self.alpha if is_step else 0 < size < self.alpha:
            self.alpha = size

    def mismatch(self, W: np.ndarray) -> float:
        """Return the part of the gap that a wrong strength makes."""
        return (self.alpha - self.gamma * NUCLEAR.norm(W)) ** 2 / (2.0 * self.gamma)

    def learn(self, W: np.ndarray) -> None:
        """Take the norm that this strength led to."""
        alpha, size = self.alpha, self.gamma * NUCLEAR.norm(W)
        if size == 0:
            self.alpha = 0.5 * alpha
            return
        here = (np.log(alpha), np.log(size))
        if self.last is not None and self.last[0] != here[0]:
            slope = min((self.last[1] - here[1]) / (self.last[0] - here[0]), 0.0)
            following = np.exp((here[1] - slope * here[0]) / (1.0 - slope))
        elif size > alpha:
            # the line to norm 0 at the largest strength
            falls = size / max(self.most - alpha, np.finfo(float).tiny)
            following = self.most * (falls / (1.0 + falls))
        else:
            following = np.sqrt(alpha * size)
        self.last = here
        # of the last two alone: of those before, rough solves may have got the side wrong
        low, high = sorted((alpha, size))
        self.alpha = following if low < following < high else np.sqrt(low * high)
