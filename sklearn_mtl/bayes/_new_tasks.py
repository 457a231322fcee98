from dataclasses import dataclass

import numpy as np

from sklearn_mtl.bayes._covariances import Covariances
from sklearn_mtl.bayes._gaussian import GaussianFit
from sklearn_mtl.bayes._maximise import maximise
from sklearn_mtl.bayes._posterior import Posterior, infer
from sklearn_mtl.bayes._prior import Prior
from sklearn_mtl.bayes._standardization import Moments, Standardization, task_units
from sklearn_mtl.bayes._structure import exp_variance
from sklearn_mtl.convex import GramStats

TOL, MAX_ITER = 1e-10, 200  # of the noise of new tasks, one number each


@dataclass(frozen=True, eq=False)
class NewTasks:
    """What is known of tasks that came after the fit, in standard coordinates.

    Attributes
    ----------
    mean : ndarray of shape (T', d)
    covariances : Covariances
        Of J kinds.
    kind : ndarray of shape (T',)
        Which covariance is each task's.
    noise : ndarray of shape (T',)
    y_mean, y_scale : ndarray of shape (T',)
        Of the coordinates.
    """

    mean: np.ndarray
    covariances: Covariances
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
        # one label, or equal ones, are told in units that are typical of the tasks of the fit
        typical = float(np.exp(np.log(old.y_scale).mean()))
        y_mean, y_scale = task_units(stats, fit_intercept=old.fit_intercept, typical=typical)
    else:
        y_mean, y_scale = np.full(T, old.y_mean[0]), np.full(T, old.y_scale[0])
    there = Standardization(old.x_mean, old.x_scale, y_mean, y_scale, old.fit_intercept)
    center = fit.tasks.unseen_mean
    # what is uncertain about the mean is, to each new task, as the spread of tasks about it
    prior = Prior(center, np.zeros_like(center), fit.tasks.unseen_covariance)
    model = _NoiseModel(there.moments(stats), prior, fit.typical_noise, fit.pseudo_labels)
    noise = np.full(T, fit.typical_noise)
    if shared_noise:
        found = model.posterior(noise)
    else:
        best = maximise(model, noise, tol=TOL, max_iter=MAX_ITER)
        noise, found = best.at, best.posterior
    return NewTasks(found.mean, found.covariances, found.kind, noise, y_mean, y_scale)


@dataclass(frozen=True, eq=False)
class _NoiseModel:
    """Tasks of a known population, each with a noise variance of its own to be learned.

    Attributes
    ----------
    moments : Moments
    prior : Prior
        Of which the mean is known.
    typical : float
        Noise variance of which tasks have `pseudo_labels` further labels.
    pseudo_labels : float
    """

    moments: Moments
    prior: Prior
    typical: float
    pseudo_labels: float

    @property
    def n_labels(self) -> float:
        return float(self.moments.mass.sum())

    def posterior(self, at: np.ndarray) -> Posterior:
        return infer(self.moments.likelihood(at), self.prior)

    def score(self, at: np.ndarray, posterior: Posterior) -> float:
        of_noise = np.log(at) + self.typical / at
        return posterior.log_evidence - 0.5 * self.pseudo_labels * float(of_noise.sum())

    def update(self, at: np.ndarray, posterior: Posterior) -> np.ndarray:
        errors = self.moments.squared_errors(posterior.mean) + at * posterior.resolved
        pseudo = self.pseudo_labels * self.typical
        return (errors + pseudo) / (self.moments.mass + self.pseudo_labels)

    def pack(self, at: np.ndarray) -> np.ndarray:
        return np.log(at)

    def unpack(self, vector: np.ndarray) -> np.ndarray:
        return exp_variance(vector)
