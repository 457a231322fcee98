"""Ridge regressions with a strength a feature, of all tasks at once, as group Newton needs them."""

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from sklearn_mtl.convex.datafits import GramQuadratic, QuadraticDatafit


class Resolvent(ABC):
    """``argmin_w w'Hw / 2 - b'w + sum_j w_j^2 / (2 f_j)`` for each task, where f_j = 0 is w_j = 0.

    Parameters
    ----------
    linear : ndarray of shape (T, s)
        b.
    strength : ndarray of shape (s,)
        f.

    Attributes
    ----------
    kept : ndarray or slice
        The features of f_j > 0, on which alone there is something to solve.
    root : ndarray of shape (k,)
        Their ``f_j^1/2``.
    """

    def __init__(self, linear: np.ndarray, strength: np.ndarray) -> None:
        kept = np.flatnonzero(strength)
        self.linear = linear
        self.kept = slice(None) if len(kept) == len(strength) else kept
        self.root = np.sqrt(strength[self.kept])

    @cached_property
    def weights(self) -> np.ndarray:
        """The minimisers, shape (T, s)."""
        weights = np.zeros(self.linear.shape)
        weights[:, self.kept] = self._minimise()
        return weights

    @abstractmethod
    def _minimise(self) -> np.ndarray:
        """Return the minimisers at the kept features, shape (T, k)."""

    @abstractmethod
    def apply(self, values: np.ndarray) -> np.ndarray:
        """Return the rows ``N_t v_t`` of ``N = (H^-1 + diag f)^-1``, shape (T, s)."""

    @property
    def matrix(self) -> np.ndarray | None:
        """N, shape (s, s), where all tasks have one and it is cheap."""
        return None

    @property
    def factor(self) -> Any:
        """What another resolvent of the same f_j > 0 can be made from, or None."""
        return None


class GramResolvent(Resolvent):
    """One H for all tasks: one Cholesky factor of ``F^1/2 H F^1/2 + I``, k x k."""

    def __init__(
        self, hessian: np.ndarray, linear: np.ndarray, strength: np.ndarray, factor: Any = None
    ) -> None:
        super().__init__(linear, strength)
        self.hessian, self.beside, self._factor = hessian, hessian[self.kept], factor

    @property
    def factor(self) -> Any:
        """The Cholesky factor, which does not depend on features of f_j = 0."""
        if self._factor is None:
            self._factor = _unit_shifted_factor(
                self.root[:, None] * self.beside[:, self.kept] * self.root
            )
        return self._factor

    def _solve(self, rows: np.ndarray) -> np.ndarray:
        inside = cho_solve(self.factor, (self.root * rows).T, check_finite=False)
        return self.root * inside.T

    def _minimise(self) -> np.ndarray:
        return self._solve(self.linear[:, self.kept])

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Return the rows ``N v_t``, shape (T, s)."""
        product = values @ self.hessian
        # Woodbury: N = H - H F^1/2 (F^1/2 H F^1/2 + I)^-1 F^1/2 H
        return product - self._solve(product[:, self.kept]) @ self.beside

    @property
    def matrix(self) -> np.ndarray:
        """N, shape (s, s)."""
        half = solve_triangular(
            self.factor[0], self.root[:, None] * self.beside, lower=True, check_finite=False
        )
        return self.hessian - half.T @ half


class RowResolvent(Resolvent):
    """One ``H = A'A`` for all tasks, with fewer rows than features: a factor of ``A F A' + I``.

    Parameters
    ----------
    rows : ndarray of shape (m, s)
        A.
    targets : ndarray of shape (m, T)
        Z, with ``A'Z = b``.
    linear, strength : ndarray
    factor : tuple, default=None
    """

    def __init__(
        self,
        rows: np.ndarray,
        targets: np.ndarray,
        linear: np.ndarray,
        strength: np.ndarray,
        factor: Any = None,
    ) -> None:
        super().__init__(linear, strength)
        self.rows, self.targets, self._factor = rows, targets, factor

    @property
    def factor(self) -> Any:
        """The Cholesky factor, which does not depend on features of f_j = 0."""
        if self._factor is None:
            scaled = self.rows[:, self.kept] * self.root
            self._factor = _unit_shifted_factor(scaled @ scaled.T)
        return self._factor

    def _minimise(self) -> np.ndarray:
        residual = cho_solve(self.factor, self.targets, check_finite=False)
        return np.square(self.root) * (residual.T @ self.rows[:, self.kept])

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Return the rows ``N v_t``, shape (T, s)."""
        # N = A' (I + A F A')^-1 A
        inside = cho_solve(self.factor, self.rows @ values.T, check_finite=False)
        return inside.T @ self.rows

    @property
    def matrix(self) -> np.ndarray:
        """N, shape (s, s)."""
        half = solve_triangular(self.factor[0], self.rows, lower=True, check_finite=False)
        return half.T @ half


