import numpy as np
from scipy.linalg import cho_factor, cho_solve

from sklearn_mtl.convex._coupling import EPS, Component, Coupling
from sklearn_mtl.convex._spectrum import (
    GramSpectrum,
    multiply_grouped,
    restrict,
    restricted_hessian,
)
from sklearn_mtl.convex.datafits import GramQuadratic


class QuadraticBound:
    """Bound on how far a W is above the minimum of a quadratic objective, from its gradient g.

    With H = blockdiag(lambda_t G_t) + A x I it is exactly ``g' H^+ g / 2``. For any splitting
    H = H_1 + H_2 into positive semi-definite matrices and g = g_1 + g_2,

        g' H^+ g <= g_1' H_1^+ g_1 + g_2' H_2^+ g_2.

    H_2 is A without its lowest eigenvectors Z, H_1 the rest, and g_1 = H_1 Z mu the part with
    Z' g_2 = 0. So the bound is finite where A is singular, and costs no solve of the whole system.
    It is exact for tasks that A ties to no other.

    Parameters
    ----------
    datafit : GramQuadratic
    coupling : Coupling
        A.
    """

    def __init__(self, datafit: GramQuadratic, coupling: Coupling) -> None:
        gram, group, weight = datafit.gram, datafit.group, datafit.task_weight
        self.components = [
            _ComponentBound(component, *restrict(gram, group, component.rows), weight)
            for component in coupling.components
        ]
        alone = self.alone = coupling.alone
        self.spectrum = None
        if len(alone):
            self.spectrum = GramSpectrum.of(*restrict(gram, group, alone))
            self.curvature = weight[alone, None] * self.spectrum.of_tasks()
            self.curvature += coupling.diagonal[alone, None]

    def __call__(self, gradient: np.ndarray) -> float:
        """Return the bound for the gradient of the objective, shape (M, p)."""
        total = sum(component(gradient) for component in self.components)
        if self.spectrum is not None:
            rotated = np.square(self.spectrum.rotate(gradient[self.alone]))
            curved = self.curvature > 0
            total += float((rotated[curved] / self.curvature[curved]).sum())
        return 0.5 * total


class _ComponentBound:
    def __init__(
        self, component: Component, gram: np.ndarray, group: np.ndarray, weight: np.ndarray
    ) -> None:
        self.rows, self.gram, self.group = component.rows, gram, group
        weight = self.weight = weight[component.rows]
        self.low, self.vectors = component.low
        inner = restricted_hessian(self.vectors, gram, group, weight)
        inner += np.diag(np.repeat(self.low, gram.shape[1]))
        values, basis = np.linalg.eigh(inner)
        kept = values > EPS * len(values) * values.max(initial=0.0)
        self.values, self.basis = values[kept], basis[:, kept]
        # A with eigenvalue tau in place of the low ones, which g_2 has no part in
        tau = component.matrix.trace() / len(component.matrix)
        self.factor = cho_factor(
            component.matrix + (self.vectors * (tau - self.low)) @ self.vectors.T,
            check_finite=False,
        )

    def __call__(self, gradient: np.ndarray) -> float:
        rest, vectors = gradient[self.rows], self.vectors
        total = 0.0
        if vectors.shape[1]:
            low = self.basis.T @ (vectors.T @ rest).ravel()
            mu = (self.basis @ (low / self.values)).reshape(vectors.shape[1], -1)
            total += float((np.square(low) / self.values).sum())
            curved = multiply_grouped(vectors @ mu, self.gram, self.group)
            rest = rest - self.weight[:, None] * curved
            rest = rest - vectors @ (vectors.T @ rest)
        return total + float(np.vdot(rest, cho_solve(self.factor, rest, check_finite=False)))
