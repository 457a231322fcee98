"""Quadratic penalties on the squared loss of rows: one linear system, in the smaller space.

With B_t the rows of task t, scaled by the roots of their shares and of lambda_t and centred where
there are intercepts, y_t its labels alike, and A positive definite, the minimum of

    sum_t ||y_t - B_t w_t||^2 / 2 + tr(W' A W) / 2

is at ``W = A^-1 [v_t' B_t]_t`` for the residuals v, which solve ``(I + B A^-1 B') v = y``: a system
of labels, whose matrix for labels i of task s and j of task t is ``(A^-1)_st b_i . b_j``.
"""

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_array

from sklearn_mtl.convex._problem import Problem
from sklearn_mtl.convex.datafits import DesignQuadratic
from sklearn_mtl.convex.datafits._design_rows import CompleteRows
from sklearn_mtl.convex.solvers._base import Solution
from sklearn_mtl.convex.solvers._row_preconditioner import RowPreconditioner

MOST_LABELS = 1000  # of a dense system: a Cholesky factor of 0.02 s on one core, 8 MB
MOST_SIDE = 6000  # of a Gram matrix of complete rows, for its eigenvectors


def solve_on_rows(
    problem: Problem,
    datafit: DesignQuadratic,
    start: np.ndarray | None,
    *,
    tol: float,
    max_iter: int,
) -> Solution:
    """Return the minimum: exact where that is cheap, else to a duality gap.

    * Tasks that share all rows: eigenvectors of A^-1 and of B B', or of B'B where that is smaller.
    * At most `MOST_LABELS` labels: one Cholesky factor.
    * Otherwise conjugate gradients from the start, preconditioned by what the Hessian would be with
      labels on all rows.
    """
    rows = datafit.rows
    if isinstance(rows, CompleteRows) and min(rows.columns.matrix.shape) <= MOST_SIDE:
        return _certified(problem, _of_complete_rows(problem, datafit, rows), tol=tol)
    if rows.n_labels <= MOST_LABELS:
        return _certified(problem, _of_labels(problem, datafit), tol=tol)
    return _conjugate_gradients(problem, datafit, start, tol=tol, max_iter=max_iter)


def _certified(problem: Problem, W: np.ndarray, *, tol: float) -> Solution:
    known = problem.certify(W)
    converged = known.gap <= tol * problem.scale
    return Solution(W, known.objective, known.gap, n_iter=1, converged=converged)


def _penalty_inverse(problem: Problem) -> np.ndarray:
    values, vectors = problem.eigh
    return (vectors / values) @ vectors.T


def _of_complete_rows(problem: Problem, datafit: DesignQuadratic, rows: CompleteRows) -> np.ndarray:
    """Return W from ``v + N v G = y``, N = Λ^½ A^-1 Λ^½, by eigenvectors of N and of G.

    G is B B'; or B'B, for the v' B that W consists of.
    """
    inverse = _penalty_inverse(problem)
    root = np.sqrt(datafit.task_weight)[:, None]
    a, left = np.linalg.eigh(root * inverse * root.T)
    g, right = datafit.row_spectrum
    on_labels = len(right) != datafit.shape[1]
    y = root * (rows.targets.T if on_labels else rows.pull_back(rows.targets))
    v = left @ ((left.T @ y @ right) / (1.0 + np.maximum(a, 0.0)[:, None] * g)) @ right.T
    return inverse @ (root * (rows.pull_back(v.T) if on_labels else v))


def _of_labels(problem: Problem, datafit: DesignQuadratic) -> np.ndarray:
    inverse = _penalty_inverse(problem)
    B, y, task = datafit.rows.stacked()
    root = np.sqrt(datafit.task_weight)[task]
    B, y = root[:, None] * B, root * y
    matrix = B @ B.T
    matrix *= inverse[np.ix_(task, task)]
    matrix.flat[:: len(matrix) + 1] += 1.0
    factor = cho_factor(matrix, overwrite_a=True, check_finite=False)
    sums = csr_array((np.ones(len(task)), (task, np.arange(len(task)))), (len(inverse), len(task)))

    def weights(v: np.ndarray) -> np.ndarray:
        return inverse @ (sums @ (v[:, None] * B))

    v = cho_solve(factor, y, check_finite=False)
    W = weights(v)
    left = y - v - np.einsum("ij,ij->i", B, W[task])
    return W + weights(cho_solve(factor, left, check_finite=False))


def _conjugate_gradients(
    problem: Problem,
    datafit: DesignQuadratic,
    start: np.ndarray | None,
    *,
    tol: float,
    max_iter: int,
) -> Solution:
    rows, weight, tie = datafit.rows, datafit.task_weight[:, None], problem.coupling.product
    target = tol * problem.scale
    preconditioner = RowPreconditioner(problem).at(datafit.task_weight)
    W, residual = np.zeros(datafit.shape), datafit.linear
    if start is not None:
        objective, gradient = problem.smooth_part(start)
        if objective < problem.scale:
            W, residual = start, -gradient
    ahead = direction = preconditioner.solve(residual)
    size, n_iter = float(np.vdot(residual, ahead)), 0
    # the bound of the residual is that of the gradient, as far as rounding has not parted them
    while problem.bound(residual) > 0.5 * target and size > 0 and n_iter < max_iter:
        n_iter += 1
        image = weight * rows.pull_back(rows.fitted(direction)) + tie(direction)
        step = size / float(np.vdot(direction, image))
        W = W + step * direction
        residual = residual - step * image
        ahead = preconditioner.solve(residual)
        size, before = float(np.vdot(residual, ahead)), size
        direction = ahead + (size / before) * direction
    known = problem.certify(W)
    return Solution(W, known.objective, known.gap, n_iter, known.gap <= target)
