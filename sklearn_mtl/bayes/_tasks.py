from dataclasses import dataclass
from typing import Self

import numpy as np

from sklearn_mtl.bayes._posterior import Posterior
from sklearn_mtl.bayes._prior import Prior


@dataclass(frozen=True, eq=False)
class TaskPosteriors:
    """The coefficients of each task, given all labels, and those of a task never seen.

    Attributes
    ----------
    mean : ndarray of shape (T, d)
    covariance : ndarray of shape (J, d, d)
        Once for tasks that have the same one.
    kind : ndarray of shape (T,)
        Which of them is each task's.
    unseen_mean : ndarray of shape (d,)
    unseen_covariance : ndarray of shape (d, d)
        Of the population, and of how little is known about its mean.
    """

    mean: np.ndarray
    covariance: np.ndarray
    kind: np.ndarray
    unseen_mean: np.ndarray
    unseen_covariance: np.ndarray

    @classmethod
    def of(cls, posterior: Posterior, prior: Prior) -> Self:
        """Return what is known of tasks whose population is known as well as `posterior` tells."""
        unseen = prior.covariance + posterior.population_covariance
        return cls(
            posterior.mean,
            posterior.covariance,
            posterior.kind,
            posterior.population_mean,
            unseen,
        )

    def select(self, places: np.ndarray) -> Self:
        """Return these tasks, in this order; -1 is a task never seen."""
        unseen = places < 0
        mean = np.where(unseen[:, None], self.unseen_mean, self.mean[places])
        kind = np.where(unseen, len(self.covariance), self.kind[places])
        covariance = self.covariance
        if unseen.any():
            covariance = np.concatenate([covariance, self.unseen_covariance[None]])
        return type(self)(mean, covariance, kind, self.unseen_mean, self.unseen_covariance)

    def append(self, mean: np.ndarray, covariance: np.ndarray, kind: np.ndarray) -> Self:
        """Return these tasks and further ones, of which the arguments tell the same."""
        return type(self)(
            np.concatenate([self.mean, mean]),
            np.concatenate([self.covariance, covariance]),
            np.concatenate([self.kind, len(self.covariance) + kind]),
            self.unseen_mean,
            self.unseen_covariance,
        )

    def variance(self, rows: np.ndarray, task: int) -> np.ndarray:
        """Return the variance of ``z . v_t`` for each row z, shape (n,)."""
        return np.einsum("ni,ni->n", rows @ self.covariance[self.kind[task]], rows)

    def draw(self, task: int, n_samples: int, random_state: np.random.RandomState) -> np.ndarray:
        """Return draws of v_t, shape (d, n_samples)."""
        normal = random_state.standard_normal((len(self.unseen_mean), n_samples))
        root = np.linalg.cholesky(self.covariance[self.kind[task]])
        return self.mean[task][:, None] + root @ normal
