from dataclasses import dataclass

import numpy as np

from sklearn_mtl.bayes._kinds import multiply
from sklearn_mtl.bayes._likelihood import QuadraticLikelihood
from sklearn_mtl.convex import GramStats


@dataclass(frozen=True, eq=False)
class Standardization:
    """The coordinates of the engine: features and labels of mean about 0 and variance about 1.

    ``v = (w * x_scale, b + w . x_mean - y_mean) / y_scale`` for weights w and intercept b in the
    caller's units.

    Attributes
    ----------
    x_mean, x_scale : ndarray of shape (p,)
        0 and any scale where there is no intercept.
    y_mean, y_scale : ndarray of shape (T,)
        Equal for all tasks, or each task's own.
    fit_intercept : bool
        Whether the last coefficient of a task is its intercept, at ``x_mean``.
    """

    x_mean: np.ndarray
    x_scale: np.ndarray
    y_mean: np.ndarray
    y_scale: np.ndarray
    fit_intercept: bool

    @classmethod
    def of(
        cls, stats: GramStats, *, fit_intercept: bool, each_feature: bool, each_task: bool
    ) -> "Standardization":
        """Return the coordinates for these statistics.

        Parameters
        ----------
        stats : GramStats
        fit_intercept : bool
        each_feature : bool
            Whether each feature has its own scale; else all have one.
        each_task : bool
            Whether each task's labels have their own mean and scale.
        """
        mass = np.bincount(stats.group, weights=stats.task_mass, minlength=len(stats.mass))
        count = np.bincount(stats.group, minlength=len(stats.mass))
        share = (mass / mass.sum())[:, None]
        x_mean = (share * stats.x_mean).sum(axis=0) if fit_intercept else np.zeros(stats.n_features)
        within = np.einsum("g,gjj->j", count, stats.gram) / mass.sum()
        variance = within + (share * np.square(stats.x_mean - x_mean)).sum(axis=0)
        x_scale = feature_scale(variance, x_mean, each_feature=each_feature)
        task_mass = stats.task_mass
        whole = (task_mass @ stats.y_mean) / task_mass.sum()
        y_mean = np.full(stats.n_tasks, whole)
        spread = stats.energy + task_mass * np.square(stats.y_mean - whole)
        if not fit_intercept:
            y_mean, spread = (
                np.zeros(stats.n_tasks),
                stats.energy + task_mass * np.square(stats.y_mean),
            )
        pooled = spread.sum() / task_mass.sum()
        y_scale = np.full(stats.n_tasks, np.sqrt(pooled) if pooled > 0 else 1.0)
        if each_task:
            y_mean, y_scale = task_units(
                stats, fit_intercept=fit_intercept, typical=None, otherwise=y_scale[0]
            )
        return cls(x_mean, x_scale, y_mean, y_scale, fit_intercept)

    def moments(self, stats: GramStats) -> "Moments":
        """Return second moments of rows and labels in these coordinates."""
        shift = (stats.x_mean - self.x_mean) / self.x_scale
        mass = stats.mass
        gram = stats.gram / (self.x_scale[:, None] * self.x_scale)
        gram = gram + mass[:, None, None] * shift[:, :, None] * shift[:, None, :]
        rise = (stats.y_mean - self.y_mean) / self.y_scale
        task_mass, of_task = stats.task_mass, shift[stats.group]
        cross = stats.cross / (self.x_scale * self.y_scale[:, None])
        cross = cross + (task_mass * rise)[:, None] * of_task
        energy = stats.energy / np.square(self.y_scale) + task_mass * np.square(rise)
        if self.fit_intercept:
            side = mass[:, None] * shift
            gram = np.block([[gram, side[:, :, None]], [side[:, None, :], mass[:, None, None]]])
            cross = np.column_stack([cross, task_mass * rise])
        return Moments(gram, stats.group, cross, energy, task_mass)

    def rows(self, X: np.ndarray) -> np.ndarray:
        """Return rows in these coordinates, shape (n, d)."""
        scaled = (X - self.x_mean) / self.x_scale
        return np.column_stack([scaled, np.ones(len(X))]) if self.fit_intercept else scaled

    def coef(self, v: np.ndarray, y_scale: np.ndarray) -> np.ndarray:
        """Return weights in the caller's units, (..., p), of coefficients (..., d)."""
        return v[..., : len(self.x_scale)] / self.x_scale * np.asarray(y_scale)[..., None]

    def intercept(self, v: np.ndarray, y_mean: np.ndarray, y_scale: np.ndarray) -> np.ndarray:
        """Return intercepts in the caller's units, (...), of coefficients (..., d)."""
        if not self.fit_intercept:
            return np.zeros(v.shape[:-1])
        return y_mean + y_scale * v[..., -1] - self.coef(v, y_scale) @ self.x_mean


