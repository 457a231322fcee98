from collections.abc import Callable, Sequence
from functools import reduce

import numpy as np

from sklearn_mtl.convex._problem import Problem
from sklearn_mtl.convex.datafits import CurvedDatafit
from sklearn_mtl.convex.solvers._base import Solution, Solver
from sklearn_mtl.convex.solvers._row_preconditioner import RowPreconditioner

CG_STEPS = 500
ROUNDING = 1e-15  # steps that promise less, relative to the objective, are lost in its digits


class NewtonCG(Solver):
    """Truncated Newton for a classification or mixed loss with a positive definite penalty.

    Each step is found by preconditioned conjugate gradients, as far as the gradient's size calls
    for, and is cut until the objective falls enough. Products with the Hessian go through the rows
    of X: conjugate gradients take fewer of them than p / 2, the price of weighted Gram matrices.

    References
    ----------
    J. Nocedal and S. Wright, "Numerical Optimization", 2nd edition, 2006, Algorithm 7.1.
    """

    def refusal(self, problem: Problem) -> str | None:
        """Return a reason where there is a norm, a free direction or no second derivative."""
        if not isinstance(problem.datafit, CurvedDatafit):
            return "it is for classification losses"
        if problem.norm is not None:
            return "the penalty has a norm, which is not smooth"
        values = problem.eigh[0]
        if values[0] <= np.finfo(float).eps * len(values) * max(values[-1], 0.0):
            return "the penalty leaves directions of the weights free"
        return None

    def solve(
        self, problem: Problem, start: np.ndarray | None, *, tol: float, max_iter: int
    ) -> Solution:
        """Return W with a small duality gap."""
        datafit, tie = problem.datafit, problem.coupling.product
        assert isinstance(datafit, CurvedDatafit)
        target = tol * problem.scale
        W = np.zeros(datafit.shape) if start is None else start.copy()
        point = datafit.at(W)
        certificate = problem.certify(W, point)
        preconditioner = None
        n_iter = stalled = 0
        first = 0.0
        while certificate.gap > target and n_iter < max_iter and stalled < 2:
            n_iter += 1
            preconditioner = preconditioner or RowPreconditioner(problem)
            product = tie(W)
            gradient = point.gradient + product
            curvature = point.curvature()
            preconditioner.at(curvature.row_scale)
            size = float(np.sqrt(np.vdot(gradient, preconditioner.solve(gradient))))
            first = first or size
            # the gap is quadratic in the gradient: no need to go far below the target
            forcing = max(min(0.1, size / first), 0.2 * np.sqrt(target / certificate.gap))
            direction = newton_direction(
                gradient, (curvature.product, tie), preconditioner, forcing
            )
            slope = float(np.vdot(gradient, direction))
            stalled = stalled + 1 if -slope <= ROUNDING * abs(certificate.objective) else 0
            bent = float(np.vdot(direction, tie(direction)))
            tied = float(np.vdot(product, direction))
            quadratic = certificate.objective - point.value
            ahead = datafit.forward(direction)
            step = 1.0
            while True:
                moved = datafit.moved(point.predictor, ahead, step)
                value = datafit.value_of(moved) + quadratic + step * tied + 0.5 * step**2 * bent
                allowed = certificate.objective + 1e-4 * step * slope
                if value <= allowed + ROUNDING * abs(certificate.objective) or step < 1e-10:
                    break
                step *= 0.5
            W = W + step * direction
            point = datafit.point_of(moved)
            certificate = problem.certify(W, point)
        return Solution(
            W, certificate.objective, certificate.gap, n_iter, certificate.gap <= target
        )


def newton_direction(
    gradient: np.ndarray,
    products: Sequence[Callable[[np.ndarray], np.ndarray]],
    preconditioner: RowPreconditioner,
    forcing: float,
) -> np.ndarray:
    """Return a descent direction, near ``-H^-1 gradient``, by conjugate gradients.

    Parameters
    ----------
    gradient : ndarray of shape (M, p)
    products : sequence of callables (D) -> ndarray of shape (M, p)
        What adds up to ``H D``, all of them positive semi-definite.
    preconditioner : RowPreconditioner
    forcing : float
        The residual to stop at, relative to the gradient.
    """
    residual = -gradient
    ready = preconditioner.solve(residual)
    direction, solution = ready, np.zeros_like(gradient)
    size = float(np.vdot(residual, ready))
    enough = forcing**2 * size
    for _ in range(CG_STEPS):
        image = reduce(np.add, (product(direction) for product in products))
        bent = float(np.vdot(direction, image))
        if bent <= 0:  # rounding: the matrix is positive definite
            break
        step = size / bent
        solution = solution + step * direction
        residual = residual - step * image
        ready = preconditioner.solve(residual)
        size, before = float(np.vdot(residual, ready)), size
        if size <= enough:
            break
        direction = ready + (size / before) * direction
    return solution if solution.any() else -preconditioner.solve(gradient)
