from dataclasses import dataclass

import numpy as np

from sklearn_mtl.bayes._gaussian import PSEUDO_LABELS, GaussianFit
from sklearn_mtl.bayes._standardization import Standardization
from sklearn_mtl.convex import GramStats

NOISE_STEPS = 100
NOISE_CHANGE = 1e-8  # relative, at which the noise of a new task is found


@dataclass(frozen=True, eq=False)
class NewTasks:
    """What is known of tasks that came after the fit, in standard coordinates.

    Attributes
    ----------
    mean : ndarray of shape (T', d)
    covariance : ndarray of shape (T', d, d)
    kind : ndarray of shape (T',)
        Which covariance is each task's.
    noise : ndarray of shape (T',)
    y_mean, y_scale : ndarray of shape (T',)
        Of the coordinates.
    """

    mean: np.ndarray
    covariance: np.ndarray
    kind: np.ndarray
    noise: np.ndarray
    y_mean: np.ndarray
    y_scale: np.ndarray


def fit_new_tasks(
    fit: GaussianFit, stats: GramStats, *, shared_noise: bool, each_task: bool
) -> NewTasks:
    """Return the posterior of tasks that come after the fit, given its population.

    The population stays as it is, with all that is uncertain about it.

    Parameters
    ----------
    fit : GaussianFit
    stats : GramStats
        Of the new tasks' rows.
    shared_noise : bool
        Whether their noise is that of all tasks; else it is learned, by expectation-maximisation.
    each_task : bool
        Whether their labels have their own scale.
    """
    T, old = stats.n_tasks, fit.coordinates
    if each_task:
        own = Standardization.of(
            stats, fit_intercept=old.fit_intercept, each_feature=True, each_task=True
        )
        y_mean, y_scale = own.y_mean, own.y_scale
    else:
        y_mean, y_scale = np.full(T, old.y_mean[0]), np.full(T, old.y_scale[0])
    m = Standardization(old.x_mean, old.x_scale, y_mean, y_scale, old.fit_intercept).moments(stats)
    center = fit.posterior.population_mean
    precision = np.linalg.inv(fit.prior.covariance + fit.posterior.population_covariance)
    noise = np.full(T, fit.typical_noise)
    gram = m.gram[m.group]
    for _ in range(NOISE_STEPS):
        covariance = np.linalg.inv(precision + gram / noise[:, None, None])
        pull = precision @ center + m.cross / noise[:, None]
        mean = np.einsum("tij,tj->ti", covariance, pull)
        if shared_noise:
            break
        fitted = np.einsum("ti,tij,tj->t", mean, gram, mean) - 2.0 * np.einsum(
            "ti,ti->t", mean, m.cross
        )
        errors = m.energy + fitted + np.einsum("tij,tij->t", gram, covariance)
        before, pseudo = noise, PSEUDO_LABELS * fit.typical_noise
        noise = (np.maximum(errors, 0.0) + pseudo) / (m.mass + PSEUDO_LABELS)
        if (np.abs(noise - before) <= NOISE_CHANGE * before).all():
            break
    return NewTasks(mean, covariance, np.arange(T), noise, y_mean, y_scale)
