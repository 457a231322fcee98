from dataclasses import replace

import numpy as np
from scipy.linalg import block_diag

from sklearn_mtl.convex._problem import Problem
from sklearn_mtl.convex.datafits import CurvedDatafit, GramQuadratic
from sklearn_mtl.convex.datafits._block_quadratic import BlockQuadratic
from sklearn_mtl.convex.datafits._predictor_loss import CurvedPoint
from sklearn_mtl.convex.penalties._learned_covariance import AnchoredNuclearNorm
from sklearn_mtl.convex.solvers._base import Solution, Solver
from sklearn_mtl.convex.solvers._block_admm import BlockADMM

MOST_FEATURES = 300
MOST_TIED = 1000  # weights that a softmax, and a penalty beside it, tie with each other
MOST_BYTES = 2**30  # of the weighted Gram matrices
INNER_STEPS = 5000
ROUNDING = 1e-15  # steps that promise less, relative to the objective, are lost in its digits


class ProxNewton(Solver):
    """Proximal Newton for a classification or mixed loss with a norm.

    The loss is replaced by its quadratic model at W, of a weighted Gram matrix for each row of W,
    and the solver for squared losses finds the minimum under the penalty (alternating directions,
    where a softmax ties rows of W); the step there is cut until the objective falls enough.

    Forming Gram matrices costs as much as p / 2 proximal gradient steps, of which badly scaled or
    correlated features need thousands: "auto" takes this method up to 300 features, while the
    matrices fit into 1 GiB and a softmax, with what the penalty ties to it, has 1,000 weights.

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
        if isinstance(problem.norm, AnchoredNuclearNorm):
            return "a task covariance with a prior is smooth: Newton's method is for it"
        m, p = problem.datafit.shape
        tied = problem.datafit.tied_rows
        if tied > 1 and problem.matrix is not None and _ties(problem.matrix):
            tied = m
        if tied > 1 and tied * p > MOST_TIED:
            return f"blocks of the Hessian of {tied * p} rows cost more than they save"
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
        tie = problem.coupling.product
        target = tol * problem.scale
        W = np.zeros(datafit.shape) if start is None else start.copy()
        point = datafit.at(W)
        certificate = problem.certify(W, point)
        if certificate.objective > problem.scale:
            # far from the minimum probabilities are 0 and 1, which leaves the model no curvature
            W = np.zeros(datafit.shape)
            point = datafit.at(W)
            certificate = problem.certify(W, point)
        n_iter = stalled = 0
        forcing = 0.1
        while certificate.gap > target and n_iter < max_iter and stalled < 3:
            n_iter += 1
            before = certificate
            wanted = max(forcing * certificate.gap, 0.1 * target)
            proposal = _model_minimum(problem, point, W, wanted)
            direction = proposal - W
            product = tie(W)
            tied = float(np.vdot(product, direction))
            bent = float(np.vdot(direction, tie(direction)))
            size = norm.value(W)
            slope = float(np.vdot(point.gradient, direction)) + tied + norm.value(proposal) - size
            smooth = certificate.objective - size - point.value  # tr(W' A W) / 2
            slack = ROUNDING * abs(certificate.objective)
            if -slope <= 10.0 * slack:
                # the objective cannot tell the two apart any more, but their gaps can
                nearer = datafit.at(proposal)
                certificate = problem.certify(proposal, nearer)
                if certificate.gap < before.gap:
                    W, point = proposal, nearer
                else:
                    certificate, stalled, forcing = before, stalled + 1, 0.01 * forcing
                continue
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
            W, point, stalled = there, datafit.point_of(moved), 0
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

    assert isinstance(problem.datafit, CurvedDatafit)
    sets, blocks = point.curvature().blocks()
    if problem.datafit.tied_rows == 1:
        order = np.argsort(np.concatenate(sets))
        grams = np.array(blocks)[order]
        linear = np.matmul(grams, W[:, :, None])[:, :, 0] - point.gradient
        energies = [_energy(*pair) for pair in zip(grams, linear, strict=True)]
        group, ones = np.arange(len(W)), np.ones(len(W))
        model = GramQuadratic(grams, group, linear, np.array(energies), ones)
        inner = replace(problem, datafit=model)
        tol = _tolerance(inner, W, wanted)
        return solve(inner, start=W, tol=tol, max_iter=INNER_STEPS).coef
    if problem.matrix is not None and _ties(problem.matrix):  # tasks are tied: one block
        sets, blocks = [np.concatenate(sets)], [block_diag(*blocks)]
    linear, energy = -point.gradient, 0.0
    for rows, block in zip(sets, blocks, strict=True):
        linear[rows] += (block @ W[rows].ravel()).reshape(len(rows), -1)
        energy += _energy(block, linear[rows].ravel())
    inner = replace(problem, datafit=BlockQuadratic(sets, blocks, linear, energy))
    tol = _tolerance(inner, W, wanted)
    return BlockADMM().solve(inner, W, tol=tol, max_iter=INNER_STEPS).coef


def _tolerance(inner: Problem, W: np.ndarray, wanted: float) -> float:
    # the model may see a far smaller gap at W than the loss does, and must leave W all the same
    wanted = min(wanted, 0.1 * inner.certify(W).gap)
    return wanted / max(inner.scale, wanted, 1e-300)


def _ties(matrix: np.ndarray) -> bool:
    return bool(np.any(matrix - np.diag(np.diag(matrix))))


def _energy(hessian: np.ndarray, linear: np.ndarray) -> float:
    """Return the least energy of a squared loss with this Hessian and linear term.

    ``<linear, H^-1 linear>``, which any bound needs; a little ridge keeps it finite where H is
    singular, as the linear term has no part outside the range of H but rounding.
    """
    # features to one scale first, or the ridge would swamp those of small units; constant ones
    # are left out of that, as their curvature is rounding
    curvature, most = np.diag(hessian), float(np.diag(hessian).max())
    scale = np.sqrt(np.where(curvature > 1e-13 * most, curvature, max(most, 1e-300)))
    ridged = hessian / scale / scale[:, None] + 1e-13 * len(scale) * np.eye(len(scale))
    return max(float(linear / scale @ np.linalg.solve(ridged, linear / scale)), 1e-300)
