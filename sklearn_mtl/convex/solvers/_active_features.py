from dataclasses import replace

import numpy as np

from sklearn_mtl.convex._problem import Problem
from sklearn_mtl.convex.datafits import CurvedDatafit
from sklearn_mtl.convex.penalties import L1, GroupL21
from sklearn_mtl.convex.solvers._base import Solution, Solver
from sklearn_mtl.convex.solvers._fista import Fista
from sklearn_mtl.convex.solvers._prox_newton import ProxNewton

FEW_FEATURES = 100  # all of them are dealt with at once
FIRST = 50  # features of the first round


class ActiveFeatures(Solver):
    """Rounds over growing sets of features, for norms that leave most features out.

    Each round takes the features in use and those whose gradient is largest, at least twice as
    many as are in use, and solves their problem by proximal Newton, or by accelerated proximal
    gradient where they are many. The gap of the whole problem says when to stop.

    References
    ----------
    M. Massias, A. Gramfort and J. Salmon, "Celer: a fast solver for the Lasso with dual
    extrapolation", ICML 2018, Algorithm 4.
    """

    def refusal(self, problem: Problem) -> str | None:
        """Return a reason where the norm leaves no feature out, or there are few."""
        if not isinstance(problem.datafit, CurvedDatafit):
            return "it is for classification losses"
        if not isinstance(problem.norm, (L1, GroupL21)):
            return "there is no norm that leaves features out"
        if problem.datafit.shape[1] <= FEW_FEATURES:
            return f"{problem.datafit.shape[1]} features are dealt with at once"
        return None

    def solve(
        self, problem: Problem, start: np.ndarray | None, *, tol: float, max_iter: int
    ) -> Solution:
        """Return W with a small duality gap."""
        datafit = problem.datafit
        assert isinstance(datafit, CurvedDatafit)
        p = datafit.shape[1]
        target = tol * problem.scale
        W = np.zeros(datafit.shape) if start is None else start.copy()
        point = datafit.at(W)
        certificate = problem.certify(W, point)
        n_iter, n_features = 0, FIRST
        while certificate.gap > target and n_iter < max_iter:
            in_use = W.any(axis=0)
            n_features = min(p, max(n_features, 2 * int(in_use.sum())))
            promise = self._promise(problem, point.gradient + problem.coupling.product(W))
            promise[in_use] = np.inf
            chosen = np.sort(np.argpartition(-promise, n_features - 1)[:n_features])
            inner = replace(problem, datafit=datafit.columns(chosen))
            wanted = max(0.1 * certificate.gap, 0.5 * target) if n_features < p else target
            method: Solver = ProxNewton()
            if method.refusal(inner) is not None:
                method = Fista()
            left = max_iter - n_iter
            found = method.solve(inner, W[:, chosen], tol=wanted / problem.scale, max_iter=left)
            n_iter += max(found.n_iter, 1)
            before, W = W, np.zeros_like(W)
            W[:, chosen] = found.coef
            point = datafit.at(W)
            certificate = problem.certify(W, point)
            if not found.converged and n_features == p:
                break
            if np.array_equal(before, W):  # the rest of the gap is that of features left out
                n_features = min(p, 2 * n_features)
        return Solution(
            W, certificate.objective, certificate.gap, n_iter, certificate.gap <= target
        )

    @staticmethod
    def _promise(problem: Problem, gradient: np.ndarray) -> np.ndarray:
        """Return the dual norm of each feature's gradient, shape (p,)."""
        if isinstance(problem.norm, L1):
            return np.abs(gradient).max(axis=0)
        return np.linalg.norm(gradient, axis=0)
