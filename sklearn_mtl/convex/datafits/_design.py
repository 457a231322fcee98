from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import issparse

from sklearn_mtl.convex._spectrum import spectrum_of_rows
from sklearn_mtl.convex.datafits._base import Point
from sklearn_mtl.convex.datafits._design_rows import (
    CompleteRows,
    DesignRows,
    MaskedRows,
    TaggedRows,
)
from sklearn_mtl.convex.datafits._gram import GramQuadratic
from sklearn_mtl.convex.datafits._quadratic import QuadraticDatafit
from sklearn_mtl.tasks import TaskData

MOST_FEATURES = 4096  # a Gram matrix of 128 MiB


class DesignQuadratic(QuadraticDatafit):
    """The squared loss in terms of the rows, for wide X: no p x p matrix is formed.

    ``f(W) = min_b sum_t lambda_t / (2 mass_t) * sum_i d_ti (y_ti - x_i . w_t - b_t)^2``

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n, p)
        The numbers of the rows of `data`, in its order.
    data : TaskData
        With labels; a task may have no observed label here.
    task_weight : ndarray of shape (T,)
        lambda.
    fit_intercept : bool, default=True
        Whether each task has an intercept, which centring takes out.
    """

    def __init__(
        self, X: Any, data: TaskData, task_weight: np.ndarray, *, fit_intercept: bool = True
    ) -> None:
        self._set(design_rows(X, data, centre=fit_intercept), task_weight)

    def _set(self, rows: DesignRows, task_weight: np.ndarray) -> None:
        self.rows, self.group, self.task_weight = rows, rows.group, task_weight
        self.linear = task_weight[:, None] * rows.pull_back(rows.targets)
        self.shape = self.linear.shape

    @cached_property
    def is_uniform(self) -> bool:
        """Whether all tasks have the same rows and one weight, so that the Hessian is I x G."""
        same = bool((self.task_weight == self.task_weight[0]).all())
        return isinstance(self.rows, CompleteRows) and same

    def at(self, W: np.ndarray) -> Point:
        """Return value, gradient and dual at W."""
        rows, is_zero = self.rows, not W.any()
        residual = rows.targets if is_zero else rows.targets - rows.fitted(W)
        energy = float(self.task_weight @ rows.per_task(np.square(residual)))
        inner = float(self.task_weight @ rows.per_task(residual * rows.targets))
        pulled = self.linear if is_zero else self.task_weight[:, None] * rows.pull_back(residual)

        def dual(kappa: float) -> float:
            return kappa * inner - 0.5 * kappa**2 * energy

        return Point(0.5 * energy, -pulled, dual)

    def gram_block(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return these rows and columns of each G, shape (K, len(rows), len(columns))."""
        return self.rows.gram_block(rows, columns)

    def of_task(self, task: int) -> "DesignQuadratic":
        """Return the loss of one task alone, with weights of shape (1, p)."""
        one = DesignQuadratic.__new__(DesignQuadratic)
        one._set(self.rows.of_task(task), self.task_weight[task : task + 1])
        return one

    def root(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """Return A, Z with ``A'A = G`` and ``lambda_t A'z_t = linear_t``, or None."""
        if not isinstance(self.rows, CompleteRows):
            return None
        return self.rows.columns.columns(features), self.rows.targets

    def on_gram_matrix(self) -> GramQuadratic | None:
        """Return this loss in terms of one Gram matrix, or None where that is not for it.

        It is for tasks that share dense rows, at least as many as features, and for at most
        `MOST_FEATURES`.
        """
        rows, p = self.rows, self.shape[1]
        if not isinstance(rows, CompleteRows) or issparse(rows.columns.matrix):
            return None
        matrix = rows.columns.matrix
        if len(matrix) < p or p > MOST_FEATURES:
            return None
        energy = rows.per_task(np.square(rows.targets))
        gram = (matrix.T @ matrix)[None]
        one = GramQuadratic(gram, rows.group, np.zeros(self.shape), energy, self.task_weight)
        one.linear = self.linear
        return one

    def pooled_moments(self) -> np.ndarray:
        """Return the mean over tasks of the diagonals of their second moments, shape (p,)."""
        return self._pooled_moments

    @cached_property
    def _pooled_moments(self) -> np.ndarray:
        count = np.bincount(self.group)
        return count @ self.rows.moments() / count.sum()

    @cached_property
    def row_spectrum(self) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvalues and eigenvectors, for tasks that share rows B: of B B' or, smaller, B'B."""
        assert isinstance(self.rows, CompleteRows)
        return spectrum_of_rows(self.rows.columns.dense())

    def lipschitz(self) -> float:
        """Return an upper bound on the largest curvature of f."""
        return self._lipschitz

    @cached_property
    def _lipschitz(self) -> float:
        return float((self.task_weight * self.rows.largest_moments()).max())

    def intercept(self, W: np.ndarray) -> np.ndarray:
        """Return the best intercepts for W, shape (T,); 0 where none are fitted."""
        return self.rows.y_mean - np.einsum("tj,tj->t", W, self.rows.x_mean[self.group])


def design_rows(X: Any, data: TaskData, *, centre: bool) -> DesignRows:
    """Return the linear map of these rows: complete, masked or tagged."""
    if data.task_index is not None:
        return TaggedRows(X, data, centre=centre)
    labels = data.labels
    weight = np.ones(labels.shape) if data.weights is None else data.weights  # type: ignore[union-attr]
    if data.observed is not None:
        weight = np.where(data.observed, weight, 0.0)
    if (weight == weight[:, :1]).all() and weight[:, 0].any():
        kept = np.flatnonzero(weight[:, 0])
        if len(kept) < len(weight):
            X, labels, weight = X[kept], labels[kept], weight[kept]  # type: ignore[index]
        return CompleteRows.of(X, labels, weight[:, 0], centre=centre)  # type: ignore[arg-type]
    return MaskedRows(X, np.where(weight > 0, labels, 0.0), weight, centre=centre)  # type: ignore[arg-type]


def prefers_design(
    n_rows: int,
    n_features: int,
    n_tasks: int,
    n_groups: int = 1,
    *,
    density: float = 1.0,
    n_fits: int = 1,
) -> bool:
    """Return whether rows beat Gram matrices, for a norm that rotations change (L2,1, L1).

    Gram matrices cost ``K n p^2`` operations once, whatever the number of fits. Rows cost
    ``4 n p T`` a step, in ten steps or so, and Gram matrices of the features at work. Measured on
    L2,1 at 0.01 to 0.5 times alpha_max, the two meet where p is about 86 T / K: (n, p, T) = (2000,
    500, 5) is a tie; at (20000, 200, 100) Gram matrices take a third of the time of rows, and at
    (500, 2000, 20) rows take a third of that of Gram matrices. Where p > 2 n rows win whatever T
    is: more features than rows are at work for small alpha, and systems have the size of n.

    Parameters
    ----------
    n_rows : int
        n, of a group.
    n_features, n_tasks : int
        p and T.
    n_groups : int, default=1
        Distinct Gram matrices, K.
    density : float, default=1.0
        The share of X that is not 0; a Gram matrix of sparse X costs its square.
    n_fits : int, default=1
        Problems on the same rows: values of alpha.
    """
    if n_features > 2 * n_rows and n_features**2 * n_groups > 1e6:
        return True
    return n_groups * n_features * density > 86 * n_tasks * n_fits
