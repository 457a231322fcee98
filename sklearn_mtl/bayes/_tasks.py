from dataclasses import dataclass
from typing import Self

import numpy as np

from sklearn_mtl.bayes._covariances import Covariances, Matrices
from sklearn_mtl.bayes._posterior import Posterior
from sklearn_mtl.bayes._prior import Prior


@dataclass(frozen=True, eq=False)
class TaskPosteriors:
    """The coefficients of each task, given all labels, and those of a task never seen.

    Attributes
    ----------
    mean : ndarray of shape (T, d)
    parts : tuple of Covariances
        Of J kinds together.
    kind : ndarray of shape (T,)
        Which of them is each task's.
    unseen_mean : ndarray of shape (d,)
    unseen_covariance : ndarray of shape (d, d)
        Of the population, and of how little is known about its mean.
    """

    mean: np.ndarray
    parts: tuple[Covariances, ...]
    kind: np.ndarray
    unseen_mean: np.ndarray
    unseen_covariance: np.ndarray

    @classmethod
    def of(cls, posterior: Posterior, prior: Prior) -> Self:
        """Return what is known of tasks whose population is known as well as `posterior` tells."""
        unseen = prior.covariance + posterior.population_covariance
        return cls(
            posterior.mean,
            (posterior.covariances,),
            posterior.kind,
            posterior.population_mean,
            unseen,
        )

    @property
    def n_kinds(self) -> int:
        """Number of covariances, J."""
        return sum(part.n_kinds for part in self.parts)

    @property
    def covariance(self) -> np.ndarray:
        """All covariances, shape (J, d, d), computed when asked for."""
        return np.concatenate([part.dense() for part in self.parts])

    def select(self, places: np.ndarray) -> Self:
        """Return these tasks, in this order; -1 is a task never seen."""
        unseen = places < 0
        mean = np.where(unseen[:, None], self.unseen_mean, self.mean[places])
        kind = np.where(unseen, self.n_kinds, self.kind[places])
        parts = self.parts
        if unseen.any():
            parts = (*parts, Matrices(self.unseen_covariance[None]))
        return type(self)(mean, parts, kind, self.unseen_mean, self.unseen_covariance)

    def append(self, mean: np.ndarray, covariances: Covariances, kind: np.ndarray) -> Self:
        """Return these tasks and further ones, of which the arguments tell the same."""
        return type(self)(
            np.concatenate([self.mean, mean]),
            (*self.parts, covariances),
            np.concatenate([self.kind, self.n_kinds + kind]),
            self.unseen_mean,
            self.unseen_covariance,
        )

    def _part(self, task: int) -> tuple[Covariances, int]:
        """Return where the covariance of a task is, and its number there."""
        kind = int(self.kind[task])
        for part in self.parts:
            if kind < part.n_kinds:
                break
            kind -= part.n_kinds
        return part, kind

    def variance(self, rows: np.ndarray, task: int) -> np.ndarray:
        """Return the variance of ``z . v_t`` for each row z, shape (n,)."""
        part, kind = self._part(task)
        return part.variance(rows, kind)

    def draw(self, task: int, n_samples: int, random_state: np.random.RandomState) -> np.ndarray:
        """Return draws of v_t, shape (d, n_samples)."""
        part, kind = self._part(task)
        return self.mean[task][:, None] + part.draw(kind, n_samples, random_state)
