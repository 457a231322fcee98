from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sklearn_mtl.convex._coupling import EPS
from sklearn_mtl.convex.datafits import GramQuadratic
from sklearn_mtl.convex.penalties import NuclearNorm

ENTRIES = 4_000_000  # of the Gram matrices that are decomposed or inverted


@dataclass(frozen=True, eq=False)
class Iterate:
    """A W of low rank, with what proximal gradient steps and certificates need of it.

    Attributes
    ----------
    left, sizes, right : ndarray of shape (T, r), (r,), (r, p)
        The singular value decomposition of W.
    coef : ndarray of shape (T, p)
        W.
    slope : ndarray of shape (T, p)
        The gradient of the smooth part at W.
    smooth : float
        The smooth part at W.
    gap : float
        Upper bound on the objective at W minus the minimum.
    """

    quadratic: "LowRankQuadratic"
    left: np.ndarray
    sizes: np.ndarray
    right: np.ndarray

    @property
    def rank(self) -> int:
        """Number of singular values that are not zero."""
        return len(self.sizes)

    @cached_property
    def coef(self) -> np.ndarray:
        return (self.left * self.sizes) @ self.right

    @cached_property
    def slope(self) -> np.ndarray:
        return self.quadratic.product(self) - self.quadratic.linear

    @cached_property
    def forward(self) -> np.ndarray:
        """W after a gradient step on the smooth part."""
        return self.coef - self.quadratic.step * self.slope

    @cached_property
    def _moments(self) -> tuple[float, float]:
        """``<W, H W>`` and ``<W, C>``; half ``<W, H W> - 2 <W, C> + energy`` is smooth."""
        inner = float(np.vdot(self.coef, self.quadratic.linear))
        return float(np.vdot(self.coef, self.slope)) + inner, inner

    @property
    def objective(self) -> float:
        """The whole objective at W."""
        curved, inner = self._moments
        smooth = 0.5 * (curved - 2 * inner + self.quadratic.energy)
        return smooth + self.quadratic.norm.alpha * float(self.sizes.sum())

    @cached_property
    def gap(self) -> float:
        # Problem.certify, with the norm of W at hand
        (curved, inner), energy = self._moments, self.quadratic.energy
        size, alpha = self.quadratic.norm.dual_norm(self.slope), self.quadratic.norm.alpha
        kappa = 1.0 if size <= alpha else alpha / size
        dual = kappa * (energy - inner) - 0.5 * kappa**2 * (curved - 2 * inner + energy)
        rounding = EPS * (abs(curved) + 2 * abs(inner))
        return max(self.objective - dual, 0.0) + rounding


class LowRankQuadratic:
    """A squared loss plus ``tr(W' A W) / 2`` and a nuclear norm, whose iterates have low rank.

    Parameters
    ----------
    datafit : GramQuadratic
    matrix : ndarray of shape (T, T) or None
        A.
    norm : NuclearNorm

    Attributes
    ----------
    matrix : ndarray of shape (T,) or (T, T)
        A, by its diagonal where it is diagonal.
    """

    def __init__(
        self, datafit: GramQuadratic, matrix: np.ndarray | None, norm: NuclearNorm
    ) -> None:
        self.datafit = datafit
        self.norm = norm
        self.linear, self.energy = datafit.linear, datafit.energy
        self.matrix = np.zeros(len(self.linear))
        if matrix is not None:
            diagonal = np.diag(matrix)
            self.matrix = matrix if np.any(matrix - np.diag(diagonal)) else diagonal.copy()

    @property
    def is_uniform(self) -> bool:
        """Whether tasks that share a Gram matrix have one Hessian."""
        weight, matrix = self.datafit.task_weight, self.matrix
        return matrix.ndim == 1 and bool(
            (weight == weight[0]).all() and (matrix == matrix[0]).all()
        )

    @property
    def is_rotatable(self) -> bool:
        """Whether eigenvectors of one Gram matrix make the Hessian diagonal, at a small cost."""
        datafit = self.datafit
        return datafit.is_shared and self.matrix.ndim == 1 and datafit.gram.size <= ENTRIES

    @cached_property
    def step(self) -> float:
        """One over a bound on the curvature of the smooth part."""
        datafit = self.datafit
        if self.is_rotatable:
            curvature = float(datafit.task_weight.max() * datafit.spectrum.values[0, -1])
        elif datafit.is_shared or self.matrix.ndim == 2:
            curvature = datafit.lipschitz()
        else:  # many eigenvalues, for the few steps that are taken
            curvature = float(
                (
                    datafit.task_weight * np.linalg.norm(datafit.gram, axis=(1, 2))[datafit.group]
                ).max()
            )
        largest = (
            self.matrix.max() if self.matrix.ndim == 1 else np.linalg.eigvalsh(self.matrix)[-1]
        )
        curvature += max(float(largest), 0.0)
        return 1.0 / curvature if curvature > 0 else 1.0

    def product(self, iterate: Iterate) -> np.ndarray:
        """Return ``H W``: the rows ``lambda_t G_t w_t`` plus A W."""
        datafit, (n_tasks, p) = self.datafit, self.datafit.shape
        if datafit.is_shared and iterate.rank * (n_tasks + p) < n_tasks * p:
            scaled = datafit.task_weight[:, None] * (iterate.left * iterate.sizes)
            product = scaled @ (iterate.right @ datafit.gram[0])
        else:
            product = datafit.hessian_product(iterate.coef)
        if self.matrix.ndim == 2:
            return product + (self.matrix @ (iterate.left * iterate.sizes)) @ iterate.right
        if self.matrix.any():
            return product + self.matrix[:, None] * iterate.coef
        return product

    def iterate(self, W: np.ndarray) -> Iterate:
        """Return the iterate at a given W."""
        left, sizes, right = np.linalg.svd(W, full_matrices=False)
        kept = sizes > np.finfo(float).eps * max(W.shape) * sizes.max(initial=0.0)
        return Iterate(self, left[:, kept], sizes[kept], right[kept])

    def zero(self) -> Iterate:
        """Return the iterate W = 0."""
        n_tasks, p = self.datafit.shape
        return Iterate(self, np.empty((n_tasks, 0)), np.empty(0), np.empty((0, p)))

    def proximal_step(self, forward: np.ndarray) -> Iterate:
        """Return the iterate after the prox of the norm."""
        return Iterate(self, *self.norm.prox_factors(forward, self.step))

    def accelerated(
        self, current: Iterate, *, enough: float, n_steps: int, check_every: int
    ) -> tuple[Iterate, int]:
        """Return the iterate after some steps of accelerated proximal gradient with restart.

        Parameters
        ----------
        current : Iterate
        enough : float
            The gap to stop at.
        n_steps : int
            Largest number of steps.
        check_every : int
            Steps between two looks at the gap.
        """
        before, momentum, n_iter = current, 1.0, 0
        while n_iter < n_steps:
            n_iter += 1
            following = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * momentum**2))
            weight = (momentum - 1.0) / following if n_iter > 1 else 0.0
            # the gradient is affine: at W + b (W - W_before) it needs no product of its own
            forward, ahead = current.forward, current.coef
            if weight > 0:
                forward = forward + weight * (forward - before.forward)
                ahead = ahead + weight * (ahead - before.coef)
            new = self.proximal_step(forward)
            if np.vdot(ahead - new.coef, new.coef - current.coef) > 0:  # turns back
                following = 1.0
            before, current, momentum = current, new, following
            if n_iter % check_every == 0 and current.gap <= enough:
                break
        return current, n_iter
