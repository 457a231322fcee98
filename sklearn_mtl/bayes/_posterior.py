from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sklearn_mtl.bayes._likelihood import QuadraticLikelihood
from sklearn_mtl.bayes._prior import Prior


@dataclass(frozen=True, eq=False)
class Posterior:
    """What tasks and their population are, given labels: jointly Gaussian.

    ``v_t | m ~ N(mean_t + B_t (m - population_mean), C_t)`` independently, with ``B_t = C_t S^-1``,
    and ``m ~ N(population_mean, population_covariance)``.

    Attributes
    ----------
    mean : ndarray of shape (T, d)
    conditional : ndarray of shape (J, d, d)
        C, once for tasks that have the same one.
    kind : ndarray of shape (T,)
        Which of them is each task's.
    slope : ndarray of shape (J, d, d)
        B.
    population_mean : ndarray of shape (d,)
    population_covariance : ndarray of shape (d, d)
        Of m, not of tasks.
    log_evidence : float
        Of all labels, with coefficients and m integrated out.
    """

    mean: np.ndarray
    conditional: np.ndarray
    kind: np.ndarray
    slope: np.ndarray
    population_mean: np.ndarray
    population_covariance: np.ndarray
    log_evidence: float

    @cached_property
    def covariance(self) -> np.ndarray:
        """Covariances of coefficients, shape (J, d, d)."""
        shared = self.slope @ self.population_covariance @ np.swapaxes(self.slope, 1, 2)
        return self.conditional + shared

    @property
    def scatter(self) -> np.ndarray:
        """``sum_t E[(v_t - m)(v_t - m)']``, shape (d, d)."""
        count = np.bincount(self.kind, minlength=len(self.conditional))
        apart = self.slope - np.eye(len(self.population_mean))
        moved = apart @ self.population_covariance @ np.swapaxes(apart, 1, 2)
        deviation = self.mean - self.population_mean
        return np.tensordot(count, self.conditional + moved, axes=1) + deviation.T @ deviation


def infer(likelihood: QuadraticLikelihood, prior: Prior) -> Posterior:
    """Return the posterior of all coefficients, and the evidence.

    Parameters
    ----------
    likelihood : QuadraticLikelihood
    prior : Prior
    """
    d, T = len(prior.center), likelihood.n_tasks
    pairs = np.column_stack([likelihood.group, likelihood.scale])
    distinct, kind = np.unique(pairs, axis=0, return_inverse=True)
    kind = kind.ravel()
    inverse = np.linalg.inv(prior.covariance)
    precision = inverse + distinct[:, 1, None, None] * likelihood.gram[distinct[:, 0].astype(int)]
    conditional = np.linalg.inv(precision)
    conditional = 0.5 * (conditional + np.swapaxes(conditional, 1, 2))
    count = np.bincount(kind)
    # given m, log p(y_t | m) is quadratic: precision S^-1 - S^-1 C_t S^-1, and linear term S^-1 C_t h_t
    summed = np.tensordot(count, conditional, axes=1)
    of_mean = T * inverse - inverse @ summed @ inverse
    spread = np.sqrt(prior.variance)
    whitened = np.eye(d) + spread[:, None] * (0.5 * (of_mean + of_mean.T)) * spread
    covariance = spread[:, None] * np.linalg.inv(whitened) * spread
    own = np.einsum("tij,tj->ti", conditional[kind], likelihood.linear)
    pull = inverse @ own.sum(axis=0) - of_mean @ prior.center
    mean = prior.center + covariance @ pull
    slope = conditional @ inverse
    coefficients = own + np.einsum("tij,j->ti", slope[kind], mean)
    # log p(y) = log p(y | m) + log p(m) - log p(m | y) at any m; here at its center
    at_center = likelihood.linear + inverse @ prior.center
    fitted = np.einsum("ti,tij,tj->", at_center, conditional[kind], at_center)
    log_given_center = (
        likelihood.constant.sum()
        + 0.5 * (fitted - T * prior.center @ inverse @ prior.center)
        - 0.5 * (count @ np.linalg.slogdet(precision)[1])
        - 0.5 * T * np.linalg.slogdet(prior.covariance)[1]
    )
    log_evidence = log_given_center + 0.5 * (
        pull @ covariance @ pull - np.linalg.slogdet(whitened)[1]
    )
    return Posterior(coefficients, conditional, kind, slope, mean, covariance, float(log_evidence))
