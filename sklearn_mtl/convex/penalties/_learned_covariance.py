"""What is left of a task covariance that is learned with W, once its closed form is put in."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import eigh, svd

from sklearn_mtl.convex.penalties._nuclear import NuclearNorm

NUCLEAR = NuclearNorm(1.0)
CANCELLED = 0.01  # of a sum left by a difference, which has two digits less then


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

    @cached_property
    def _spectrum(self) -> tuple[np.ndarray, np.ndarray]:
        return eigh(self.anchor, check_finite=False)

    def root(self, W: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return eigenvalues, shape (M,), and eigenvectors of S, to the digits of small ones."""
        left, sizes, _ = svd(np.hstack([W, self.anchor]), full_matrices=False, check_finite=False)
        return sizes, left

    def _excess(self, W: np.ndarray) -> float:
        """Return ``tr S - tr D``, to its own digits."""
        return _trace_difference(self.root(W), self._spectrum, W)

    def value(self, W: np.ndarray) -> float:
        """Return ``gamma / 2 * ((tr S)^2 - (tr D)^2)``."""
        excess = self._excess(W)
        return 0.5 * self.gamma * excess * (excess + 2.0 * self._size)

    def dual(self, W: np.ndarray, gradient: np.ndarray) -> tuple[float, float]:
        """Return 1 and a bound on the conjugate at ``-gradient``, tight where W is optimal.

        For any t of at least ``||gradient||_2``, by duality with the block of D,

            t^2 / (2 gamma) - ||(t^2 I - gradient gradient')^(1/2) D||_* + gamma / 2 ||D||_*^2

        is no less than the conjugate, which is the minimum over t. It is at ``gamma tr S`` for the
        optimal W.
        """
        squares, vectors = eigh(gradient @ gradient.T, check_finite=False)
        steepest = float(np.sqrt(max(squares[-1], 0.0)))
        beyond = max(self.gamma * self._excess(W), steepest - self.gamma * self._size)
        t = beyond + self.gamma * self._size
        rest = np.sqrt(np.maximum(t * t - squares, 0.0))
        _, sizes, right = svd(rest[:, None] * (vectors.T @ self.anchor), check_finite=False)
        # the norm is tr K, K^2 = t^2 D^2 - (D gradient) (D gradient)'
        sizes_of_anchor, vectors_of_anchor = self._spectrum
        missing = _trace_difference(
            (t * sizes_of_anchor, vectors_of_anchor), (sizes, right.T), self.anchor @ gradient
        )
        return 1.0, beyond**2 / (2.0 * self.gamma) + missing


def _trace_difference(
    larger: tuple[np.ndarray, np.ndarray], smaller: tuple[np.ndarray, np.ndarray], B: np.ndarray
) -> float:
    """Return ``tr P - tr Q`` for positive P and Q with ``P^2 - Q^2 = B B'``, by their spectra.

    Where the two cancel, ``P (P - Q) + (P - Q) Q = B B'`` gives the difference to its own digits.
    """
    (p, left), (q, right) = larger, smaller
    plain = float(p.sum() - q.sum())
    if plain > CANCELLED * p.sum():
        return plain
    difference = (left.T @ B) @ (right.T @ B).T / (p[:, None] + q)
    return float(np.vdot(difference, left.T @ right))