class ScaledResolvent(Resolvent):
    """``H_t = lambda_t G``: one eigendecomposition of ``F^1/2 G F^1/2`` serves every lambda_t."""

    def __init__(
        self,
        gram: np.ndarray,
        scales: np.ndarray,
        linear: np.ndarray,
        strength: np.ndarray,
        factor: Any = None,
    ) -> None:
        super().__init__(linear, strength)
        self.gram, self.beside, self.scales = gram, gram[self.kept], scales[:, None]
        self._factor = factor

    @property
    def factor(self) -> Any:
        """Eigenvalues and eigenvectors, which do not depend on features of f_j = 0."""
        if self._factor is None:
            values, vectors = np.linalg.eigh(
                self.root[:, None] * self.beside[:, self.kept] * self.root
            )
            self._factor = np.maximum(values, 0.0), vectors
        return self._factor

    def _solve(self, rows: np.ndarray) -> np.ndarray:
        values, vectors = self.factor
        inside = ((self.root * rows) @ vectors) / (self.scales * values + 1.0)
        return self.root * (inside @ vectors.T)

    def _minimise(self) -> np.ndarray:
        return self._solve(self.linear[:, self.kept])

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Return the rows ``N_t v_t``, shape (T, s)."""
        product = self.scales * (values @ self.gram)
        return product - self.scales * (self._solve(product[:, self.kept]) @ self.beside)


class OwnResolvent(Resolvent):
    """An H for each task: solves in one batch."""

    def __init__(self, hessians: np.ndarray, linear: np.ndarray, strength: np.ndarray) -> None:
        super().__init__(linear, strength)
        self.hessians, self.beside = hessians, hessians[:, self.kept]
        self.inner = self.root[:, None] * self.beside[:, :, self.kept] * self.root
        diagonal = np.arange(len(self.root))
        self.inner[:, diagonal, diagonal] += 1.0

    def _minimise(self) -> np.ndarray:
        inside = np.linalg.solve(self.inner, (self.root * self.linear[:, self.kept])[:, :, None])
        return self.root * inside[:, :, 0]

    @cached_property
    def inverse(self) -> np.ndarray:
        """The inverse of each ``F^1/2 H F^1/2 + I``, shape (T, k, k)."""
        return np.linalg.inv(self.inner)

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Return the rows ``N_t v_t``, shape (T, s)."""
        product = np.matmul(self.hessians, values[:, :, None])
        inside = np.matmul(self.inverse, self.root[:, None] * product[:, self.kept])
        inside *= self.root[:, None]
        return (product - np.matmul(self.beside.transpose(0, 2, 1), inside))[:, :, 0]


def _unit_shifted_factor(matrix: np.ndarray) -> tuple[np.ndarray, bool]:
    matrix.flat[:: len(matrix) + 1] += 1.0
    return cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)


