from dataclasses import dataclass

import numpy as np

from sklearn_mtl.convex.datafits import GramQuadratic
from sklearn_mtl.tasks import TaskData


@dataclass(frozen=True, eq=False)
class GramStats:
    """Sufficient statistics of the squared loss of T tasks on p features.

    Tasks that have the same rows with the same weights form a group and share one Gram matrix:
    one group where every label is known, T where tasks have rows of their own. Statistics of
    disjoint rows merge into those of all rows, exactly up to rounding.

    Attributes
    ----------
    group : ndarray of shape (T,)
        The group of each task.
    count : ndarray of shape (T,), int
        Observed labels of each task.
    mass : ndarray of shape (K,)
        Sum of weights of each group, the number of rows where there are no weights.
    x_mean : ndarray of shape (K, p)
    gram : ndarray of shape (K, p, p)
        ``sum_i d_i (x_i - mean) (x_i - mean)'``.
    y_mean : ndarray of shape (T,)
    cross : ndarray of shape (T, p)
        ``sum_i d_i (x_i - mean) (y_i - mean)``.
    energy : ndarray of shape (T,)
        ``sum_i d_i (y_i - mean)^2``.
    """

    group: np.ndarray
    count: np.ndarray
    mass: np.ndarray
    x_mean: np.ndarray
    gram: np.ndarray
    y_mean: np.ndarray
    cross: np.ndarray
    energy: np.ndarray

    @property
    def n_tasks(self) -> int:
        """Number of tasks, T."""
        return len(self.group)

    @property
    def n_features(self) -> int:
        """Number of features, p."""
        return self.x_mean.shape[1]

    @classmethod
    def from_data(cls, X: np.ndarray, data: TaskData) -> "GramStats":
        """Return the statistics of these rows.

        Parameters
        ----------
        X : ndarray or sparse matrix of shape (n, p)
            The numbers of the rows of `data`, in its order.
        data : TaskData
            With labels; a task may have no observed label here.
        """
        X = np.asarray(X, dtype=np.float64)
        n_tasks, p = data.n_tasks, X.shape[1]
        parts = []
        for t in range(n_tasks):
            rows = data.rows(t)
            weight = (
                np.ones(len(rows)) if data.weights is None else data.column(data.weights, t, rows)
            )
            mass = weight.sum()
            here, y = X[rows], data.column(data.labels, t, rows)  # type: ignore[arg-type]
            x_mean = weight @ here / mass if mass > 0 else np.zeros(p)
            y_mean = weight @ y / mass if mass > 0 else 0.0
            centred, y = here - x_mean, y - y_mean
            weighted = centred * weight[:, None]
            parts.append(
                (
                    len(rows),
                    mass,
                    x_mean,
                    weighted.T @ centred,
                    y_mean,
                    weighted.T @ y,
                    weight @ np.square(y),
                )
            )
        count, mass, x_mean, gram, y_mean, cross, energy = (
            np.array(part) for part in zip(*parts, strict=True)
        )
        return cls(np.arange(n_tasks), count, mass, x_mean, gram, y_mean, cross, energy)

    def merge(self, other: "GramStats") -> "GramStats":
        """Return the statistics of the rows of both, which must be disjoint."""
        raise NotImplementedError

    def datafit(self, task_weight: np.ndarray, *, fit_intercept: bool = True) -> GramQuadratic:
        """Return the squared loss ``sum_t lambda_t / (2 mass_t) * sum_i d_i (y_ti - ...)^2``.

        Parameters
        ----------
        task_weight : ndarray of shape (T,)
            lambda.
        fit_intercept : bool, default=True
            Whether each task has an intercept, which centring takes out.
        """
        mass, task_mass = self.mass, self.mass[self.group]
        gram, cross, energy = self.gram, self.cross, self.energy
        if not fit_intercept:
            mean = self.x_mean
            gram = gram + mass[:, None, None] * mean[:, :, None] * mean[:, None, :]
            cross = cross + (task_mass * self.y_mean)[:, None] * mean[self.group]
            energy = energy + task_mass * np.square(self.y_mean)
        return GramQuadratic(
            gram / mass[:, None, None],
            self.group,
            cross / task_mass[:, None],
            energy / task_mass,
            task_weight,
        )

    def intercept(self, W: np.ndarray) -> np.ndarray:
        """Return the best intercepts for W, shape (T,)."""
        return self.y_mean - np.einsum("tj,tj->t", W, self.x_mean[self.group])

    def mean_squared_error(self, W: np.ndarray, intercept: np.ndarray) -> np.ndarray:
        """Return each task's weighted mean squared error on these rows, shape (T,).

        NaN where a task has no label.
        """
        fit = self.datafit(np.ones(self.n_tasks))
        gram_part = np.einsum("tj,tj->t", W, fit.hessian_product(W))
        cross_part = np.einsum("tj,tj->t", W, fit.linear)
        bias = self.intercept(W) - intercept
        mass = self.mass[self.group]
        return gram_part - 2 * cross_part + self.energy / mass + np.square(bias)
