import numpy as np

from sklearn_mtl.convex._problem import Problem
from sklearn_mtl.convex.datafits._block_quadratic import BlockQuadratic
from sklearn_mtl.convex.penalties._learned_covariance import AnchoredNuclearNorm
from sklearn_mtl.convex.solvers._base import Solution, Solver

CHECK_EVERY = 10
RELAXATION = 1.6


class BlockADMM(Solver):
    """Alternating directions for a quadratic loss that ties rows of W: models of a softmax.

    Each block's Hessian, with the quadratic penalty, is decomposed once, so that the penalty
    parameter rho may follow the residuals at no cost.

    References
    ----------
    S. Boyd, N. Parikh, E. Chu, B. Peleato and J. Eckstein, "Distributed optimization and
    statistical learning via the alternating direction method of multipliers", Foundations and
    Trends in Machine Learning 3, 2011, sections 3.4.1 and 3.4.3.
    """

    def refusal(self, problem: Problem) -> str | None:
        """Return a reason where the loss is another, there is no norm, or A ties blocks."""
        if not isinstance(problem.datafit, BlockQuadratic):
            return "it is for quadratic models of softmax losses"
        if problem.norm is None:
            return "there is no norm"
        if isinstance(problem.norm, AnchoredNuclearNorm):
            return "the prox of a task covariance with a prior has no closed form"
        if problem.matrix is not None:
            tied = problem.matrix.copy()
            for rows in problem.datafit.rows:
                tied[np.ix_(rows, rows)] = 0.0
            if tied.any():
                return "the quadratic penalty ties blocks"
        return None

    def solve(
        self, problem: Problem, start: np.ndarray | None, *, tol: float, max_iter: int
    ) -> Solution:
        """Return W with a small duality gap."""
        datafit, norm = problem.datafit, problem.norm
        assert isinstance(datafit, BlockQuadratic)
        assert norm is not None
        assert not isinstance(norm, AnchoredNuclearNorm)
        spectra = _spectra(datafit, problem.matrix)
        rho = _middle(spectra)
        linear = datafit.linear
        W = np.zeros(datafit.shape) if start is None else start.copy()
        point = datafit.at(W)
        certificate = problem.certify(W, point)
        smooth = point.gradient if problem.matrix is None else point.gradient + problem.matrix @ W
        force = -smooth  # rho times the scaled multiplier: in the subdifferential at the end
        n_iter = 0
        best, best_certificate = W, certificate
        target = tol * problem.scale
        while best_certificate.gap > target and n_iter < max_iter:
            for _ in range(CHECK_EVERY):
                n_iter += 1
                V = np.zeros_like(W)
                pushed = linear + rho * W - force
                for rows, (values, vectors) in zip(datafit.rows, spectra, strict=True):
                    turned = vectors.T @ pushed[rows].ravel()
                    V[rows] = (vectors @ (turned / (values + rho))).reshape(len(rows), -1)
                relaxed = RELAXATION * V + (1.0 - RELAXATION) * W
                before, W = W, norm.prox(relaxed + force / rho, 1.0 / rho)
                force = force + rho * (relaxed - W)
            certificate = problem.certify(W)
            if certificate.gap < best_certificate.gap:
                best, best_certificate = W, certificate
            # residual balancing, relative to the sizes of what the residuals compare
            primal = float(np.linalg.norm(V - W) / (np.linalg.norm(V) + 1e-300))
            dual = float(rho * np.linalg.norm(W - before) / (np.linalg.norm(force) + 1e-300))
            if primal > 0 and dual > 0 and n_iter <= max_iter // 2:
                rho *= float(np.clip(np.sqrt(primal / dual), 0.2, 5.0))
        gap = best_certificate.gap
        return Solution(best, best_certificate.objective, gap, n_iter, gap <= target)


def _spectra(
    datafit: BlockQuadratic, matrix: np.ndarray | None
) -> list[tuple[np.ndarray, np.ndarray]]:
    p = datafit.shape[1]
    spectra = []
    for rows, block in zip(datafit.rows, datafit.blocks, strict=True):
        whole = block
        if matrix is not None:
            whole = block + np.kron(matrix[np.ix_(rows, rows)], np.eye(p))
        values, vectors = np.linalg.eigh(whole)
        spectra.append((np.maximum(values, 0.0), vectors))
    return spectra


def _middle(spectra: list[tuple[np.ndarray, np.ndarray]]) -> float:
    # the geometric mean of the largest eigenvalue and the mean one
    every = np.concatenate([values for values, _ in spectra])
    return max(float(np.sqrt(every.max() * every.mean())), 1e-300)
