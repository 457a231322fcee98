"""What is left of a task covariance that is learned with W, once its closed form is put in."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import eigh, svd

from sklearn_mtl.convex.penalties._nuclear import NuclearNorm

NUCLEAR = NuclearNorm(1.0)


@dataclass(frozen=True, eq=False)
class SquaredNuclearNorm:
    """``gamma / 2 * ||W||_*^2``.

    Attributes
    ----------
    gamma : float
        Positive.
    """

    gamma: float

    def value(self, W: np.ndarray) -> float:
        """Return ``gamma / 2 * ||W||_*^2``."""
        return 0.5 * self.gamma * NUCLEAR.norm(W) ** 2

    def dual(self, W: np.ndarray, gradient: np.ndarray) -> tuple[float, float]:
        """Return 1 and the conjugate at ``-gradient``, which is finite everywhere."""
        return 1.0, NUCLEAR.dual_norm(gradient) ** 2 / (2.0 * self.gamma)

    def prox(self, W: np.ndarray, step: float) -> np.ndarray:
        """Return ``argmin_V ||V - W||_F^2 / 2 + step * gamma / 2 * ||V||_*^2``."""
        # soft-threshold by tau = step * gamma * ||V||_*, where k singular values are left over:
        # tau (1 + k step gamma) = step gamma (s_1 + ... + s_k)
        left, sizes, right = svd(W, full_matrices=False, check_finite=False)
        strength = step * self.gamma
        counts = np.arange(1, len(sizes) + 1)
        threshold = (strength * np.cumsum(sizes) / (1.0 + strength * counts)).max(initial=0.0)
        return (left * np.maximum(sizes - threshold, 0.0)) @ right


@dataclass(frozen=True, eq=False)
class AnchoredNuclearNorm:
    """``gamma / 2 * (||[W, D]||_*^2 - ||D||_*^2)`` for a positive definite D of shape (M, M).

    With ``S = (W W' + D^2)^(1/2)``, the first norm is ``tr S``. Smooth, as S is never singular.

    Attributes
    ----------
    gamma : float
        Positive.
    anchor : ndarray of shape (M, M)
        D.
    """

    gamma: float
    anchor: np.ndarray

    @cached_property
    def _size(self) -> float:
        return float(self.anchor.trace())

    def root(self, W: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return eigenvalues, shape (M,), and eigenvectors of S, to the digits of small ones."""
        left, sizes, _ = svd(np.hstack([W, self.anchor]), full_matrices=False, check_finite=False)
        return sizes, left

    def value(self, W: np.ndarray) -> float:
        """Return ``gamma / 2 * ((tr S)^2 - (tr D)^2)``."""
        total = float(self.root(W)[0].sum())
        # W = 0 and D have the same trace but for rounding
        return max(0.5 * self.gamma * (total - self._size) * (total + self._size), 0.0)

    def dual(self, W: np.ndarray, gradient: np.ndarray) -> tuple[float, float]:
        """Return 1 and a bound on the conjugate at ``-gradient``, tight where W is optimal.

        For any t of at least ``||gradient||_2``, by duality with the block of D,

            t^2 / (2 gamma) - ||(t^2 I - gradient gradient')^(1/2) D||_* + gamma / 2 ||D||_*^2

        is no less than the conjugate, which is the minimum over t. It is at ``gamma tr S`` for the
        optimal W.
        """
        squares, vectors = eigh(gradient @ gradient.T, check_finite=False)
        t = max(self.gamma * float(self.root(W)[0].sum()), float(np.sqrt(max(squares[-1], 0.0))))
        rest = np.sqrt(np.maximum(t * t - squares, 0.0))
        other = svd(rest[:, None] * (vectors.T @ self.anchor), compute_uv=False, check_finite=False)
        return 1.0, t * t / (2.0 * self.gamma) - other.sum() + 0.5 * self.gamma * self._size**2
