from copy import copy
from dataclasses import replace

import numpy as np

from sklearn_mtl.convex._problem import Problem
from sklearn_mtl.convex.datafits import CurvedDatafit, DesignQuadratic, GramQuadratic

DENSE_FEATURES = 1000  # up to here the Gram of all tasks' rows is decomposed
DENSE_ROWS = 300  # up to here the penalty is decomposed for the curvature of each row


class RowPreconditioner:
    """The inverse of ``diag(c) x G + A x I``: one second moment G for all rows of W.

    c_r is the sum of the weights that the Hessian gives row r, and G the mean over tasks of their
    second moments of X, or its diagonal where there are many features. The penalty's A counts
    exactly; so badly scaled or correlated features and tied tasks cost no iterations.

    Parameters
    ----------
    problem : Problem
        With a positive definite matrix.
    """

    def __init__(self, problem: Problem) -> None:
        datafit = problem.datafit
        self._take(problem)
        self.vectors: np.ndarray | None = None
        # the rows of a squared loss are many features, or those of a kernel: G is diagonal
        assert isinstance(datafit, (CurvedDatafit, DesignQuadratic, GramQuadratic))
        if not isinstance(datafit, DesignQuadratic) and datafit.shape[1] <= DENSE_FEATURES:
            self.values, self.vectors = np.linalg.eigh(datafit.pooled_gram())
            self.values = np.maximum(self.values, 0.0)
        else:
            self.values = datafit.pooled_moments()

    def _take(self, problem: Problem) -> None:
        assert problem.matrix is not None
        self.problem, self.matrix = problem, problem.matrix
        self.is_diagonal = not np.any(self.matrix - np.diag(np.diag(self.matrix)))

    def under(self, matrix: np.ndarray) -> "RowPreconditioner":
        """Return that of the same loss under another matrix A."""
        other = copy(self)
        other._take(replace(self.problem, matrix=matrix, row_sums=None))
        return other

    def at(self, row_scale: np.ndarray) -> "RowPreconditioner":
        """Take the curvature of the rows of W, shape (M,), and return self."""
        scale = np.maximum(row_scale, 1e-12 * row_scale.max(initial=0.0) + 1e-300)
        if self.is_diagonal:
            self.scale = np.ones(len(scale))
            self.mixing = None
            self.sizes = np.diag(self.matrix)[:, None] + scale[:, None] * self.values
            return self
        if len(scale) <= DENSE_ROWS:
            # C^(1/2) (I x G + C^(-1/2) A C^(-1/2) x I) C^(1/2)
            self.scale = np.sqrt(scale)
            tied = self.matrix / np.outer(self.scale, self.scale)
            values, self.mixing = np.linalg.eigh(tied)
        else:
            mean = float(scale.mean())
            self.scale = np.full(len(scale), np.sqrt(mean))
            values, self.mixing = self.problem.eigh[0] / mean, self.problem.eigh[1]
        least = float(values[-1]) * 1e-14
        self.sizes = np.maximum(values, least)[:, None] + self.values
        return self

    def solve(self, R: np.ndarray) -> np.ndarray:
        """Return the inverse times R, shape (M, p)."""
        R = R / self.scale[:, None]
        R = R if self.vectors is None else R @ self.vectors
        R = R if self.mixing is None else self.mixing.T @ R
        R = R / self.sizes
        R = R if self.mixing is None else self.mixing @ R
        R = R if self.vectors is None else R @ self.vectors.T
        return R / self.scale[:, None]
