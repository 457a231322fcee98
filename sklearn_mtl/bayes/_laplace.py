"""Labels that are classes: Gaussian posteriors about the mode, and a prior of greatest evidence."""

from dataclasses import dataclass, replace

import numpy as np

from sklearn_mtl.bayes._class_rows import ClassRows
from sklearn_mtl.bayes._fit import PopulationFit
from sklearn_mtl.bayes._maximise import Maximum, maximise
from sklearn_mtl.bayes._mode import Mode, approximate
from sklearn_mtl.bayes._population import Population
from sklearn_mtl.bayes._posterior import Posterior
from sklearn_mtl.bayes._prior import Prior
from sklearn_mtl.bayes._tasks import TaskPosteriors


@dataclass(frozen=True, eq=False)
class LaplaceFit(PopulationFit):
    """What tasks were found to be, in Laplace's approximation; see `mean_and_spread`."""


class LaplaceModel:
    """``p(y_ti | z_i . v_t)^d_i``, with the coefficients of one population.

    Its hyper-parameters are those of the prior. As moments of the posterior are approximate, a step
    of expectation-maximisation may stop short of the greatest evidence: one that does not raise it
    is not taken.

    Parameters
    ----------
    rows : ClassRows
    population : Population
    """

    def __init__(self, rows: ClassRows, population: Population) -> None:
        self.rows, self.population = rows, population
        self.center = np.zeros(population.n_coefficients)
        # of the last prior: Newton's method starts there, as another is near
        self._mode = Mode(np.zeros((rows.n_tasks, len(self.center))), self.center)

    @property
    def n_labels(self) -> float:
        """Labels, repetitions counted."""
        return float(self.rows.mass.sum())

    def start(self) -> Prior:
        """Return a first guess."""
        return self.population.start(self.center)

    def posterior(self, at: Prior) -> Posterior:
        """Return the Gaussian about the mode."""
        found = approximate(self.rows, at, self._mode)
        self._mode = Mode(found.mean, found.population_mean)
        return found

    def score(self, at: Prior, posterior: Posterior) -> float:
        """Return log evidence plus log hyper-prior."""
        return posterior.log_evidence + self.population.log_density(at)

    def update(self, at: Prior, posterior: Posterior) -> Prior:
        """Return the prior that the expected log-density makes most of: an EM step."""
        return self.population.maximise(mean_and_spread(self.rows, posterior), self.center)

    def pack(self, at: Prior) -> np.ndarray:
        """Return a prior as one vector."""
        return self.population.pack(at)

    def unpack(self, vector: np.ndarray) -> Prior:
        """Return the prior that a vector stands for."""
        return self.population.unpack(vector, self.center)


def fit_laplace(
    rows: ClassRows,
    population: Population,
    *,
    start: Prior | None = None,
    tol: float,
    max_iter: int,
) -> LaplaceFit:
    """Learn the population of tasks and the posterior of each task.

    Parameters
    ----------
    rows : ClassRows
    population : Population
    start : Prior or None, default=None
        Where to start the search; None is `Population.start`.
    tol : float
        See `maximise`.
    max_iter : int
    """
    model = LaplaceModel(rows, population)
    found: Maximum = maximise(model, start or model.start(), tol=tol, max_iter=max_iter)
    posterior = mean_and_spread(rows, found.posterior)
    return LaplaceFit(
        rows.coordinates,
        found.at,
        TaskPosteriors.of(posterior, found.at),
        posterior.population_covariance,
        posterior.log_evidence,
        found.scores,
        found.n_iter,
        found.converged,
        population.n_singular(found.at),
    )


def mean_and_spread(rows: ClassRows, posterior: Posterior) -> Posterior:
    """Return the Gaussian about the mode, moved to the mean of the posterior, to first order.

    The posterior is skewed where curvature changes with the coefficients: its mean lies
    ``-1/2 A^-1 grad log |A|`` from the mode, A being the curvature of the joint log-density. In
    averages of probabilities that is a term of the same order as their curvature times A^-1. And up
    to squares of that distance, moments about the mean make the derivative of Laplace's evidence by
    the prior, of which those about the mode lack that the mode moves with the prior.

    Parameters
    ----------
    rows : ClassRows
    posterior : Posterior
        About the mode.

    References
    ----------
    L. Tierney and J. Kadane, "Accurate approximations for posterior moments and marginal
    densities", Journal of the American Statistical Association 81, 1986, section 2.

    C. Rasmussen and C. Williams, "Gaussian processes for machine learning", MIT Press 2006,
    equations 5.21 to 5.23, for the derivative of the evidence.
    """
    given, kind, root = posterior.conditionals, posterior.kind, posterior.population_root
    pull = -0.5 * rows.bend(posterior.mean, posterior.covariance[kind])
    # a change of the linear term moves the mean of a Gaussian as `infer` finds it
    own = given.multiply(kind, pull)
    shift = root @ (root.T @ (given.precision @ own.sum(axis=0)))
    with_all = given.multiply(kind, np.broadcast_to(given.precision @ shift, own.shape))
    return replace(
        posterior,
        mean=posterior.mean + own + with_all,
        population_mean=posterior.population_mean + shift,
    )
