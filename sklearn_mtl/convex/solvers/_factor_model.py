from functools import cached_property

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular

from sklearn_mtl.convex.datafits import GramQuadratic

# where the Hessian of phi is formed: up to this order, up to this many entries of all D_t, ...
DENSE_ORDER = 1500
DENSE_ENTRIES = 4_000_000
# ... and up to this many times the arithmetic of a first-order step. Where tasks have their own
# Gram matrices, one Newton step saves some fifty steps that are slow for their arithmetic.
DENSE_COST_OWN = 800
DENSE_COST_SHARED = 80


class FactorModel:
    """A nuclear-norm problem written in the two factors of W = U V'.

    ``F(U, V) = f(U V') + tr(V U' A U V') / 2 + alpha / 2 * (||U||_F^2 + ||V||_F^2)``

    As ``||W||_* = min (||U||_F^2 + ||V||_F^2) / 2`` over the factorisations of W, the minimum of F
    is that of the convex problem when r is at least the rank there. Given V, U solves a linear
    system, r x r for each row where A is diagonal, so what is minimised is
    ``phi(V) = min_U F(U, V)`` (variable projection).

    Parameters
    ----------
    datafit : GramQuadratic
    matrix : ndarray of shape (T,) or (T, T)
        A, by its diagonal where it is diagonal.
    alpha : float
        Strength of the nuclear norm, positive.

    Attributes
    ----------
    most_cost : float
        What a Newton step may cost, in first-order steps; more where these turn out slow.

    References
    ----------
    R. Mazumder, T. Hastie and R. Tibshirani, "Spectral regularization algorithms for learning
    large incomplete matrices", JMLR 11, 2010, Lemma 6. G. Golub and V. Pereyra, "Separable
    nonlinear least squares: the variable projection method and its applications", Inverse
    Problems 19, 2003.
    """

    def __init__(self, datafit: GramQuadratic, matrix: np.ndarray, alpha: float) -> None:
        self.datafit = datafit
        self.matrix = matrix
        self.is_coupled = matrix.ndim == 2
        self.alpha = alpha
        self.weight = datafit.task_weight
        self.most_cost = DENSE_COST_SHARED if datafit.is_shared else DENSE_COST_OWN
        self.is_uniform = (
            datafit.is_uniform and not self.is_coupled and bool((matrix == matrix[0]).all())
        )
        self.members = [np.flatnonzero(datafit.group == k) for k in range(len(datafit.gram))]
        in_order = bool(np.array_equal(datafit.group, np.arange(len(datafit.gram))))
        self.each: slice | np.ndarray = slice(None) if in_order else datafit.group

    def is_small(self, rank: int) -> bool:
        """Whether the system for U is small enough to be solved."""
        return not self.is_coupled or len(self.weight) * rank <= DENSE_ORDER

    def coupled(self, U: np.ndarray) -> np.ndarray:
        """Return A U."""
        return self.matrix @ U if self.is_coupled else self.matrix[:, None] * U

    def is_dense(self, rank: int) -> bool:
        """Whether to form and factorise the Hessian of phi."""
        n_tasks, p = self.datafit.shape
        entries = n_tasks * p * p
        if p * rank > DENSE_ORDER or entries > DENSE_ENTRIES:
            return False
        cost = 3 * rank**2 + (p * rank) ** 3 / (6 * entries)
        return cost <= self.most_cost

    def products(self, V: np.ndarray) -> np.ndarray:
        """Return ``G_k V`` for each Gram matrix, shape (K, p, r)."""
        gram = self.datafit.gram
        return (gram.reshape(-1, gram.shape[2]) @ V).reshape(len(gram), -1, V.shape[1])

    def is_wide(self, rank: int) -> bool:
        """Whether products of the Gram matrices with V cost more than those with U V'."""
        return len(self.members) * rank >= len(self.weight)

    def inner(self, group_rows: np.ndarray, V: np.ndarray, U: np.ndarray) -> np.ndarray:
        """Return the rows ``lambda_t V' P_g(t) u_t``, given P (K, p, r); shape (T, r)."""
        result = np.empty_like(U)
        for rows, members in zip(group_rows, self.members, strict=True):
            result[members] = U[members] @ (rows.T @ V)
        return self.weight[:, None] * result

    def spread(self, group_rows: np.ndarray, U: np.ndarray) -> np.ndarray:
        """Return the rows ``lambda_t P_g(t) u_t``, given P (K, p, r); shape (T, p)."""
        result = np.empty(self.datafit.shape)
        for rows, members in zip(group_rows, self.members, strict=True):
            result[members] = U[members] @ rows.T
        return self.weight[:, None] * result

    def gather(self, group_rows: np.ndarray, Z: np.ndarray, U: np.ndarray) -> np.ndarray:
        """Return ``sum_t lambda_t P_g(t) z_t u_t'``, given P (K, p, r); shape (p, r)."""
        Z = self.weight[:, None] * Z
        result = np.zeros(group_rows.shape[1:])
        for rows, members in zip(group_rows, self.members, strict=True):
            result += rows @ (Z[members].T @ U[members])
        return result


