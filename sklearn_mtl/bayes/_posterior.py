from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import solve_triangular

from sklearn_mtl.bayes._conditionals import MANY_KINDS, Conditionals, Factored, Spectral
from sklearn_mtl.bayes._covariances import Covariances
from sklearn_mtl.bayes._kinds import distinct_pairs
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
    conditionals : Conditionals
        C, once for tasks that have the same one.
    kind : ndarray of shape (T,)
        Which of them is each task's.
    population_mean : ndarray of shape (d,)
    population_root : ndarray of shape (d, d)
        F, where ``population_covariance = F F'``.
    log_evidence : float
        Of all labels, with coefficients and m integrated out.
    """

    mean: np.ndarray
    conditionals: Conditionals
    kind: np.ndarray
    population_mean: np.ndarray
    population_root: np.ndarray
    log_evidence: float

    @cached_property
    def population_covariance(self) -> np.ndarray:
        """Covariance of m, not of tasks, shape (d, d)."""
        return self.population_root @ self.population_root.T

    @property
    def covariances(self) -> Covariances:
        """Covariances of coefficients, of J kinds."""
        return self.conditionals.covariances(self.population_root)

    @property
    def covariance(self) -> np.ndarray:
        """Covariances of coefficients, shape (J, d, d)."""
        return self.covariances.dense()

    @cached_property
    def _spread(self) -> np.ndarray:
        """``sum_t Cov(v_t - m)``, shape (d, d)."""
        given, root = self.conditionals, self.population_root
        # at no cost, where `resolved` has been asked for
        apart = self._apart[0] if "_apart" in vars(self) else given.total_apart(root)
        return given.total + apart

    @cached_property
    def _apart(self) -> tuple[np.ndarray, np.ndarray]:
        return self.conditionals.apart(self.population_root)

    @property
    def scatter(self) -> np.ndarray:
        """``sum_t E[(v_t - m)(v_t - m)']``, shape (d, d)."""
        deviation = self.mean - self.population_mean
        return self._spread + deviation.T @ deviation

    @property
    def resolved(self) -> np.ndarray:
        """``scale_t tr(G_t Cov(v_t))`` of each task, shape (T,)."""
        return (self.conditionals.resolved + self._apart[1])[self.kind]

    @property
    def total_resolved(self) -> float:
        """The sum of `resolved`, at hardly any cost once `scatter` is known."""
        # scale G B = S^-1 (I - B) turns traces of G into those of S^-1
        T, d = self.mean.shape
        precision, root = self.conditionals.precision, self.population_root
        of_mean = T * precision - precision @ self.conditionals.total @ precision
        return float(T * d + np.vdot(root, of_mean @ root) - np.vdot(precision, self._spread))


def infer(likelihood: QuadraticLikelihood, prior: Prior) -> Posterior:
    """Return the posterior of all coefficients, and the evidence.

    Parameters
    ----------
    likelihood : QuadraticLikelihood
    prior : Prior
    """
    center, T = prior.center, likelihood.n_tasks
    group, scale, kind = distinct_pairs(likelihood.group, likelihood.scale)
    many = len(group) > MANY_KINDS * len(likelihood.gram)
    given: Conditionals = (Spectral if many else Factored)(
        np.linalg.cholesky(prior.covariance), likelihood.gram, group, scale, np.bincount(kind)
    )
    precision = given.precision
    linear = likelihood.linear + precision @ center
    at_center = given.multiply(kind, linear)
    # log p(y | m) has curvature sum_t S^-1 - S^-1 C_t S^-1, and this slope at the center
    of_mean = T * precision - precision @ given.total @ precision
    pull = precision @ (at_center - center).sum(axis=0)
    spread = np.sqrt(prior.variance)
    whitened = np.linalg.cholesky(np.eye(len(center)) + spread[:, None] * of_mean * spread)
    root = solve_triangular(whitened, np.diag(spread), lower=True, check_finite=False).T
    moved = root @ (root.T @ pull)
    mean = at_center + given.multiply(kind, np.broadcast_to(precision @ moved, at_center.shape))
    # log p(y) = log p(y | m) + log p(m) - log p(m | y) at any m; here at its center
    log_given_center = likelihood.constant.sum() + 0.5 * (
        np.vdot(linear, at_center) - T * center @ precision @ center - given.count @ given.gained
    )
    log_evidence = log_given_center + 0.5 * pull @ moved - np.log(whitened.diagonal()).sum()
    return Posterior(mean, given, kind, center + moved, root, float(log_evidence))
