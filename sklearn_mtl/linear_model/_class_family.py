from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import issparse

from sklearn_mtl.bayes import (
    ClassLikelihood,
    ClassRows,
    LaplaceFit,
    Logistic,
    Softmax,
    TaskPosteriors,
    fit_new_class_tasks,
    normal_scales,
    predictor_covariance,
)
from sklearn_mtl.tasks import TaskData, TaskSpec
from sklearn_mtl.tasks._exported import AveragedLogistic

MOST_NUMBERS = 2**22  # of a dense chunk of sparse rows: 32 MiB
UNIT = np.ones(())  # of labels that are classes


def families(tasks: Sequence[TaskSpec]) -> dict[Hashable, np.ndarray]:
    """Return the tasks of each population, by what `family_of` tells of them.

    All binary tasks have one, as have multiclass tasks with the same classes: their outputs are
    those that penalties may tie, too.
    """
    members: dict[Hashable, list[int]] = {}
    for t, task in enumerate(tasks):
        members.setdefault(family_of(task), []).append(t)
    return {key: np.array(numbers) for key, numbers in members.items()}


def family_of(task: TaskSpec) -> Hashable:
    """Return a key that is the same for tasks of the same family."""
    return () if task.n_outputs == 1 else tuple(task.classes.tolist())  # type: ignore[union-attr]


def likelihood_of(task: TaskSpec) -> ClassLikelihood:
    """Return the likelihood of the classes of a task."""
    return Logistic() if task.n_outputs == 1 else Softmax(task.n_outputs)


@dataclass(frozen=True, eq=False)
class Family:
    """Tasks of one population, and what was learned of them.

    Attributes
    ----------
    tasks : ndarray of shape (T,)
        Their numbers in the layout.
    likelihood : ClassLikelihood
    fit : LaplaceFit
    known : TaskPosteriors
        Of these tasks, in standard coordinates.
    """

    tasks: np.ndarray
    likelihood: ClassLikelihood
    fit: LaplaceFit
    known: TaskPosteriors

    @classmethod
    def of(cls, tasks: np.ndarray, likelihood: ClassLikelihood, fit: LaplaceFit) -> "Family":
        """Return the tasks of a fit, which stands for no row of it."""
        return cls(tasks, likelihood, fit, fit.tasks)

    def select(self, tasks: np.ndarray, known: np.ndarray) -> "Family":
        """Return some tasks of the family, under other numbers.

        Parameters
        ----------
        tasks : ndarray of shape (T',)
            Their new numbers.
        known : ndarray of shape (T',)
            Their numbers here; -1 is a task never seen.
        """
        place = {int(t): i for i, t in enumerate(self.tasks)}
        places = np.array([place.get(int(t), -1) for t in known], dtype=np.intp)
        return replace(self, tasks=tasks, known=self.known.select(places))

    def append(self, tasks: np.ndarray, X: Any, data: TaskData, numbers: np.ndarray) -> "Family":
        """Return these tasks and new ones, learned from their rows alone.

        Parameters
        ----------
        tasks : ndarray of shape (T',)
            Numbers of the new tasks in the layout.
        X : ndarray or sparse matrix of shape (n, p)
        data : TaskData
        numbers : ndarray of shape (T',)
            Their numbers in `data`.
        """
        rows = ClassRows.of(X, data, numbers, self.likelihood, self.fit.coordinates)
        new = fit_new_class_tasks(self.fit, rows)
        known = self.known.append(new.mean, new.covariances, new.kind)
        return replace(self, tasks=np.concatenate([self.tasks, tasks]), known=known)

    # -- in the caller's coordinates -------------------------------------------------------------

    def _by_output(self, v: np.ndarray) -> np.ndarray:
        return v.reshape(*v.shape[:-1], self.likelihood.n_outputs, -1)

    def coef(self, v: np.ndarray) -> np.ndarray:
        """Return weights (..., K, p) of coefficients (..., d)."""
        return self.fit.coordinates.coef(self._by_output(v), UNIT)

    def intercept(self, v: np.ndarray) -> np.ndarray:
        """Return intercepts (..., K) of coefficients (..., d)."""
        return self.fit.coordinates.intercept(self._by_output(v), 0.0 * UNIT, UNIT)

    def weight_covariance(self, covariance: np.ndarray) -> np.ndarray:
        """Return covariances of the weights of each output, (..., K, p, p), of (..., d, d)."""
        K, scale = self.likelihood.n_outputs, self.fit.coordinates.x_scale
        width, p = covariance.shape[-1] // K, len(scale)
        blocks = covariance.reshape(*covariance.shape[:-2], K, width, K, width)
        own = np.stack([blocks[..., k, :p, k, :p] for k in range(K)], axis=-3)
        return own / (scale[:, None] * scale)

    def intercept_variance(self, covariance: np.ndarray) -> np.ndarray:
        """Return variances of the intercepts at the mean row, (K,), of (d, d)."""
        K = self.likelihood.n_outputs
        if not self.fit.coordinates.fit_intercept:
            return np.zeros(K)
        return covariance.diagonal().reshape(K, -1)[:, -1]

    def probabilities(self, X: Any, place: int) -> np.ndarray:
        """Return averages over the posterior of the likelihood's probabilities, shape (n, K).

        Parameters
        ----------
        X : ndarray or sparse matrix of shape (n, p)
            In the caller's coordinates.
        place : int
            Which of the tasks here.
        """
        v = self._by_output(self.known.mean[place])
        covariance = self.known.covariance[self.known.kind[place]]
        result = np.empty((X.shape[0], len(v)))
        step = max(1, MOST_NUMBERS // X.shape[1])
        for start in range(0, len(result), step):
            part = X[start : start + step]
            z = self.fit.coordinates.rows(part.toarray() if issparse(part) else part)
            spread = predictor_covariance(z, covariance, len(v))
            result[start : start + step] = self.likelihood.average(v @ z.T, spread).T
        return result

    def averaged(self) -> AveragedLogistic:
        """Return what `probabilities` are made of, for two classes, in the order of the layout."""
        order, coordinates = np.argsort(self.tasks), self.fit.coordinates
        scale, share = normal_scales()
        return AveragedLogistic(
            coordinates.x_mean,
            coordinates.x_scale,
            coordinates.fit_intercept,
            self.known.mean[order],
            self.known.covariance,
            self.known.kind[order],
            scale,
            share,
        )
