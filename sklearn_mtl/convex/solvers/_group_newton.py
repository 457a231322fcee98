from dataclasses import dataclass, replace

import numpy as np

from sklearn_mtl.convex._problem import Certificate, Problem
from sklearn_mtl.convex.datafits import DesignQuadratic, GramQuadratic, QuadraticDatafit
from sklearn_mtl.convex.penalties import GroupL21
from sklearn_mtl.convex.solvers._base import Solution, Solver
from sklearn_mtl.convex.solvers._bounded import iterate_bounded, solve_bounded
from sklearn_mtl.convex.solvers._first_steps import MOST_STEPS, first_steps, steps_pay
from sklearn_mtl.convex.solvers._resolvents import Resolvent, Resolvents

GROWTH = 128  # features that may enter at once, or as many as are in
DENSE_SIZE = 256  # up to here the Newton matrix is formed: a factor costs less than 10 products
DAMPING = 1e-12  # of the Newton matrix by its diagonal: equal columns make it singular
LEAP = 3.0  # bound on the factor ||v|| of the secular step
MAX_DAMPED = 5  # Newton steps, each damped more, before a proximal gradient step
FAR = 3.0  # times alpha: many gradients at W = 0 that are less are so by features that will be in
MOST_AT_WORK = 0.75  # of all features: with more, rows give way to the Gram matrix of all
PATIENCE = 10  # steps without a better gap, after which rounding is what is left


class GroupNewton(Solver):
    """Newton's method on the sizes of features, for the squared loss and ``alpha ||W||_{2,1}``.

    With ``||w|| = min_{eta >= 0} (||w||^2 / eta + eta) / 2`` the minimum over W is ridge regression
    with strength ``alpha / eta_j`` on feature j, and what remains is a convex function of eta >= 0,
    one number a feature however many tasks there are:

    ``J(eta) = alpha sum_j eta_j / 2 - sum_t b_t' w_t(eta) / 2``
    ``dJ / d eta_j = alpha (1 - ||v_j||^2) / 2``  with ``v_j = w_j / eta_j``

    A feature is out, eta_j = 0, where its gradient ``alpha v_j`` is shorter than alpha. Newton
    steps are taken for ``1 / ||v_j|| = 1`` instead, which is linear in eta_j where features are
    uncorrelated, so that one step solves such a problem from anywhere, as in the secular equation
    of trust regions. Each step works on the features that are in, or that violate optimality.
    Where a step does not lower J, a proximal gradient step is taken, which always does.

    Two cheaper ways come first, by the number of features that are in at the start, or without a
    start whose gradient is longer than three alpha. Where they are three quarters of all features,
    and rows are no fewer than features, the Gram matrix is formed at once rather than by columns.
    And on one Gram matrix without a start, where `steps_pay`, a few steps of accelerated proximal
    gradient are tried: they solve problems of little correlated features in a fraction of the
    time, and make others up to an eighth slower. (From a start, Newton's method is as fast.)

    References
    ----------
    A. Argyriou, T. Evgeniou and M. Pontil, "Convex multi-task feature learning", Machine Learning
    73, 2008, for the problem in eta. A. Conn, N. Gould and P. Toint, "Trust-region methods", 2000,
    section 7.3, for Newton's method on the inverse norm. D. Bertsekas, "Projected Newton methods
    for optimization problems with simple constraints", SIAM J. Control and Optimization 20, 1982.
    """

    def refusal(self, problem: Problem) -> str | None:
        """Return why this method cannot solve the problem, or None where it can."""
        if not isinstance(problem.datafit, QuadraticDatafit):
            return "the loss is not squared error"
        if not isinstance(problem.norm, GroupL21):
            return "the norm is not GroupL21"
        matrix = problem.matrix
        if matrix is not None and (matrix != matrix[0, 0] * np.eye(len(matrix))).any():
            return "a quadratic penalty ties tasks"
        return None

    def solve(
        self, problem: Problem, start: np.ndarray | None, *, tol: float, max_iter: int
    ) -> Solution:
        """Return W with a small duality gap."""
        goal, n_first = tol * problem.scale, 0
        n_at_work = count_at_work(problem, start)
        problem = on_gram_matrix(problem, n_at_work)
        datafit = problem.datafit
        one_gram = isinstance(datafit, GramQuadratic) and datafit.is_shared
        cold = start is None and max_iter > MOST_STEPS
        if cold and one_gram and steps_pay(n_at_work, *datafit.shape[::-1]):
            first, n_first = first_steps(problem, goal=goal)
            if first is not None:
                return first
        found = minimise(problem, start, goal=goal, max_iter=max_iter - n_first)
        return replace(found, n_iter=found.n_iter + n_first)


