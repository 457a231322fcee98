from typing import Any

import numpy as np
from scipy.sparse import csc_array, issparse


class CentredColumns:
    """X without its column means: a centred copy where X is dense, a rank-one term where not.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n, p)
    share : ndarray of shape (n,)
        Weights that sum to 1.
    centre : bool

    Attributes
    ----------
    mean : ndarray of shape (p,)
        The weighted means of X; 0 without `centre`.
    """

    def __init__(self, X: Any, share: np.ndarray, *, centre: bool) -> None:
        n, p = X.shape
        self.root_share = np.sqrt(share)
        self.mean = np.zeros(p)
        self.left_over: np.ndarray | None = None
        if not issparse(X):
            self.matrix: Any = np.empty(X.shape, order="F")
            if centre:
                self.mean = share @ X
            np.subtract(X, self.mean, out=self.matrix)
            if centre and (np.abs(self.mean) > 1e6 * np.abs(self.matrix[:8]).max(axis=0)).any():
                rest = share @ self.matrix  # what rounding left, at large offsets
                self.matrix -= rest
                self.mean = self.mean + rest
            self.matrix *= self.root_share[:, None]
            return
        X = csc_array(X, dtype=np.float64, copy=True)
        X.sum_duplicates()
        if centre:
            full = np.diff(X.indptr) == n  # a column without zeros can be shifted as it stands
            shift = np.where(full, share @ X, 0.0)
            X.data -= np.repeat(shift, np.diff(X.indptr))
            self.left_over = share @ X
            self.mean = shift + self.left_over
        X.data *= self.root_share[X.indices]
        self.matrix = X

    def times(self, coef: np.ndarray) -> np.ndarray:
        """Return centred and scaled X times `coef`, shape (p, m), where rows of 0 cost nothing."""
        kept = np.flatnonzero(coef.any(axis=1))
        if 4 * len(kept) >= len(coef):  # copying columns costs more than it saves
            product, mean = self.matrix @ coef, self.left_over
        else:
            coef = coef[kept]
            product = self._take(kept) @ coef
            mean = None if self.left_over is None else self.left_over[kept]
        if mean is not None:
            product -= np.outer(self.root_share, mean @ coef)
        return product

    def transposed_times(self, values: np.ndarray) -> np.ndarray:
        """Return the transpose times `values`, shape (n, m)."""
        product = self.matrix.T @ values
        if self.left_over is not None:
            product -= np.outer(self.left_over, self.root_share @ values)
        return product

    def dense(self, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Return some rows, centred and scaled, as a dense matrix."""
        part = self.matrix[rows]
        if not issparse(part):
            return part
        part = part.toarray()
        if self.left_over is not None:
            part -= np.outer(self.root_share[rows], self.left_over)
        return part

    def moments(self, weight: np.ndarray | None = None) -> np.ndarray:
        """Return sums of squares of the columns, shape (1, p), or (K, p) for weights (n, K)."""
        squares = self.matrix.multiply(self.matrix) if issparse(self.matrix) else self.matrix**2
        weights = np.ones((len(self.root_share), 1)) if weight is None else weight
        sums = np.asarray(squares.T @ weights).T
        if self.left_over is not None:
            crossed = np.asarray(self.matrix.T @ (weights * self.root_share[:, None])).T
            total = (weights * np.square(self.root_share)[:, None]).sum(axis=0)[:, None]
            sums = sums - self.left_over * (2 * crossed - total * self.left_over)
        return np.maximum(sums, 0.0)

    def _take(self, features: np.ndarray) -> Any:
        if issparse(self.matrix):
            return self.matrix[:, features]
        return self.matrix.T[features].T  # columns in Fortran order are rows: whole copies

    def columns(self, features: np.ndarray) -> np.ndarray:
        """Return columns as a dense matrix in Fortran order."""
        if not issparse(self.matrix):
            return self._take(features)
        block = self.matrix[:, features].toarray(order="F")
        if self.left_over is not None:
            block -= np.outer(self.root_share, self.left_over[features])
        return block

    def gram_block(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return rows and columns of the second moments."""
        if not issparse(self.matrix):
            left = self._take(rows)  # the product of a matrix with itself takes half the work
            return left.T @ (left if rows is columns else self._take(columns))
        block = (self.matrix[:, rows].T @ self.matrix[:, columns]).toarray()
        if self.left_over is not None:
            block -= np.outer(self.left_over[rows], self.left_over[columns])
        return block

    def largest_moment(self) -> float:
        """Return an upper bound on the largest eigenvalue of the second moments."""
        n, p = self.matrix.shape
        if min(n, p) == 0:
            return 0.0
        if not issparse(self.matrix):
            small = self.matrix @ self.matrix.T if n < p else self.matrix.T @ self.matrix
            return max(float(np.linalg.eigvalsh(small)[-1]), 0.0)
        # ||A||_2^2 <= ||A||_1 ||A||_inf; centring is a projection, and makes nothing larger
        size = abs(self.matrix)
        return float(size.sum(axis=0).max() * size.sum(axis=1).max())
