import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from sklearn_mtl.convex._coupling import Component, Coupling
from sklearn_mtl.convex._spectrum import (
    EPS,
    GramSpectrum,
    multiply_grouped,
    restrict,
    restricted_hessian,
    semidefinite_eigh,
)
from sklearn_mtl.convex.datafits import GramQuadratic

ROUNDINGS = 64  # of a gradient, for each unit of sqrt(p eps doubt)


class QuadraticBound:
    """Bound on how far a W is above the minimum of a quadratic objective, from its gradient g.

    With H = blockdiag(lambda_t G_t) + A x I it is exactly ``g' H^+ g / 2``. For any splitting
    H = H_1 + H_2 into positive semi-definite matrices and g = g_1 + g_2,

        g' H^+ g <= g_1' H_1^+ g_1 + g_2' H_2^+ g_2.

    H_2 is A without its lowest eigenvectors Z, H_1 the rest, and g_1 = H_1 Z mu the part with
    Z' g_2 = 0. So the bound is finite where A is singular, and costs no solve of the whole system.
    It is exact for tasks that A ties to no other.

    Each curvature counts less what rounding may have added to it. Where H has no curvature, it is
    infinite, unless what g has there may be rounding: by Cauchy and Schwarz, g_tj is at most
    ``(lambda_t G_t,jj * lambda_t e_t)^(1/2)`` at W = 0, with e_t the energy of the labels.

    Parameters
    ----------
    datafit : GramQuadratic
    coupling : Coupling
        A.
    """

    def __init__(self, datafit: GramQuadratic, coupling: Coupling) -> None:
        gram, group, weight = datafit.gram, datafit.group, datafit.task_weight
        energy = weight * datafit.task_energy
        self.components = [
            _ComponentBound(component, *restrict(gram, group, component.rows), weight, energy)
            for component in coupling.components
        ]
        alone = self.alone = coupling.alone
        self.spectrum = None
        if len(alone):
            spectrum = self.spectrum = GramSpectrum.of(*restrict(gram, group, alone))
            doubt = spectrum.doubt[spectrum.group]
            self.curvature = (weight[alone] * (1.0 - doubt))[:, None] * spectrum.of_tasks()
            self.curvature += coupling.diagonal[alone, None]
            diagonal = np.diagonal(gram[group[alone]], axis1=1, axis2=2)
            unit = np.sqrt(diagonal * (weight[alone] * energy[alone])[:, None])
            # what rounding of g makes along eigenvectors
            along = multiply_grouped(unit, np.abs(spectrum.vectors), spectrum.group)
            self.rounding = along * _rounding(doubt, gram.shape[1])[:, None]

    def __call__(self, gradient: np.ndarray) -> float:
        """Return the bound for the gradient of the objective, shape (M, p)."""
        total = sum(component(gradient) for component in self.components)
        if self.spectrum is not None:
            total += _weighted(
                self.spectrum.rotate(gradient[self.alone]), self.curvature, self.rounding
            )
        return 0.5 * total


def _rounding(doubt: np.ndarray | float, p: int) -> np.ndarray:
    # weights are 1 / smallest eigenvalue times labels at most, which is doubt / (eps p)
    return ROUNDINGS * np.sqrt(p * EPS * np.asarray(doubt))


def _weighted(rotated: np.ndarray, curvature: np.ndarray, rounding: np.ndarray) -> float:
    """Return the sum of g^2 / curvature, infinite where g is above rounding and that is 0."""
    curved = curvature > 0
    if (np.abs(rotated) > rounding)[~curved].any():
        return np.inf
    return float((np.square(rotated[curved]) / curvature[curved]).sum())


class _ComponentBound:
    def __init__(
        self,
        component: Component,
        gram: np.ndarray,
        group: np.ndarray,
        weight: np.ndarray,
        energy: np.ndarray,
    ) -> None:
        self.rows, self.gram, self.group = component.rows, gram, group
        m, p = len(group), gram.shape[1]
        weight = self.weight = weight[component.rows]
        if component.is_dominant:
            # what rows have more than the least sum goes with the Gram matrices
            least = component.sums.min()
            self.own, self.vectors = component.sums - least, np.full((m, 1), m**-0.5)
            low = np.array([least])
            matrix = component.laplacian + least * np.eye(m)
        else:
            low, self.vectors = component.low
            self.own, matrix = np.zeros(m), component.matrix
        inner = restricted_hessian(self.vectors, gram, group, weight)
        own = self.vectors.T @ (self.own[:, None] * self.vectors)
        inner += np.kron(own + np.diag(low), np.eye(p))
        values, self.basis, doubt = semidefinite_eigh(inner)
        self.values = values * (1.0 - doubt)
        unit = np.sqrt(inner.diagonal() * energy[component.rows].sum())
        self.rounding = np.abs(self.basis).T @ unit * _rounding(doubt, p)
        # A with eigenvalue tau in place of the low ones, which g_2 has no part in
        tau = matrix.trace() / m
        matrix = matrix + (self.vectors * (tau - low)) @ self.vectors.T
        matrix.flat[:: m + 1] -= EPS * m * matrix.diagonal().max()
        try:
            self.factor = cho_factor(matrix, overwrite_a=True, check_finite=False)
        except LinAlgError:  # an eigenvalue that is but rounding
            self.factor = None

    def __call__(self, gradient: np.ndarray) -> float:
        if self.factor is None:
            return np.inf
        rest, vectors = gradient[self.rows], self.vectors
        total = 0.0
        if vectors.shape[1]:
            low = self.basis.T @ (vectors.T @ rest).ravel()
            total += _weighted(low, self.values, self.rounding)
            inverse = np.divide(1.0, self.values, out=np.zeros_like(low), where=self.values > 0)
            mu = vectors @ (self.basis @ (low * inverse)).reshape(vectors.shape[1], -1)
            curved = self.weight[:, None] * multiply_grouped(mu, self.gram, self.group)
            rest = rest - curved - self.own[:, None] * mu
            rest = rest - vectors @ (vectors.T @ rest)
        return total + float(np.vdot(rest, cho_solve(self.factor, rest, check_finite=False)))
