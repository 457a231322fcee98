import numpy as np

from sklearn_mtl.convex._problem import Problem
from sklearn_mtl.convex.datafits import CurvedDatafit, GramQuadratic
from sklearn_mtl.convex.datafits._predictor_loss import CurvedPoint
from sklearn_mtl.convex.solvers._base import Solution, Solver

MOST_FEATURES = 300
MOST_BYTES = 2**30  # of the weighted Gram matrices
INNER_STEPS = 5000
ROUNDING = 1e-15  # steps that promise less, relative to the objective, are lost in its digits


class ProxNewton(Solver):
    """Proximal Newton for a classification or mixed loss with a norm.

    The loss is replaced by its quadratic model at W, of a weighted Gram matrix for each row of W,
    and the solver for squared losses finds the minimum under the penalty; the step there is cut
    until the objective falls enough. Between the classes of a softmax the model is block diagonal
    and lies above the loss's own.

    Forming Gram matrices costs as much as p / 2 proximal gradient steps, of which badly scaled or
    correlated features need thousands: "auto" takes this method up to 300 features, while the
    matrices fit into 1 GiB.

    References
    ----------
    J. Lee, Y. Sun and M. Saunders, "Proximal Newton-type methods for minimizing composite
    functions", SIAM J. Optimization 24, 2014, Algorithm 1. Deviation: inner problems stop by
    their duality gap.
    """

    def refusal(self, problem: Problem) -> str | None:
        """Return a reason where there is no norm, no second derivative, or too many features."""
        if not isinstance(problem.datafit, CurvedDatafit):
            return "it is for classification losses"
        if problem.norm is None:
            return "there is no norm: Newton's method is for smooth penalties"
        m, p = problem.datafit.shape
        if p > MOST_FEATURES or 8 * m * p * p > MOST_BYTES:
            return f"Gram matrices of {m} rows of {p} features cost more than they save"
        return None

    def solve(
        self, problem: Problem, start: np.ndarray | None, *, tol: float, max_iter: int
    ) -> Solution:
        """Return W with a small duality gap."""
        datafit, norm = problem.datafit, problem.norm
        assert isinstance(datafit, CurvedDatafit)
        assert norm is not None
        matrix = np.zeros((len(problem.eigh[0]),) * 2) if problem.matrix is None else problem.matrix
        target = tol * problem.scale
        W = np.zeros(datafit.shape) if start is None else start.copy()
        point = datafit.at(W)
        certificate = problem.certify(W, point)
        n_iter = stalled = 0
        forcing = 0.1
        while certificate.gap > target and n_iter < max_iter and stalled < 2:
            n_iter += 1
            before = certificate
            wanted = max(forcing * certificate.gap, 0.1 * target)
            proposal = _model_minimum(problem, point, W, wanted)
            direction = proposal - W
            product = matrix @ W
            tied = float(np.vdot(product, direction))
            bent = float(np.vdot(direction, matrix @ direction))
            size = norm.value(W)
            slope = float(np.vdot(point.gradient, direction)) + tied + norm.value(proposal) - size
            smooth = certificate.objective - size - point.value  # tr(W' A W) / 2
            slack = ROUNDING * abs(certificate.objective)
            stalled = stalled + 1 if -slope <= slack else 0
            ahead = datafit.forward(direction)
            step = 1.0
            while True:
                there = proposal if step == 1.0 else W + step * direction
                moved = datafit.moved(point.predictor, ahead, step)
                value = datafit.value_of(moved) + smooth + step * tied + 0.5 * step**2 * bent
                if value + norm.value(there) <= (
                    certificate.objective + 1e-3 * step * slope + slack
                ) or (step < 1e-10):
                    break
                step *= 0.5
            W, point = there, datafit.point_of(moved)
            certificate = problem.certify(W, point)
            # near the minimum gaps fall quadratically where the model is exact: ask for as much
            forcing = min(0.1, max(certificate.gap / before.gap, 1e-3))
        return Solution(
            W, certificate.objective, certificate.gap, n_iter, certificate.gap <= target
        )


def _model_minimum(
    problem: Problem, point: CurvedPoint, W: np.ndarray, wanted: float
) -> np.ndarray:
    """Return the minimum of ``<g, V - W> + <V - W, H (V - W)> / 2 + Omega(V)``, to a gap."""
    from sklearn_mtl.convex.solvers._auto import solve

    grams = point.curvature().grams()
    curved = np.matmul(grams, W[:, :, None])[:, :, 0]
    linear = curved - point.gradient
    # the model is a squared loss: its energy, which any bound needs, is least where the fit is
    # exact, <linear, H^-1 linear>; the little ridge keeps it finite where H is singular
    p = W.shape[1]
    ridge = 1e-13 * np.trace(grams, axis1=1, axis2=2) + 1e-300
    solid = grams + ridge[:, None, None] * np.eye(p)
    energy = (linear * np.linalg.solve(solid, linear[:, :, None])[:, :, 0]).sum(axis=1)
    ones = np.ones(len(W))
    model = GramQuadratic(grams, np.arange(len(W)), linear, np.maximum(energy, 0.0), ones)
    inner = Problem(model, problem.norm, problem.matrix)
    tol = wanted / inner.scale if inner.scale > 0 else 1.0
    return solve(inner, start=W, tol=tol, max_iter=INNER_STEPS).coef
