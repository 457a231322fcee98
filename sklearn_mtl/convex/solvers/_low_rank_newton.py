import copy

import numpy as np

from sklearn_mtl.convex._problem import Problem
from sklearn_mtl.convex.datafits import GramQuadratic
from sklearn_mtl.convex.penalties import NuclearNorm
from sklearn_mtl.convex.solvers._base import Solution, Solver
from sklearn_mtl.convex.solvers._factor_model import FactorModel
from sklearn_mtl.convex.solvers._factor_newton import minimise_factors
from sklearn_mtl.convex.solvers._low_rank_alternating import AlternatingDirections
from sklearn_mtl.convex.solvers._low_rank_steps import Iterate, LowRankQuadratic

CHECK_EVERY = 5  # proximal steps between two looks at the gap
ACCELERATED = 5  # accelerated steps before the first Newton step
ALTERNATING = 50  # alternating steps before the first Newton step, unless the gap falls sooner
PATIENCE = 400  # alternating steps without a gain, after which accelerated steps take over
NEAR = 0.1  # to this part of itself
NEWTON_STEPS = 30  # in one go, before the dual bound is looked at again


class LowRankNewton(Solver):
    """Newton steps on the factors of W, after first-order steps that find its rank.

    For the squared loss in Gram form with a nuclear norm. First-order steps choose the subspace
    and the rank; Newton steps on ``phi(V) = min_U F(U, V)``, ``W = U V'``, converge quadratically
    there, however badly the Gram matrices are conditioned; one proximal step then sets the rank
    and opens directions in which the gradient exceeds alpha.

    The rule. Where tasks have Gram matrices of their own, first-order steps are those of
    alternating directions, until the gap falls tenfold; where all share one, or A ties tasks
    that do not, they are five of accelerated proximal gradient. The Hessian of phi is factorised
    where it is small (`FactorModel.is_dense`); else conjugate gradients take products with it, at
    ranks up to a quarter of the largest. At other ranks, and when a round gains less than a
    factor of ten of the gap, the next takes twice as many first-order steps, so that where the
    second order does not pay this is a first-order method with cheap decompositions; and where
    alternating directions do not pay, it is accelerated proximal gradient.

    References
    ----------
    G. Bareilles, F. Iutzeler and J. Malick, "Newton acceleration on manifolds identified by
    proximal gradient methods", Mathematical Programming 200, 2023, Algorithm 1: here the manifold
    of fixed rank is written in factors, where columns may also shrink to zero.
    """

    def refusal(self, problem: Problem) -> str | None:
        """Return why this method cannot solve the problem, or None where it can."""
        if not isinstance(problem.norm, NuclearNorm):
            return "it needs a nuclear norm"
        if not isinstance(problem.datafit, GramQuadratic):
            return "it needs the squared loss in Gram form"
        return None

    def solve(
        self, problem: Problem, start: np.ndarray | None, *, tol: float, max_iter: int
    ) -> Solution:
        """Return W with a small duality gap; its singular values are positive or zero."""
        assert isinstance(problem.norm, NuclearNorm)
        assert isinstance(problem.datafit, GramQuadratic)
        datafit, matrix, rotation = problem.datafit, problem.matrix, None
        if matrix is not None and datafit.is_uniform:
            # Q' W has the same norm, and the same loss at Q' C: A becomes diagonal
            values, rotation = problem.eigh
            datafit, matrix = copy.copy(datafit), np.diag(values)
            datafit.linear = rotation.T @ datafit.linear
            start = None if start is None else rotation.T @ start
        quadratic = LowRankQuadratic(datafit, matrix, problem.norm)
        search = _Search(quadratic, None if start is None or not start.any() else start)
        enough = tol * problem.scale
        while True:
            search.run(enough, max_iter)
            W = search.best.coef if rotation is None else rotation @ search.best.coef
            certificate = problem.certify(W)
            passed = certificate.gap <= tol * problem.scale
            if passed or search.n_iter >= max_iter or search.best.gap == 0:
                break
            enough = 0.5 * min(enough, search.best.gap)  # the two bounds differ by rounding
        return Solution(
            W,
            certificate.objective,
            certificate.gap,
            search.n_iter,
            passed,
        )


class _Search:
    """Where the search stands: the iterate of smallest gap, and what has paid so far."""

    def __init__(self, quadratic: LowRankQuadratic, start: np.ndarray | None) -> None:
        self.quadratic = quadratic
        self.current = quadratic.zero() if start is None else quadratic.iterate(start)
        self.best = self.current
        self.n_iter = 0
        self.model = FactorModel(quadratic.datafit, quadratic.matrix, quadratic.norm.alpha)
        suits = AlternatingDirections.suits(quadratic)
        self.alternating = AlternatingDirections(quadratic) if suits else None
        self.patience = ACCELERATED if self.alternating is None else ALTERNATING

    def run(self, enough: float, max_iter: int) -> None:
        """Search until a gap is small enough or `max_iter` is reached."""
        while self.best.gap > enough and self.n_iter < max_iter:
            self._advance(enough, max_iter)
            if self.best.gap <= enough or self.n_iter >= max_iter:
                return
            before = self.best.gap
            if self._newton_fits():
                self._newton(enough, max_iter)
            if self.best.gap > 0.1 * before:
                self.patience *= 2
                if self.alternating is not None and self.patience > PATIENCE:
                    self.alternating, self.current = None, self.best

    def _advance(self, enough: float, max_iter: int) -> None:
        n_steps, method = min(self.patience, max_iter - self.n_iter), self.quadratic.accelerated
        if self.alternating is not None:
            method, enough = self.alternating.run, max(enough, NEAR * self.current.gap)
        moved, n_iter = method(
            self.current, enough=enough, n_steps=n_steps, check_every=CHECK_EVERY
        )
        self.n_iter += n_iter
        self._take(moved)

    def _newton_fits(self) -> bool:
        rank, model = self.current.rank, self.model
        if rank == 0 or not model.is_small(rank):
            return False
        # as measured: above a quarter of full rank, products with factors gain nothing
        return model.is_dense(rank) or 4 * rank <= min(self.quadratic.datafit.shape)

    def _newton(self, enough: float, max_iter: int) -> None:
        current = self.current
        point, n_iter = minimise_factors(
            self.model,
            current.right.T * np.sqrt(current.sizes),
            target=0.1 * enough,
            max_iter=min(NEWTON_STEPS, max_iter - self.n_iter),
        )
        self.n_iter += n_iter
        W = point.U @ point.V.T
        self._take(self.quadratic.proximal_step(W - self.quadratic.step * point.slope))

    def _take(self, moved: Iterate) -> None:
        self.current = moved
        if moved.gap < self.best.gap:
            self.best = moved