def count_at_work(problem: Problem, start: np.ndarray | None) -> int:
    """Return about how many features will be in: those that are, or violate optimality by far."""
    if start is not None:
        return int(np.count_nonzero(start.any(axis=0)))
    reach = np.linalg.norm(problem.datafit.linear, axis=0)  # type: ignore[attr-defined]
    return int(np.count_nonzero(reach > FAR * problem.norm.alpha))  # type: ignore[union-attr]


def on_gram_matrix(problem: Problem, n_at_work: int) -> Problem:
    """Return the problem on the Gram matrix, where most columns of tall rows are at work."""
    datafit = problem.datafit
    if isinstance(datafit, DesignQuadratic) and n_at_work > MOST_AT_WORK * datafit.shape[1]:
        gram = datafit.on_gram_matrix()
        if gram is not None:
            return replace(problem, datafit=gram)
    return problem


def minimise(problem: Problem, start: np.ndarray | None, *, goal: float, max_iter: int) -> Solution:
    """Return W with a duality gap of at most `goal`, for a problem that GroupNewton takes."""
    descent = _Descent(problem)
    state = best = descent.begin(start)
    n_iter = best_at = 0
    while best.certificate.gap > goal and n_iter < max_iter:
        n_iter += 1
        state = descent.step(state)
        if state.certificate.gap < best.certificate.gap:
            best, best_at = state, n_iter
        elif n_iter - best_at >= PATIENCE:
            break
    found = best.certificate
    return Solution(best.coef, found.objective, found.gap, n_iter, found.gap <= goal)


@dataclass(frozen=True, eq=False)
class _State:
    """The weights that are best for some eta.

    Attributes
    ----------
    sizes : ndarray of shape (p,)
        eta.
    value : float
        J(eta).
    coef : ndarray of shape (T, p)
    pull : ndarray of shape (T, p)
        v: the negative gradient of the smooth part, over alpha.
    certificate : Certificate
    """

    sizes: np.ndarray
    value: float
    coef: np.ndarray
    pull: np.ndarray
    certificate: Certificate


