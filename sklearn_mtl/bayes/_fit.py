from dataclasses import dataclass

import numpy as np

from sklearn_mtl.bayes._prior import Prior
from sklearn_mtl.bayes._standardization import Standardization
from sklearn_mtl.bayes._tasks import TaskPosteriors


@dataclass(frozen=True, eq=False)
class PopulationFit:
    """What tasks and their population were found to be, in standard coordinates.

    Attributes
    ----------
    coordinates : Standardization
    prior : Prior
    tasks : TaskPosteriors
    population_covariance : ndarray of shape (d, d)
        Of the population's mean m, as labels leave it.
    log_evidence : float
    scores : list of float
        Log evidence plus log hyper-prior, before each iteration and after the last.
    n_iter : int
    converged : bool
    n_singular : int
        Directions of weights in which tasks hardly differ, that the hyper-prior alone keeps from
        a variance of 0.
    """

    coordinates: Standardization
    prior: Prior
    tasks: TaskPosteriors
    population_covariance: np.ndarray
    log_evidence: float
    scores: list[float]
    n_iter: int
    converged: bool
    n_singular: int

    @property
    def population_mean(self) -> np.ndarray:
        """Posterior mean of m, shape (d,): what is expected of a task never seen."""
        return self.tasks.unseen_mean