class GroupedResolvent(Resolvent):
    """Groups of tasks, each with a G of its own."""

    def __init__(self, members: list[np.ndarray], parts: list[Resolvent]) -> None:
        self.members, self.parts = members, parts
        self.order = np.argsort(np.concatenate(members))

    @cached_property
    def weights(self) -> np.ndarray:
        """The minimisers, shape (T, s)."""
        return self._minimise()

    def _minimise(self) -> np.ndarray:
        return np.concatenate([part.weights for part in self.parts])[self.order]

    @property
    def factor(self) -> Any:
        """The factors of the groups."""
        return [part.factor for part in self.parts]

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Return the rows ``N_t v_t``, shape (T, s)."""
        pairs = zip(self.members, self.parts, strict=True)
        return np.concatenate([part.apply(values[tasks]) for tasks, part in pairs])[self.order]


class Resolvents:
    """Makes the resolvents of a squared loss, on features that change from call to call.

    Parameters
    ----------
    datafit : QuadraticDatafit
    """

    def __init__(self, datafit: QuadraticDatafit) -> None:
        self.datafit = datafit
        self.members = datafit.curvature_classes
        self.known = np.empty(0, dtype=int)
        self.position = np.full(datafit.shape[1], -1)
        self.blocks = np.empty((len(self.members), 0, 0))
        self.features = np.empty(0, dtype=int)
        self.root: np.ndarray | None = None
        self.is_own = len(self.members) == len(datafit.group) > 1

    def restrict(self, features: np.ndarray) -> None:
        """Take these features from here on."""
        if len(features) == len(self.features) and (features == self.features).all():
            return
        self.features = features
        self.root = None
        weight = self.datafit.task_weight
        if (weight == weight[0]).all():
            root = self.datafit.root(features[:0])
            if root is not None and len(root[0]) < len(features):
                matrix, targets = self.datafit.root(features)  # type: ignore[misc]
                scale = np.sqrt(weight[0])
                self.root, self.targets = scale * matrix, scale * targets
        self.linear = self.datafit.linear[:, features]
        if self.root is None:
            self.gram = self._gram(features)
            if self.is_own:
                self.gram = self.gram[self.datafit.group] * weight[:, None, None]

    def at(self, strength: np.ndarray, factor: Any = None) -> Resolvent:
        """Return the resolvent of these f, shape (s,).

        `factor` is that of a resolvent with the same f_j > 0, on whatever features.
        """
        if self.root is not None:
            return RowResolvent(self.root, self.targets, self.linear, strength, factor)
        if self.is_own:
            return OwnResolvent(self.gram, self.linear, strength)
        weight = self.datafit.task_weight
        factors = [factor] if len(self.members) == 1 else factor or [None] * len(self.members)
        parts = [
            self._part(self.gram[k], weight[tasks], self.linear[tasks], strength, factors[k])
            for k, tasks in enumerate(self.members)
        ]
        return parts[0] if len(parts) == 1 else GroupedResolvent(self.members, parts)

    def curvature(self, units: np.ndarray) -> np.ndarray:
        """Return ``sum_t u_tj^2 H_t,jj`` for each feature, shape (s,)."""
        if self.root is not None:
            return np.einsum("ij,ij->j", self.root, self.root) * np.square(units).sum(axis=0)
        diagonal = np.einsum("kjj->kj", self.gram)
        if self.is_own:
            return np.einsum("tj,tj,tj->j", units, units, diagonal)
        weight = self.datafit.task_weight[:, None]
        return (weight * np.square(units) * diagonal[self.datafit.group]).sum(axis=0)

    @staticmethod
    def _part(
        gram: np.ndarray,
        weight: np.ndarray,
        linear: np.ndarray,
        strength: np.ndarray,
        factor: Any,
    ) -> Resolvent:
        if (weight == weight[0]).all():
            return GramResolvent(weight[0] * gram, linear, strength, factor)
        return ScaledResolvent(gram, weight, linear, strength, factor)

    def _gram(self, features: np.ndarray) -> np.ndarray:
        if isinstance(self.datafit, GramQuadratic):
            return self.datafit.gram_block(features, features)
        new = features[self.position[features] < 0]
        if len(new):
            # products of columns seen before are kept: the working set mostly grows
            beside = self.datafit.gram_block(self.known, new)
            corner = self.datafit.gram_block(new, new)
            self.position[new] = len(self.known) + np.arange(len(new))
            self.known = np.concatenate([self.known, new])
            upper = np.concatenate([self.blocks, beside], axis=2)
            lower = np.concatenate([beside.transpose(0, 2, 1), corner], axis=2)
            self.blocks = np.concatenate([upper, lower], axis=1)
        place = self.position[features]
        return self.blocks[:, place[:, None], place]
