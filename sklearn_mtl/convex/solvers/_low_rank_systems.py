from collections.abc import Callable

import numpy as np

from sklearn_mtl.convex._coupling import Component, Coupling
from sklearn_mtl.convex.solvers._block_system import component_inverse
from sklearn_mtl.convex.solvers._elimination import Separate
from sklearn_mtl.convex.solvers._inverse import Inverse, System
from sklearn_mtl.convex.solvers._low_rank_steps import LowRankQuadratic

Inverted = Callable[[np.ndarray], np.ndarray]


class DiagonalSystem:
    """``(H + rho I)^-1`` for a diagonal H, given by its diagonal of shape (T, p)."""

    def __init__(self, curvature: np.ndarray) -> None:
        self.curvature = curvature
        self.middle = float(curvature.mean())

    def inverse(self, rho: float) -> Inverted:
        """Return R -> W with ``(H + rho I) W = R``."""
        shrunk = 1.0 / (self.curvature + rho)
        return lambda R: R * shrunk


class SeparateSystem:
    """``(H + rho I)^-1`` where A is diagonal: one inverse for each task, or for each group.

    Attributes
    ----------
    middle : float
        The median curvature along a coordinate, positive unless all are 0.
    """

    def __init__(self, quadratic: LowRankQuadratic) -> None:
        datafit = quadratic.datafit
        # one inverse a group where its tasks have one Hessian, else one a task
        same = quadratic.is_uniform
        weight = np.full(len(datafit.gram), datafit.task_weight[0]) if same else datafit.task_weight
        ridge = np.full(len(datafit.gram), quadratic.matrix[0]) if same else quadratic.matrix
        gram = datafit.gram if same else datafit.gram[datafit.group]
        group = datafit.group if same else np.arange(len(gram))
        self.members = [np.flatnonzero(group == k) for k in range(len(gram))]
        self.is_in_order = np.array_equal(group, np.arange(len(gram)))
        self.hessian = weight[:, None, None] * gram
        self.diagonal = np.arange(gram.shape[1])
        self.hessian[:, self.diagonal, self.diagonal] += ridge[:, None]
        curved = self.hessian[:, self.diagonal, self.diagonal]
        self.middle = float(np.median(curved[curved > 0])) if (curved > 0).any() else 0.0

    def inverse(self, rho: float) -> Inverted:
        """Return R -> W with ``(H + rho I) W = R``."""
        shifted = self.hessian.copy()
        shifted[:, self.diagonal, self.diagonal] += rho
        inverse = np.linalg.inv(shifted)

        def solve(R: np.ndarray) -> np.ndarray:
            if self.is_in_order:
                return np.matmul(inverse, R[:, :, None])[:, :, 0]
            W = np.empty_like(R)
            for block, members in zip(inverse, self.members, strict=True):
                W[members] = R[members] @ block
            return W

        return solve


class TiedSystem:
    """``(H + rho I)^-1`` where A ties tasks in a way that costs little.

    Attributes
    ----------
    middle : float
        The median curvature along a coordinate, positive unless all are 0.
    """

    def __init__(self, quadratic: LowRankQuadratic) -> None:
        self.datafit, self.coupling = quadratic.datafit, Coupling(quadratic.matrix)
        curved = np.diagonal(self.datafit.gram, axis1=1, axis2=2)[self.datafit.group]
        curved = self.datafit.task_weight[:, None] * curved + np.diag(quadratic.matrix)[:, None]
        self.middle = float(np.median(curved[curved > 0])) if (curved > 0).any() else 0.0

    @property
    def is_cheap(self) -> bool:
        """Whether tasks are eliminated, or one Gram matrix gives eigenvectors to all."""
        return self.datafit.is_shared or all(
            component.rank_one is not None for component in self.coupling.components
        )

    def inverse(self, rho: float) -> Inverted:
        """Return R -> W with ``(H + rho I) W = R``."""
        alone, weight = self.coupling.alone, self.datafit.task_weight
        parts: list[tuple[np.ndarray, Inverse]] = []
        if len(alone):
            diagonal = self.coupling.diagonal[alone] + rho
            spectrum = self.datafit.spectrum.restrict(alone)
            parts.append((alone, Separate(spectrum, weight[alone], diagonal)))
        for component in self.coupling.components:
            shifted = component.matrix + rho * np.eye(len(component.rows))
            system = System(self.datafit, Component(component.rows, shifted))
            parts.append((component.rows, component_inverse(system, max_iter=0)))

        def solve(R: np.ndarray) -> np.ndarray:
            W = np.empty_like(R)
            for rows, part in parts:
                W[rows] = part(R[rows])
            return W

        return solve
