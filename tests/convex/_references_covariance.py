"""Task covariances from their definition, for small problems."""

import numpy as np
from convex._references_convex import solve_kronecker
from scipy.linalg import sqrtm
from scipy.optimize import minimize

from sklearn_mtl.convex.solvers import Solution


def best_covariance(W, anchor):
    """Return ``(W W' + anchor^2)^(1/2)`` over its trace."""
    root = sqrtm(W @ W.T + anchor @ anchor).real
    return root / np.trace(root)


def penalty_at(W, covariance, gamma, delta, prior):
    """Return ``gamma / 2 (tr(W' C^+ W) + delta^2 (tr(C^+ C_0^2) - 1))`` at any covariance C."""
    inverse = np.linalg.pinv(covariance, rcond=1e-9, hermitian=True)
    fit = np.trace(W.T @ inverse @ W) + delta**2 * (np.trace(inverse @ prior @ prior) - 1.0)
    return gamma / 2 * fit


def alternate(parts, gamma, alpha, anchor, n_rounds):
    """Return W after rounds of W given C, by one dense solve, and of C given W, in closed form."""
    C = np.eye(len(parts)) / len(parts)
    for _ in range(n_rounds):
        A = alpha * np.eye(len(parts)) + gamma * np.linalg.inv(C)
        W = solve_kronecker(parts, np.ones(len(parts)), A)
        C = best_covariance(W, anchor)
    return W


def minimise_smooth(problem):
    """Return what quasi-Newton steps reach for a covariance with a prior, C held at its best.

    The gradient in W is that at the best C (Danskin).
    """
    term = problem.norm
    gamma, anchor = term.gamma, term.anchor
    delta, ridge = np.trace(anchor), problem.matrix

    def objective(flat):
        W = flat.reshape(problem.datafit.shape)
        point, C = problem.datafit.at(W), best_covariance(W, anchor)
        penalty = penalty_at(W, C, gamma, delta, anchor / delta)
        slope = point.gradient + ridge @ W + gamma * np.linalg.solve(C, W)
        return point.value + 0.5 * np.vdot(W, ridge @ W) + penalty, slope.ravel()

    start = np.zeros(np.prod(problem.datafit.shape))
    unit = problem.scale  # rules of scipy are absolute
    found = minimize(
        lambda flat: tuple(part / unit for part in objective(flat)),
        start,
        jac=True,
        method="BFGS",
        options={"gtol": 1e-10, "maxiter": 10_000},
    )
    W = found.x.reshape(problem.datafit.shape)
    known = problem.certify(W)
    return Solution(W, known.objective, known.gap, found.nit, converged=True)
