"""Labels that are classes: Gaussian posteriors about the mode, and a prior of greatest evidence."""

from dataclasses import dataclass, replace

import numpy as np

from sklearn_mtl.bayes._class_rows import ClassRows
from sklearn_mtl.bayes._mode import Mode, approximate
from sklearn_mtl.bayes._population import Population
from sklearn_mtl.bayes._posterior import Posterior
from sklearn_mtl.bayes._prior import Prior
from sklearn_mtl.bayes._standardization import Standardization


@dataclass(frozen=True, eq=False)
class LaplaceFit:
    """What tasks were found to be, in standard coordinates.

    Attributes
    ----------
    coordinates : Standardization
    prior : Prior
    posterior : Posterior
        Of a Gaussian about the mode.
    scores : list of float
        Laplace's log evidence plus log hyper-prior, before each iteration and after the last.
    n_iter : int
    converged : bool
    """

    coordinates: Standardization
    prior: Prior
    posterior: Posterior
    scores: list[float]
    n_iter: int
    converged: bool


def fit_laplace(
    rows: ClassRows, population: Population, *, tol: float, max_iter: int
) -> LaplaceFit:
    """Learn the population of tasks and the posterior of each task.

    An iteration is one of expectation-maximisation, with the moments of `mean_and_spread`. As
    these are not exact, an iteration may stop short of the greatest evidence: the one that does
    not raise it is the last, and is not taken.

    Parameters
    ----------
    rows : ClassRows
    population : Population
    tol : float
        Gain in log evidence of an iteration, for each label, at which to stop.
    max_iter : int
    """
    d = population.n_coefficients
    center = np.zeros(d)
    enough = tol * float(rows.mass.sum())

    def look(prior: Prior, guess: Mode) -> tuple[Posterior, float]:
        posterior = approximate(rows, prior, guess)
        return posterior, posterior.log_evidence + population.log_density(prior)

    prior = population.start(center)
    posterior, score = look(prior, Mode(np.zeros((rows.n_tasks, d)), center))
    scores = [score]
    for n_iter in range(1, max_iter + 1):
        better = population.maximise(mean_and_spread(rows, posterior), center)
        tried, score = look(better, Mode(posterior.mean, posterior.population_mean))
        gain = score - scores[-1]
        if gain >= 0:
            prior, posterior = better, tried
            scores.append(score)
        if gain <= enough:
            return LaplaceFit(rows.coordinates, prior, posterior, scores, n_iter, True)
    return LaplaceFit(rows.coordinates, prior, posterior, scores, max_iter, False)


def mean_and_spread(rows: ClassRows, posterior: Posterior) -> Posterior:
    """Return the Gaussian about the mode, moved to the mean of the posterior, to first order.

    The posterior is skewed where curvature changes with the coefficients: its mean lies
    ``-1/2 A^-1 grad log |A|`` from the mode, A being the curvature of the joint log-density. Up to
    squares of that distance, moments about the mean make the derivative of Laplace's evidence by
    the prior, of which those about the mode lack that the mode moves with the prior.

    Parameters
    ----------
    rows : ClassRows
    posterior : Posterior
        About the mode.

    References
    ----------
    C. Rasmussen and C. Williams, "Gaussian processes for machine learning", MIT Press 2006,
    equations 5.21 to 5.23.
    """
    covariance = posterior.covariance[posterior.kind]
    pull = -0.5 * rows.bend(posterior.mean, covariance)
    own = np.einsum("tij,tj->ti", posterior.conditional[posterior.kind], pull)
    slope = posterior.slope[posterior.kind]
    shift = posterior.population_covariance @ np.einsum("tji,tj->i", slope, pull)
    return replace(
        posterior,
        mean=posterior.mean + own + np.einsum("tij,j->ti", slope, shift),
        population_mean=posterior.population_mean + shift,
    )