def task_units(
    stats: GramStats, *, fit_intercept: bool, typical: float | None, otherwise: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and the scale of each task's own labels, shapes (T,).

    Parameters
    ----------
    stats : GramStats
    fit_intercept : bool
        Without intercepts, means stay as they are, and scales are about 0.
    typical : float or None
        The scale of a task whose labels, one or all equal, have none of their own; None is the
        geometric mean of those of the other tasks, which no unit of labels decides alone.
    otherwise : float, default=1.0
        `typical`, where no task has a scale.
    """
    mass, y_mean = stats.task_mass, stats.y_mean
    variance = stats.energy / np.where(mass > 0, mass, 1.0)
    # equal labels have rounding for a variance
    telling = variance > np.square(64 * np.finfo(float).eps * np.abs(y_mean))
    if not fit_intercept:
        variance, y_mean = variance + np.square(y_mean), np.zeros(stats.n_tasks)
        telling = variance > 0
    own = np.sqrt(variance, where=telling, out=np.ones(stats.n_tasks))
    if typical is None:
        typical = float(np.exp(np.log(own[telling]).mean())) if telling.any() else otherwise
    return y_mean.copy(), np.where(telling, own, typical)


def feature_scale(variance: np.ndarray, x_mean: np.ndarray, *, each_feature: bool) -> np.ndarray:
    """Return what to divide features by, shape (p,), given their variances about their means."""
    # a constant feature has rounding for a variance
    floor = np.square(64 * np.finfo(float).eps * np.abs(x_mean))
    variance = np.where(variance > floor, variance, 0.0)
    typical = variance[variance > 0].mean() if variance.any() else 1.0
    if not each_feature:
        return np.full(len(variance), np.sqrt(typical))
    return np.sqrt(np.where(variance > 0, variance, typical))


@dataclass(frozen=True, eq=False)
class Moments:
    """What the squared loss needs of rows z and labels y in standard coordinates.

    Attributes
    ----------
    gram : ndarray of shape (K, d, d)
        ``sum_i d_i z_i z_i'`` of each group of tasks.
    group : ndarray of shape (T,)
    cross : ndarray of shape (T, d)
        ``sum_i d_i y_i z_i``.
    energy : ndarray of shape (T,)
        ``sum_i d_i y_i^2``.
    mass : ndarray of shape (T,)
        ``sum_i d_i``: a weight counts repetitions of a label.
    """

    gram: np.ndarray
    group: np.ndarray
    cross: np.ndarray
    energy: np.ndarray
    mass: np.ndarray

    def likelihood(self, noise: np.ndarray) -> QuadraticLikelihood:
        """Return that of coefficients, for labels with Gaussian noise of variances (T,)."""
        constant = -0.5 * (self.mass * np.log(2.0 * np.pi * noise) + self.energy / noise)
        linear = self.cross / noise[:, None]
        return QuadraticLikelihood(self.gram, self.group, 1.0 / noise, linear, constant)

    def squared_errors(self, coefficients: np.ndarray) -> np.ndarray:
        """Return the sum of squared errors of each task, shape (T,), for coefficients (T, d)."""
        slope = multiply(self.gram, self.group, coefficients) - 2.0 * self.cross
        return np.maximum(self.energy + np.einsum("ti,ti->t", coefficients, slope), 0.0)
