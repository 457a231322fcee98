import numpy as np

from sklearn_mtl.convex._problem import Problem
from sklearn_mtl.convex.penalties._learned_covariance import AnchoredNuclearNorm
from sklearn_mtl.convex.solvers._base import Solution, Solver

CHECK_EVERY = 5  # iterations between two looks at the gap, which costs about one iteration


class Fista(Solver):
    """Accelerated proximal gradient with restart, for any loss and any penalty with a prox.

    References
    ----------
    A. Beck and M. Teboulle, "A fast iterative shrinkage-thresholding algorithm for linear inverse
    problems", SIAM J. Imaging Sciences 2, 2009. B. O'Donoghue and E. Candes, "Adaptive restart
    for accelerated gradient schemes", Foundations of Computational Mathematics 15, 2015, eq. 13.
    """

    def refusal(self, problem: Problem) -> str | None:
        """Return a reason where the prox is not known."""
        if isinstance(problem.norm, AnchoredNuclearNorm):
            return "the prox of a task covariance with a prior has no closed form"
        return None

    def solve(
        self, problem: Problem, start: np.ndarray | None, *, tol: float, max_iter: int
    ) -> Solution:
        """Return W with a small duality gap."""
        datafit, norm, matrix = problem.datafit, problem.norm, problem.matrix
        assert not isinstance(norm, AnchoredNuclearNorm)
        W = np.zeros(datafit.shape) if start is None else start.copy()
        curvature = datafit.lipschitz()
        if matrix is not None:
            curvature += max(float(problem.eigh[0][-1]), 0.0)
        step = 1.0 / curvature if curvature > 0 else 1.0
        point = datafit.at(W)
        certificate = problem.certify(W, point)
        momentum, ahead, n_iter = 1.0, W, 0
        while certificate.gap > tol * problem.scale and n_iter < max_iter:
            n_iter += 1
            gradient = (point if ahead is W else datafit.at(ahead)).gradient
            if matrix is not None:
                gradient = gradient + matrix @ ahead
            moved = ahead - step * gradient
            new = moved if norm is None else norm.prox(moved, step)
            if np.vdot(ahead - new, new - W) > 0:  # the step turns back: drop the momentum
                momentum = 1.0
            following = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * momentum**2))
            ahead = new + ((momentum - 1.0) / following) * (new - W)
            W, momentum = new, following
            if n_iter % CHECK_EVERY == 0 or n_iter == max_iter:
                certificate = problem.certify(W)
        return Solution(
            W,
            certificate.objective,
            certificate.gap,
            n_iter,
            certificate.gap <= tol * problem.scale,
        )