class FactorPoint:
    """phi at one V: value, gradient, and the Hessian as a matrix or as products.

    Attributes
    ----------
    V : ndarray of shape (p, r)
    U : ndarray of shape (T, r)
        The minimiser of F(U, V) over U.
    value : float
        phi(V).
    """

    def __init__(self, model: FactorModel, V: np.ndarray) -> None:
        self.model, self.V = model, V
        datafit = model.datafit
        self.gram_v = model.products(V)
        inner, own = np.matmul(V.T, self.gram_v), V.T @ V
        cross, shift = datafit.linear @ V, model.alpha * np.eye(V.shape[1])
        if model.is_uniform:
            self.block = (model.weight[0] * inner[0] + model.matrix[0] * own + shift)[None]
            self.U = np.linalg.solve(self.block[0], cross.T).T
        else:
            self.block = model.weight[:, None, None] * inner[model.each] + shift
            if model.is_coupled:
                self.U = self._solve(cross)
            else:
                self.block += model.matrix[:, None, None] * own
                self.U = np.linalg.solve(self.block, cross[:, :, None])[:, :, 0]
        # F at the best U: energy / 2 + alpha ||V||^2 / 2 - <C V, U> / 2
        self.value = 0.5 * (
            model.alpha * float(np.vdot(V, V)) + datafit.energy - float(np.vdot(cross, self.U))
        )

    def balanced(self) -> "FactorPoint":
        """Return phi where ``V = Q S^(1/2)``, given ``U V' = P S Q'``; it is no larger there."""
        tall, small = np.linalg.qr(self.V)
        left_small = np.linalg.qr(self.U, mode="r")
        sizes, right = np.linalg.svd(left_small @ small.T)[1:]
        return FactorPoint(self.model, tall @ (right[: len(sizes)].T * np.sqrt(sizes)))

    @cached_property
    def slope(self) -> np.ndarray:
        """The gradient of the smooth part at U V', shape (T, p)."""
        model = self.model
        if model.is_wide(self.V.shape[1]):
            product = model.datafit.hessian_product(self.U @ self.V.T)
        else:
            product = model.spread(self.gram_v, self.U)
        return product + model.coupled(self.U) @ self.V.T - model.datafit.linear

    @cached_property
    def gradient(self) -> np.ndarray:
        """The gradient of phi, shape (p, r)."""
        return self.model.alpha * self.V + self.slope.T @ self.U

    @cached_property
    def _inverse(self) -> np.ndarray:
        """``(d^2 F / du_t^2)^-1`` for each task, shape (T, r, r), or (1, r, r) if all agree."""
        return np.linalg.inv(self.block)

    @cached_property
    def _factor(self) -> np.ndarray:
        """The Cholesky factor of ``d^2 F / dU^2``, shape (T r, T r)."""
        n_tasks, rank = self.model.datafit.shape[0], self.V.shape[1]
        whole = np.kron(self.model.matrix, self.V.T @ self.V).reshape(n_tasks, rank, n_tasks, rank)
        each = np.arange(n_tasks)
        whole[each, :, each, :] += self.block
        return cholesky(whole.reshape(n_tasks * rank, -1), lower=True, check_finite=False)

    def _solve(self, Z: np.ndarray) -> np.ndarray:
        """Return ``(d^2 F / dU^2)^-1 Z``, shape (T, r)."""
        if self.model.is_coupled:
            return cho_solve((self._factor, True), Z.ravel(), check_finite=False).reshape(Z.shape)
        if len(self._inverse) == 1:
            return Z @ self._inverse[0]
        return np.matmul(self._inverse, Z[:, :, None])[:, :, 0]

    @cached_property
    def curvature(self) -> np.ndarray:
        """The diagonal of ``d^2 F / dV^2``, shape (p, r)."""
        model, squares = self.model, np.square(self.U)
        diagonals = np.diagonal(model.datafit.gram, axis1=1, axis2=2)
        sums = [model.weight[rows] @ squares[rows] for rows in model.members]
        coupled = (self.U * model.coupled(self.U)).sum(axis=0)
        return diagonals.T @ np.array(sums) + coupled + model.alpha

    def hessian_product(self, D: np.ndarray) -> np.ndarray:
        """Return the Hessian of phi times D, shape (p, r): the Schur complement of U."""
        model, U, V = self.model, self.U, self.V
        coupled = model.coupled(U)
        wide = model.is_wide(V.shape[1])
        if wide:
            moved = model.datafit.hessian_product(U @ D.T)
            inner, result = moved @ V, moved.T @ U
        else:
            gram_d = model.products(D)
            inner, result = model.inner(gram_d, V, U), model.gather(gram_d, U, U)
        # change of V' (D_t V u_t - c_t), the gradient in u_t, when V moves along D
        Z = self._solve(inner + coupled @ (D.T @ V) + self.slope @ D)
        if wide:
            result -= model.datafit.hessian_product(Z @ V.T).T @ U
        else:
            result -= model.gather(self.gram_v, Z, U)
        result += model.alpha * D + D @ (U.T @ coupled) - V @ (Z.T @ coupled)
        return result - self.slope.T @ Z

    def hessian(self) -> np.ndarray:
        """Return the Hessian of phi, shape (p r, p r), in the order of ``V.ravel()``."""
        (p, rank), model = self.V.shape, self.model
        hessian = self._coupled_hessian() if model.is_coupled else self._separate_hessian()
        hessian[np.diag_indices(p * rank)] += model.alpha
        return hessian

    def _separate_hessian(self) -> np.ndarray:
        # with P_t = D_t V M_t^-1, M_t = d^2 F / du_t^2 and g_t the slope, the entry at (ia, jb) is
        # sum_t (D_t - P_t V' D_t)_ij u_ta u_tb - u_ta P_t,ib g_tj - g_ti P_t,ja u_tb
        # - g_ti g_tj (M_t^-1)_ab
        model, U, slope = self.model, self.U, self.slope
        (p, rank), n_tasks = self.V.shape, len(U)
        weight, ridge = model.weight[:, None, None], model.matrix[:, None, None]
        inverse = np.broadcast_to(self._inverse, (n_tasks, rank, rank))
        curved = weight * self.gram_v[model.each] + ridge * self.V
        pulled = np.matmul(curved, inverse)
        direct = weight * model.datafit.gram[model.each]
        direct -= np.matmul(pulled, curved.transpose(0, 2, 1))
        diagonal = np.arange(p)
        direct[:, diagonal, diagonal] += model.matrix[:, None]
        steep = (slope[:, :, None] * slope[:, None, :]).reshape(n_tasks, -1)
        blocks = direct.reshape(n_tasks, -1).T @ _outer(U)
        blocks -= steep.T @ inverse.reshape(n_tasks, -1)
        mixed = (pulled[:, :, :, None] * U[:, None, None, :]).reshape(n_tasks, -1).T @ slope
        mixed = mixed.reshape(p, rank, rank, p).transpose(0, 2, 3, 1).reshape(p * rank, -1)
        return _interleaved(blocks, p, rank) - mixed - mixed.T

    def _coupled_hessian(self) -> np.ndarray:
        # d^2 F / dU dV at (tc, jb): lambda_t (V' G_t)_cj u_tb + (A U)_tb V_jc + [b = c] g_tj
        model, U, V = self.model, self.U, self.V
        (p, rank), n_tasks = V.shape, len(U)
        coupled = model.coupled(U)
        curved = model.weight[:, None, None] * self.gram_v[model.each]
        mixed = curved.transpose(0, 2, 1)[:, :, :, None] * U[:, None, None, :]
        mixed += V.T[:, :, None] * coupled[:, None, None, :]
        each = np.arange(rank)
        mixed[:, each, :, each] += self.slope
        mixed = mixed.reshape(n_tasks * rank, p * rank)
        half = solve_triangular(self._factor, mixed, lower=True, check_finite=False)
        outer = model.weight[:, None] * _outer(U)
        sums = np.array([outer[rows].sum(axis=0) for rows in model.members])
        blocks = model.datafit.gram.reshape(len(sums), -1).T @ sums
        hessian = _interleaved(blocks, p, rank) + np.kron(np.eye(p), U.T @ coupled)
        return hessian - half.T @ half


def _outer(U: np.ndarray) -> np.ndarray:
    """Return ``u_ta u_tb``, shape (T, r r)."""
    return (U[:, :, None] * U[:, None, :]).reshape(len(U), -1)


def _interleaved(blocks: np.ndarray, p: int, rank: int) -> np.ndarray:
    """Return the matrix with entry ``blocks[ij, ab]`` at (ia, jb)."""
    return blocks.reshape(p, p, rank, rank).transpose(0, 2, 1, 3).reshape(p * rank, -1)
