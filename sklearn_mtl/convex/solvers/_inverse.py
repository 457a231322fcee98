from abc import ABC, abstractmethod
from functools import cached_property

import numpy as np

from sklearn_mtl.convex._coupling import Component
from sklearn_mtl.convex._spectrum import (
    GramSpectrum,
    multiply_grouped,
    restrict,
    restricted_hessian,
    semidefinite_eigh,
)
from sklearn_mtl.convex.datafits import GramQuadratic


class System:
    """``H = blockdiag(lambda_t G_t) + A x I`` on the m tasks of a component of A.

    Parameters
    ----------
    datafit : GramQuadratic
        That of all tasks.
    component : Component

    Attributes
    ----------
    gram : ndarray of shape (K, p, p)
    group : ndarray of shape (m,)
        The Gram matrix of each task.
    weight : ndarray of shape (m,)
        lambda.
    """

    def __init__(self, datafit: GramQuadratic, component: Component) -> None:
        self.datafit, self.component = datafit, component
        self.gram, self.group = restrict(datafit.gram, datafit.group, component.rows)
        self.weight = datafit.task_weight[component.rows]

    @cached_property
    def spectrum(self) -> GramSpectrum:
        """That of the Gram matrices."""
        return self.datafit.spectrum.restrict(self.component.rows)

    @property
    def matrix(self) -> np.ndarray:
        """A, shape (m, m)."""
        return self.component.matrix

    def product(self, W: np.ndarray) -> np.ndarray:
        """Return H applied to the rows of W."""
        curved = self.weight[:, None] * multiply_grouped(W, self.gram, self.group)
        return curved + self.component.product(W)

    @cached_property
    def _null(self) -> tuple[np.ndarray, np.ndarray]:
        """Z (m, k) and N (k p, q): the null space of H is spanned by ``(Z x I) N``."""
        flat = self.component.flat
        inner = restricted_hessian(flat, self.gram, self.group, self.weight)
        values, basis, _ = semidefinite_eigh(inner)
        return flat, basis[:, values == 0]

    def in_range(self, W: np.ndarray) -> np.ndarray:
        """Return W without its part in the null space of H."""
        flat, basis = self._null
        if basis.shape[1] == 0:
            return W
        part = basis @ (basis.T @ (flat.T @ W).ravel())
        return W - flat @ part.reshape(flat.shape[1], -1)


class Inverse(ABC):
    """The pseudo-inverse of the Hessian of one component's tasks.

    Attributes
    ----------
    is_exact : bool
        Whether ``g' H^+ g`` holds up to rounding, so that it certifies.
    n_iter : int
        Iterations so far, 0 for direct methods.
    """

    is_exact = True
    n_iter = 0

    @abstractmethod
    def __call__(self, R: np.ndarray) -> np.ndarray:
        """Return the W of least norm with ``H W = R``, for R in the range of H."""