class _Descent:
    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.datafit: QuadraticDatafit = problem.datafit  # type: ignore[assignment]
        self.alpha = problem.norm.alpha  # type: ignore[union-attr]
        self.ridge = 0.0 if problem.matrix is None else float(problem.matrix[0, 0])
        self.resolvents = Resolvents(self.datafit)
        self.latest: tuple[np.ndarray, bool, Resolvent] | None = None
        self.damping = DAMPING
        self.slack = 16 * np.finfo(float).eps * problem.scale

    def begin(self, start: np.ndarray | None) -> _State:
        """Return the state whose sizes are those of `start`."""
        sizes = np.zeros(self.datafit.shape[1])
        if start is None or not start.any():
            return self._state(sizes, np.zeros(self.datafit.shape), 0.0)
        sizes = np.linalg.norm(start, axis=0)
        self.resolvents.restrict(np.flatnonzero(sizes))
        return self._full_state(*self._evaluate(sizes[self.resolvents.features]))

    def step(self, state: _State) -> _State:
        """Return a state with a lower J, but for rounding."""
        reach = np.linalg.norm(state.pull, axis=0)
        features = self._working_set(state.sizes, reach)
        self.resolvents.restrict(features)
        sizes, reach = state.sizes[features], reach[features]
        # what a fixed-point step, eta_j <- ||w_j||, is sure to gain (majorisation)
        sure = 0.5 * self.alpha * float(sizes @ np.square(reach - 1.0))
        for _ in range(MAX_DAMPED):
            direction = self._newton(sizes, state.pull[:, features], reach)
            for length in (1.0, 0.3):
                trial = self._evaluate(np.maximum(sizes + length * direction, 0.0))
                if trial[2] <= state.value - 0.01 * sure + self.slack:
                    self.damping = max(0.1 * self.damping, DAMPING)
                    return self._full_state(*trial)
            self.damping = max(30.0 * self.damping, 1e-4)
        return self._proximal_step(state, features[sizes > 0] if sizes.any() else features)

    def _proximal_step(self, state: _State, features: np.ndarray) -> _State:
        self.resolvents.restrict(features)
        step = 1.0 / (self.datafit.lipschitz() + self.ridge)
        moved = state.coef[:, features] + step * self.alpha * state.pull[:, features]
        shrunk = self.problem.norm.prox(moved, step)  # type: ignore[union-attr]
        return self._full_state(*self._evaluate(np.linalg.norm(shrunk, axis=0)))

    def _working_set(self, sizes: np.ndarray, reach: np.ndarray) -> np.ndarray:
        """Return the features that are in, and those out that violate optimality most."""
        inside = np.flatnonzero(sizes)
        outside = np.flatnonzero((sizes == 0) & (reach > 1.0))
        room = max(GROWTH, len(inside))
        if len(outside) > room:
            outside = outside[np.argpartition(-reach[outside], room)[:room]]
        return np.sort(np.concatenate([inside, outside]))

    def _evaluate(self, sizes: np.ndarray) -> tuple[np.ndarray, Resolvent, float]:
        resolvent = self.resolvents.at(sizes / (self.alpha + self.ridge * sizes))
        gain = float(np.vdot(self.resolvents.linear, resolvent.weights))
        return sizes, resolvent, 0.5 * (self.alpha * float(sizes.sum()) - gain)

    def _resolvent(self, sizes: np.ndarray) -> Resolvent:
        """Return the resolvent at the sizes of the latest state, on the features of now."""
        strength = sizes / (self.alpha + self.ridge * sizes)
        if self.latest is None:
            return self.resolvents.at(strength)
        features, is_gram, resolvent = self.latest
        if features is self.resolvents.features:
            return resolvent
        same_kind = is_gram == (self.resolvents.root is None)
        return self.resolvents.at(strength, resolvent.factor if same_kind else None)

    def _full_state(self, sizes: np.ndarray, resolvent: Resolvent, value: float) -> _State:
        features = self.resolvents.features
        self.latest = features, self.resolvents.root is None, resolvent
        coef = np.zeros(self.datafit.shape)
        coef[:, features] = resolvent.weights
        full_sizes = np.zeros(self.datafit.shape[1])
        full_sizes[features] = sizes
        return self._state(full_sizes, coef, value)

    def _state(self, sizes: np.ndarray, coef: np.ndarray, value: float) -> _State:
        point = self.datafit.at(coef)
        pull = -point.gradient
        if self.ridge:
            pull -= self.ridge * coef
        pull /= self.alpha
        return _State(sizes, value, coef, pull, self.problem.certify(coef, point))

    def _newton(self, sizes: np.ndarray, pull: np.ndarray, reach: np.ndarray) -> np.ndarray:
        """Return the Newton step for ``1 / ||v_j|| = 1`` on the working set.

        ``dv_t = -K_t (v_t * d eta)`` with ``K = alpha E N E + ridge E``, ``E = diag 1 / (alpha +
        ridge eta)`` and N of the resolvent. With unit vectors ``u_j = v_j / ||v_j||`` the system
        is ``sum_t (u_t u_t' * K_t) y = ||v|| (||v|| - 1)`` for ``y = ||v|| d eta``.
        """
        resolvent = self._resolvent(sizes)
        reach = np.maximum(reach, np.finfo(float).tiny ** 0.5)
        units, scale = pull / reach, 1.0 / (self.alpha + self.ridge * sizes)
        # correlated features overshoot where ||v|| is far above 1: there the step is shortened
        target, least = np.minimum(reach, LEAP) * (reach - 1.0), -reach * sizes
        matrix = resolvent.matrix if len(sizes) <= DENSE_SIZE else None
        if matrix is not None:
            system = (self.alpha * scale[:, None] * matrix * scale) * (units.T @ units)
            diagonal = (1.0 + self.damping) * (system.diagonal() + self.ridge * scale)
            system.flat[:: len(system) + 1] = diagonal + DAMPING * diagonal.max()
            return solve_bounded(system, target, least) / reach

        def product(y: np.ndarray) -> np.ndarray:
            spread = units * y
            curved = self.alpha * scale * resolvent.apply(scale * spread)
            summed = np.einsum("ts,ts->s", units, curved + self.ridge * scale * spread)
            return summed + self.damping * diagonal * y

        # the diagonal of the system if features were uncorrelated
        curvature = self.resolvents.curvature(units) + self.ridge
        diagonal = curvature / (self.alpha + curvature * sizes)
        return iterate_bounded(product, diagonal, target, least) / reach
