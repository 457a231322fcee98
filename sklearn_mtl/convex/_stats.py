from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_mtl.convex._collect import collect
from sklearn_mtl.convex._matches import difference
from sklearn_mtl.convex._merge import merged
from sklearn_mtl.convex.datafits import GramQuadratic
from sklearn_mtl.tasks import TaskData


@dataclass(frozen=True, eq=False, repr=False)
class GramStats:
    """Sufficient statistics of the squared loss of T tasks on p features.

    Tasks that have the same rows with the same weights form a group and share one Gram matrix:
    one group where every label is known, T where tasks have rows of their own. Statistics of
    disjoint rows merge into those of all rows, exactly up to rounding.

    All sums are of float64 deviations from means, whatever the dtype of X: formed from raw values,
    a Gram matrix loses the digits that an offset takes. Means carry what rounding takes off them,
    so that merging is as exact with an offset of 1e6 as without.

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
    x_mean_low, y_mean_low : ndarray of shape (K, p), (T,)
        What rounding took off the means.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl.convex import GramStats
    >>> from sklearn_mtl.tasks import infer_layout
    >>> X = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 1.0]])
    >>> y = {"price": X[:, 0] + 2, "size": X[:, 0] - X[:, 1]}
    >>> layout = infer_layout(X, y)
    >>> stats = GramStats.from_data(X, layout.encode(X, y))
    >>> stats
    GramStats(n_tasks=2, n_features=2, n_groups=1, n_labels=8)
    >>> W = stats.cross @ np.linalg.inv(stats.gram[0])
    >>> W.round(6), stats.intercept(W).round(6)
    (array([[ 1.,  0.], [ 1., -1.]]), array([2., 0.]))

    Rows may come in parts:

    >>> def of_rows(part):
    ...     labels = {name: values[part] for name, values in y.items()}
    ...     return GramStats.from_data(X[part], layout.encode(X[part], labels))
    >>> both = of_rows(slice(0, 1)).merge(of_rows(slice(1, 4)))
    >>> np.allclose(both.gram, stats.gram), np.allclose(both.y_mean, stats.y_mean)
    (True, True)
    """

    group: np.ndarray
    count: np.ndarray
    mass: np.ndarray
    x_mean: np.ndarray
    gram: np.ndarray
    y_mean: np.ndarray
    cross: np.ndarray
    energy: np.ndarray
    x_mean_low: np.ndarray
    y_mean_low: np.ndarray

    def __repr__(self) -> str:
        return (
            f"GramStats(n_tasks={self.n_tasks}, n_features={self.n_features}, "
            f"n_groups={len(self.mass)}, n_labels={self.count.sum()})"
        )

    def __sklearn_clone__(self) -> "GramStats":
        # as a parameter, shared by all clones in a grid: nothing changes it
        return self

    @property
    def n_tasks(self) -> int:
        """Number of tasks, T."""
        return len(self.group)

    @property
    def n_features(self) -> int:
        """Number of features, p."""
        return self.x_mean.shape[1]

    @property
    def task_mass(self) -> np.ndarray:
        """Sum of weights of each task's labels, shape (T,); 0 where there is none."""
        return self.mass[self.group]

    @classmethod
    def from_data(cls, X: Any, data: TaskData) -> "GramStats":
        """Return the statistics of these rows.

        Rows are read chunk by chunk, and once: beyond the statistics, memory holds a few chunks of
        4 MB. With missing labels, the Gram matrix of tasks that lack few rows is that of all rows
        less that of those few, unless digits would be lost.

        A sparse X is multiplied as it is where it is sparse enough for that to be faster. A column
        is centred there by subtracting ``mass * mean^2`` afterwards, which costs a column with
        many zeros nothing: its mean is small against its root mean square. Columns where it would
        cost more than a digit (few zeros, a large offset) are centred as dense chunks. An X that
        is hardly sparse is centred as dense chunks altogether.

        Parameters
        ----------
        X : ndarray or sparse matrix of shape (n, p)
            The numbers of the rows of `data`, in its order.
        data : TaskData
            With labels; a task may have no observed label here.
        """
        return cls(**vars(collect(X, data)))

    def merge(self, other: "GramStats") -> "GramStats":
        """Return the statistics of the rows of both, which must be disjoint."""
        return GramStats.merge_all([self, other])

    @classmethod
    def merge_all(cls, parts: "Sequence[GramStats]") -> "GramStats":
        """Return the statistics of the rows of all parts, which must be disjoint.

        Tasks share a Gram matrix where they do so in every part. The order of the parts does not
        matter, up to rounding.

        Parameters
        ----------
        parts : sequence of GramStats
            At least one, of the same tasks and features; a task may lack labels in some.
        """
        return parts[0] if len(parts) == 1 else cls(**merged(parts))

    def join(self, other: "GramStats") -> "GramStats":
        """Return the statistics of the tasks of both, which must be different ones."""
        both = {
            name: np.concatenate([value, vars(other)[name]]) for name, value in vars(self).items()
        }
        return GramStats(**both | {"group": np.append(self.group, len(self.mass) + other.group)})

    def matches(
        self, X: Any, data: TaskData, names: Sequence[Hashable] | None = None
    ) -> str | None:
        """Return what tells these statistics from those of the given rows; None where nothing does.

        Compared are tasks, features, labels, weights and means, and the second moments along one
        random direction: nothing but rounding escapes that, and it takes a pass over X and y.

        Parameters
        ----------
        X : ndarray or sparse matrix of shape (n, p)
        data : TaskData
        names : sequence of T task names, default=None
            What to call tasks by; their numbers if None.
        """
        return difference(self, X, data, range(self.n_tasks) if names is None else names)

    def datafit(self, task_weight: np.ndarray, *, fit_intercept: bool = True) -> GramQuadratic:
        """Return the squared loss ``sum_t lambda_t / (2 mass_t) * sum_i d_i (y_ti - ...)^2``.

        A task without labels has no part in it.

        Parameters
        ----------
        task_weight : ndarray of shape (T,)
            lambda.
        fit_intercept : bool, default=True
            Whether each task has an intercept, which centring takes out.
        """
        mass = np.where(self.mass > 0, self.mass, 1.0)
        task_mass = mass[self.group]
        gram, cross, energy = self.gram, self.cross, self.energy
        if not fit_intercept:
            mean = self.x_mean
            gram = gram + self.mass[:, None, None] * mean[:, :, None] * mean[:, None, :]
            cross = cross + (self.task_mass * self.y_mean)[:, None] * mean[self.group]
            energy = energy + self.task_mass * np.square(self.y_mean)
        return GramQuadratic(
            gram / mass[:, None, None],
            self.group,
            cross / task_mass[:, None],
            energy / task_mass,
            np.where(self.task_mass > 0, task_weight, 0.0),
        )

    def intercept(self, W: np.ndarray) -> np.ndarray:
        """Return the best intercepts for W, shape (T,)."""
        high = self.y_mean - np.einsum("tj,tj->t", W, self.x_mean[self.group])
        low = self.y_mean_low - np.einsum("tj,tj->t", W, self.x_mean_low[self.group])
        return high + low

    def mean_squared_error(self, W: np.ndarray, intercept: np.ndarray) -> np.ndarray:
        """Return each task's weighted mean squared error on these rows, shape (T,).

        NaN where a task has no label. Rounding is relative to the variance of y and of the fit,
        not to the error itself, and to their means where the intercept is not the best.
        """
        mass = self.task_mass
        scale = 1.0 / np.where(mass > 0, mass, 1.0)
        fit = GramQuadratic(self.gram, self.group, self.cross, self.energy, scale)
        curved = np.einsum("tj,tj->t", W, fit.hessian_product(W))
        slope = np.einsum("tj,tj->t", W, fit.linear)
        bias = self.intercept(W) - intercept
        error = np.maximum(curved - 2 * slope + scale * self.energy, 0.0) + np.square(bias)
        return np.where(mass > 0, error, np.nan)
