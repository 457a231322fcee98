from dataclasses import dataclass

import numpy as np

from sklearn_mtl.bayes._class_rows import ClassRows
from sklearn_mtl.bayes._posterior import Posterior, infer
from sklearn_mtl.bayes._prior import Prior

NEWTON_STEPS = 200
# what a Newton step promises to add to the log-density: below EXACT the mode is found, below SMALL
# steps are in the region of quadratic convergence, and shorter ones would be judged by rounding
EXACT, SMALL = 1e-16, 1e-6
LEAST_GAIN = 1e-4  # share of the promised gain that a step must bring


@dataclass(frozen=True, eq=False)
class Mode:
    """The most likely coefficients of tasks and of their population, or a guess at them.

    Attributes
    ----------
    mean : ndarray of shape (T, d)
    population_mean : ndarray of shape (d,)
    """

    mean: np.ndarray
    population_mean: np.ndarray


def approximate(rows: ClassRows, prior: Prior, start: Mode) -> Posterior:
    """Return the Gaussian about the mode of the posterior, and Laplace's evidence.

    The mode of all coefficients and the population's mean together is found by Newton's method:
    a step is the posterior mean where the log-likelihood is expanded about the last one. The
    log-density is strictly concave, so that shortened steps that raise it lead to its one maximum.

    Parameters
    ----------
    rows : ClassRows
    prior : Prior
    start : Mode
    """
    inverse = np.linalg.inv(prior.covariance)
    known = prior.variance == 0
    spread = np.where(known, np.inf, prior.variance)

    def squares(v: np.ndarray, m: np.ndarray, from_center: np.ndarray) -> float:
        deviation = v - m
        of_tasks = np.einsum("ti,ij,tj->", deviation, inverse, deviation)
        return float(of_tasks + (np.square(from_center) / spread).sum())

    def density(v: np.ndarray, m: np.ndarray) -> float:
        return rows.value(v) - 0.5 * squares(v, m, m - prior.center)

    v, m = start.mean, np.where(known, prior.center, start.population_mean)
    height = density(v, m)
    for _ in range(NEWTON_STEPS):
        expansion = rows.expand(v)
        posterior = infer(expansion, prior)
        step, shift = posterior.mean - v, posterior.population_mean - m
        promise = np.einsum("ti,tij,tj->", step, expansion.gram, step)
        promise += squares(step, shift, shift)
        if promise <= EXACT:
            break
        size, before = 1.0, height
        while True:
            tried, moved = v + size * step, m + size * shift
            height = density(tried, moved)
            if promise <= SMALL or height >= before + LEAST_GAIN * size * promise:
                break
            size *= 0.5
        v, m = tried, moved
    return posterior
