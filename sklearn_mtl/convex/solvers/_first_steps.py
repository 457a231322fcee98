import numpy as np

from sklearn_mtl.convex._problem import Problem
from sklearn_mtl.convex.datafits import GramQuadratic
from sklearn_mtl.convex.penalties import NormPenalty
from sklearn_mtl.convex.solvers._base import Solution

MOST_STEPS = 45
LOOK_EVERY = 5  # steps between two looks at the gap


def steps_pay(n_at_work: int, n_features: int, n_tasks: int) -> bool:
    """Return whether first steps may cost less than Newton's method on the features at work.

    A first step takes ``2 p^2 T`` operations and there are about 20. Newton's method on m features
    takes about ``12 m^3 + 120 m^2 T`` in all, and a millisecond whatever m is. Measured: m = p =
    500, T = 5 takes 7 ms against 25 ms; m = 20, p = 200, T = 100 takes 2.6 ms against 1.2 ms.
    """
    newton = 12 * n_at_work**3 + 120 * n_at_work**2 * n_tasks + 2e7
    return 40 * n_features**2 * n_tasks < newton


def first_steps(problem: Problem, *, goal: float) -> tuple[Solution | None, int]:
    """Take steps of accelerated proximal gradient from W = 0 for as long as they converge fast.

    Where features are little correlated, some 20 products with the Gram matrix are all it takes,
    and factors of matrices of its size cost many times that. The gaps seen so far tell: where
    their average rate would need more than `MOST_STEPS`, there are no more steps. Correlations of
    0.9 between neighbouring columns are found out after 5 to 10 steps. Newton's method then had
    better start anew: from where steps end, with many features in use that are to go again, it
    was no faster.

    The step size is 1 over an estimate of the largest curvature, which is corrected where a step
    meets a larger one.

    Parameters
    ----------
    problem : Problem
        Of a GramQuadratic, a norm and a matrix that is a multiple of I or None.
    goal : float
        The duality gap at which to stop.

    Returns
    -------
    found : Solution or None
        None where the goal is out of reach.
    n_iter : int
        Steps taken.
    """
    datafit, norm = problem.datafit, problem.norm
    assert isinstance(datafit, GramQuadratic)
    assert isinstance(norm, NormPenalty)
    ridge = 0.0 if problem.matrix is None else float(problem.matrix[0, 0])
    W = product = np.zeros(datafit.shape)
    first = problem.certify(W).gap
    if first <= goal:
        return _solution(problem, W, 0), 0
    curvature = _rough_curvature(datafit) + ridge
    if not curvature > 0:
        return None, 0
    ahead, product_ahead, momentum = W, product, 1.0
    for n_iter in range(1, MOST_STEPS + 1):
        step = 1.0 / curvature
        new = norm.prox(ahead - step * (product_ahead - datafit.linear), step)
        new_product = datafit.hessian_product(new) + ridge * new
        moved = new - ahead
        length, curved = np.vdot(moved, moved), np.vdot(moved, new_product - product_ahead)
        if curved > curvature * length:
            curvature = 1.1 * float(curved / length)
        if np.vdot(moved, new - W) < 0:  # the step turns back: drop the momentum
            momentum = 1.0
        following = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * momentum**2))
        weight = (momentum - 1.0) / following
        ahead = new + weight * (new - W)
        product_ahead = new_product + weight * (new_product - product)  # linear in W
        W, product, momentum = new, new_product, following
        if n_iter % LOOK_EVERY == 0:
            gap = problem.certify(W).gap
            if gap <= goal:
                return _solution(problem, W, n_iter), n_iter
            if _steps_in_all(n_iter, gap / first, goal / first) > MOST_STEPS:
                break
    return None, n_iter


def _steps_in_all(n_iter: int, reached: float, wanted: float) -> float:
    """Return how many steps lead to the wanted share of the first gap, at the rate so far."""
    if not 0 < wanted < reached < 1:
        return np.inf
    return n_iter * float(np.log(wanted) / np.log(reached))


def _rough_curvature(datafit: GramQuadratic) -> float:
    """Return about the largest curvature of the loss, by the power method."""
    V, size = datafit.linear, 0.0
    for _ in range(4):
        length = np.linalg.norm(V)
        if not length > 0:
            return 0.0
        V = datafit.hessian_product(V / length)
        size = float(np.linalg.norm(V))
    return 1.05 * size


def _solution(problem: Problem, W: np.ndarray, n_iter: int) -> Solution:
    found = problem.certify(W)
    return Solution(W, found.objective, found.gap, n_iter, converged=True)
