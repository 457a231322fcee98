import copy
from collections.abc import Callable
from functools import cached_property

import numpy as np

from sklearn_mtl.convex._problem import Problem
from sklearn_mtl.convex.datafits import GramQuadratic
from sklearn_mtl.convex.penalties import NuclearNorm
from sklearn_mtl.convex.solvers._base import Solution, Solver
from sklearn_mtl.convex.solvers._factor_model import DENSE_COST_OWN, FactorModel
from sklearn_mtl.convex.solvers._factor_newton import minimise_factors
from sklearn_mtl.convex.solvers._low_rank_alternating import AlternatingDirections
from sklearn_mtl.convex.solvers._low_rank_steps import Iterate, LowRankQuadratic

CHECK_EVERY = 5  # proximal steps between two looks at the gap
ACCELERATED = 5  # accelerated steps before the first Newton step
ALTERNATING = 50  # alternating steps before the first Newton step, unless the gap falls sooner
PATIENCE = 400  # alternating steps without a gain, after which accelerated steps take over
NEAR = 0.1  # part of the gap that alternating steps leave before the first Newton step
RUNAWAY = 1e6  # gap relative to twice the objective at W = 0, which bounds the gap there
NEWTON_STEPS = 30  # in one go, before the dual bound is looked at again
TIED_ORDER = 300  # of systems for U, where alternating steps that eliminate tasks are at hand

FirstOrder = Callable[..., tuple[Iterate, int]]


class LowRankNewton(Solver):
    """Newton steps on the factors of W, after first-order steps that find its rank.

    For the squared loss in Gram form with a nuclear norm. First-order steps choose the subspace
    and the rank; Newton steps on ``phi(V) = min_U F(U, V)``, ``W = U V'``, converge quadratically
    there, however badly the Gram matrices are conditioned; one proximal step then sets the rank
    and opens directions in which the gradient exceeds alpha.

    The rule. First-order steps are those of alternating directions where their systems cost
    little: up to `ENTRIES` of Gram matrices, with an A that is diagonal, or comes with one Gram
    matrix for all, or ties tasks as mean regularisation does. They go on until the gap falls
    tenfold. Elsewhere five steps of accelerated proximal gradient come first. The Hessian of phi
    is factorised where it is small (`FactorModel.is_dense`), and at a higher cost once alternating
    directions turn out slow; else conjugate gradients take products with it, at ranks up to a
    quarter of the largest. Where A ties tasks and alternating directions are at hand, Newton steps
    are for systems of up to `TIED_ORDER` unknowns.

    At other ranks, and when Newton steps gain less than a factor of ten of the gap, the next round
    of first-order steps goes ten times further, or twice as long if accelerated, so that where the
    second order does not pay this is a first-order method with cheap decompositions. Where rounds
    of alternating directions do not gain a factor of ten, they grow up to `PATIENCE` steps, after
    which accelerated proximal gradient takes over.

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
        self.alternates = AlternatingDirections.suits(quadratic)
        self.near = NEAR
        self.patience = ALTERNATING if self.alternates else ACCELERATED

    @cached_property
    def alternating(self) -> AlternatingDirections:
        """Made at the first step: a start that is good enough decomposes nothing."""
        return AlternatingDirections(self.quadratic)

    def run(self, enough: float, max_iter: int) -> None:
        """Search until a gap is small enough or `max_iter` is reached."""
        while self.best.gap > enough and self.n_iter < max_iter:
            start = self.best.gap
            if self.alternates:
                near = max(enough, self.near * self.current.gap)
                self._advance(self.alternating.run, near, max_iter)
                if self.current.gap > near:  # slow, as with Gram matrices of one's own
                    self.model.most_cost = DENSE_COST_OWN
            else:
                self._advance(self.quadratic.accelerated, enough, max_iter)
            before = self.best.gap
            if before <= enough or self.n_iter >= max_iter:
                return
            if self._newton_fits():
                self._newton(enough, max_iter)
            paid = self.best.gap <= 0.1 * before
            if not self.alternates:
                self.patience *= 1 if paid else 2
                continue
            self.near *= 1.0 if paid else 0.1
            if self.best.gap > 0.1 * start:
                self.patience *= 2
                if self.patience > PATIENCE:
                    self.alternates, self.current = False, self.best

    def _advance(self, method: FirstOrder, enough: float, max_iter: int) -> None:
        moved, n_iter = method(
            self.current,
            enough=enough,
            n_steps=min(self.patience, max_iter - self.n_iter),
            check_every=CHECK_EVERY,
        )
        self.n_iter += n_iter
        self._take(moved)

    def _newton_fits(self) -> bool:
        rank, model = self.current.rank, self.model
        n_unknowns = rank * len(model.weight)
        if model.is_coupled and self.alternates and n_unknowns > TIED_ORDER:
            return False
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
        if self.alternates and self.current.gap > current.gap:
            self.current = current  # whose multipliers alternating directions still have

    def _take(self, moved: Iterate) -> None:
        if not moved.gap <= RUNAWAY * self.quadratic.energy:  # a Gram that rounding spoils
            self.alternates, self.current = False, self.best
            return
        self.current = moved
        if moved.gap < self.best.gap:
            self.best = moved
