from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import qr
from scipy.sparse import issparse

from sklearn_mtl.convex.penalties import NormPenalty, Penalty, PenaltySum

Intercept = Callable[[np.ndarray], np.ndarray]

# Rotating costs one QR decomposition, 4 n^2 p operations; it saves the difference between an
# eigendecomposition of p and one of n coordinates, some 9 (p^3 - n^3), and as much of every step.
# Measured on one core for p of 64 to 1000, the two break even near n = 0.75 p ...
WORTH = 0.75
# ... and below 64 features both take less than half a millisecond
FEW_FEATURES = 64


@dataclass(frozen=True, eq=False)
class Coordinates:
    """Rows in the coordinates that a fit works in: their own features, or fewer.

    Attributes
    ----------
    rows : ndarray or sparse matrix of shape (n, r)
    basis : ndarray of shape (p, r) or None
        Orthonormal columns: ``W_p = W_r basis'``. None where r = p and nothing was rotated.
    centre : ndarray of shape (r,) or None
        What was subtracted from the rows, in these coordinates; None where nothing was.
    """

    rows: Any
    basis: np.ndarray | None = None
    centre: np.ndarray | None = None

    @property
    def n_features(self) -> float:
        """How many features weights are of, before any rotation."""
        return self.rows.shape[1] if self.basis is None else len(self.basis)

    def outward(self, W: np.ndarray) -> np.ndarray:
        """Return weights W_r of coordinates, shape (M, r), as weights of features (M, p)."""
        return W if self.basis is None else W @ self.basis.T

    def inward(self, coef: np.ndarray) -> np.ndarray:
        """Return weights of features in these coordinates, the inverse of `outward`."""
        rotates = self.basis is not None and len(self.basis) == coef.shape[1]
        return coef @ self.basis if rotates else coef

    def intercept(self, of_rows: Intercept) -> Intercept:
        """Return the intercepts for X itself, given those for `rows`, as functions of W_r."""
        centre = self.centre
        return of_rows if centre is None else lambda W: of_rows(W) - W @ centre


def row_space(X: Any, *, centre: bool, worth: float = WORTH) -> Coordinates:
    """Return wide X in coordinates of the space that its rows span, any other X as it is.

    Where the penalty does not change under rotations, the best weights are combinations of the
    rows (the representer theorem), so that n coordinates replace p features at no loss.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n, p)
    centre : bool
        Whether there are intercepts. Then differences of rows span what is needed, and an offset
        that all rows share takes no digits.
    worth : float
        The most rows a feature at which rotating pays.
    """
    n, p = X.shape
    if p < FEW_FEATURES or n > worth * p:
        return Coordinates(X)
    # n x p numbers are fewer than the p x p of a Gram matrix, of sparse rows too
    dense = np.asarray(X.toarray() if issparse(X) else X, dtype=np.float64)
    mean = dense.mean(axis=0) if centre else np.zeros(p)
    # X - mean = R' Q': the coordinates are R'
    basis, triangle = qr((dense - mean).T, mode="economic", overwrite_a=True, check_finite=False)
    return Coordinates(triangle.T, basis, mean @ basis)


def is_rotation_invariant(penalty: Penalty) -> bool:
    """Return whether the penalty of W and of W Q' agree for orthonormal columns Q."""
    terms = penalty.terms if isinstance(penalty, PenaltySum) else [penalty]
    return all(term.is_rotation_invariant for term in terms if isinstance(term, NormPenalty))
