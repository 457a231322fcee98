"""Labels with Gaussian noise: exact posteriors, and hyper-parameters of greatest evidence."""

from dataclasses import dataclass

import numpy as np

from sklearn_mtl.bayes._fit import PopulationFit
from sklearn_mtl.bayes._maximise import Maximum, maximise
from sklearn_mtl.bayes._noise_prior import LEAST_PSEUDO_LABELS
from sklearn_mtl.bayes._population import Population
from sklearn_mtl.bayes._posterior import Posterior, infer
from sklearn_mtl.bayes._prior import Prior
from sklearn_mtl.bayes._standardization import Moments, Standardization
from sklearn_mtl.bayes._structure import exp_variance
from sklearn_mtl.bayes._tasks import TaskPosteriors
from sklearn_mtl.convex import GramStats

# the hyper-prior of the typical noise variance, chosen on simulated tasks of few labels, where it
# would seem to be 0 without: one further label, whose noise is this part of the labels' variance
LEVEL_LABELS, LEVEL = 1.0, 0.2


@dataclass(frozen=True, eq=False)
class Hyperparameters:
    """What the evidence decides.

    Attributes
    ----------
    prior : Prior
    noise : ndarray of shape (T,)
        Variances of the labels around their predictions.
    """

    prior: Prior
    noise: np.ndarray


@dataclass(frozen=True, eq=False)
class GaussianFit(PopulationFit):
    """What tasks were found to be, in standard coordinates, and how much noise their labels have.

    Attributes
    ----------
    noise : ndarray of shape (T,)
    typical_noise : float
        The center of the hyper-prior of noise variances.
    pseudo_labels : float
        Labels that it counts for.
    resolved : ndarray of shape (T,)
        How many parameters the labels of each task decide.
    """

    noise: np.ndarray
    typical_noise: float
    pseudo_labels: float
    resolved: np.ndarray


@dataclass(frozen=True, eq=False)
class GaussianModel:
    """``y_ti ~ N(z_i . v_t, noise_t / d_i)``, with the coefficients of one population.

    Attributes
    ----------
    moments : Moments
    population : Population
    center : ndarray of shape (d,)
        Of the population's mean.
    shared_noise : bool
        Whether all tasks have one noise variance.
    pseudo_labels : float, default=2.0
        Further labels of each task that the hyper-prior of noise variances counts for, which have
        the typical noise.
    """

    moments: Moments
    population: Population
    center: np.ndarray
    shared_noise: bool
    pseudo_labels: float = LEAST_PSEUDO_LABELS

    @property
    def n_labels(self) -> float:
        """Labels, repetitions counted."""
        return float(self.moments.mass.sum())

    def start(self) -> Hyperparameters:
        """Return a first guess: half of the labels' variance is noise."""
        return Hyperparameters(
            self.population.start(self.center), np.full(len(self.moments.group), 0.5)
        )

    def posterior(self, at: Hyperparameters) -> Posterior:
        """Return the posterior of all coefficients."""
        return infer(self.moments.likelihood(at.noise), at.prior)

    def score(self, at: Hyperparameters, posterior: Posterior) -> float:
        """Return log evidence plus log hyper-prior."""
        of_prior, typical = self.population.log_density(at.prior), self.typical_noise(at.noise)
        of_noise = -0.5 * LEVEL_LABELS * (np.log(typical) + LEVEL / typical)
        if not self.shared_noise:
            ratio = typical / at.noise
            of_noise += 0.5 * self.pseudo_labels * (np.log(ratio) - ratio).sum()
        return posterior.log_evidence + of_prior + float(of_noise)

    def update(self, at: Hyperparameters, posterior: Posterior) -> Hyperparameters:
        """Return the hyper-parameters that the expected log-density makes most of: an EM step."""
        errors, mass = self.moments.squared_errors(posterior.mean), self.moments.mass
        if self.shared_noise:
            expected = errors.sum() + at.noise[0] * posterior.total_resolved
            whole = (expected + LEVEL_LABELS * LEVEL) / (mass.sum() + LEVEL_LABELS)
            noise = np.full(len(mass), whole)
        else:
            pseudo = self.pseudo_labels * self.typical_noise(at.noise)
            expected = errors + at.noise * posterior.resolved
            noise = (expected + pseudo) / (mass + self.pseudo_labels)
        prior = self.population.maximise(posterior, self.center)
        return Hyperparameters(prior, noise)

    def typical_noise(self, noise: np.ndarray) -> float:
        """Return the noise variance that makes these and the hyper-priors the most likely."""
        if self.shared_noise:
            return float(noise[0])
        # the positive root of a s + c = b s^2, to which the derivative by log s leads
        a = self.pseudo_labels * len(noise) - LEVEL_LABELS
        b, c = self.pseudo_labels * float((1.0 / noise).sum()), LEVEL_LABELS * LEVEL
        return (a + np.sqrt(a * a + 4.0 * b * c)) / (2.0 * b)

    def pack(self, at: Hyperparameters) -> np.ndarray:
        """Return hyper-parameters as one vector: matrix logarithms, and logarithms of variances."""
        noise = at.noise[:1] if self.shared_noise else at.noise
        return np.concatenate([np.log(noise), self.population.pack(at.prior)])

    def unpack(self, vector: np.ndarray) -> Hyperparameters:
        """Return the hyper-parameters that a vector stands for."""
        T = len(self.moments.mass)
        noise, of_prior = np.split(vector, [1 if self.shared_noise else T])
        prior = self.population.unpack(of_prior, self.center)
        return Hyperparameters(prior, np.broadcast_to(exp_variance(noise), T))


def fit_gaussian(
    stats: GramStats,
    coordinates: Standardization,
    population: Population,
    *,
    shared_noise: bool,
    pseudo_labels: float = LEAST_PSEUDO_LABELS,
    start: Hyperparameters | None = None,
    tol: float,
    max_iter: int,
) -> GaussianFit:
    """Learn the population of tasks, noise variances and the posterior of each task.

    Parameters
    ----------
    stats : GramStats
    coordinates : Standardization
    population : Population
    shared_noise : bool
    pseudo_labels : float, default=2.0
        See `GaussianModel`.
    start : Hyperparameters or None, default=None
        Where to start the search; None is where half of the labels' variance is noise.
    tol : float
        See `maximise`.
    max_iter : int
    """
    moments = coordinates.moments(stats)
    center = np.zeros(population.n_coefficients)
    model = GaussianModel(moments, population, center, shared_noise, pseudo_labels)
    found: Maximum = maximise(model, start or model.start(), tol=tol, max_iter=max_iter)
    at, posterior = found.at, found.posterior
    return GaussianFit(
        coordinates,
        at.prior,
        TaskPosteriors.of(posterior, at.prior),
        posterior.population_covariance,
        posterior.log_evidence,
        found.scores,
        found.n_iter,
        found.converged,
        population.n_singular(at.prior),
        at.noise,
        model.typical_noise(at.noise),
        pseudo_labels,
        posterior.resolved,
    )
