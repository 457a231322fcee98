from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

# in standard coordinates, where no sensible variance is larger, nor a difference worth a search
MOST_LOG, LEAST_LOG = 10.0, -20.0


def exp_variance(logarithm: np.ndarray) -> np.ndarray:
    """Return variances of which the logarithms are given, kept within what can be computed with."""
    return np.exp(np.clip(logarithm, LEAST_LOG, MOST_LOG))


@dataclass(frozen=True)
class Structure(ABC):
    """What form the covariance of the weights has, and a hyper-prior that keeps it regular.

    The hyper-prior is what `pseudo_tasks` further tasks, with weights of the given variance, would
    add: ``-pseudo_tasks / 2 * (log |S| + variance * tr(S^-1))``.

    Parameters
    ----------
    pseudo_tasks : float
        How many tasks the hyper-prior counts for.
    variance : float
        Of their weights.
    """

    pseudo_tasks: float
    variance: float

    @staticmethod
    @abstractmethod
    def default_pseudo_tasks(p: int) -> float:
        """Return how many tasks a hyper-prior should count for, to learn p variances or more.

        The numbers are those of the best predictive density in simulations of 3, 10 and 50 tasks
        of 2, 10 and 30 features whose weights have full, sparse and low-rank covariances.
        """

    def maximise(self, scatter: np.ndarray, n_tasks: int) -> np.ndarray:
        """Return ``argmax_S -n/2 log |S| - tr(S^-1 scatter) / 2 + log hyper-prior``, (p, p).

        Parameters
        ----------
        scatter : ndarray of shape (p, p)
            ``sum_t E[(w_t - m)(w_t - m)']``.
        n_tasks : int
        """
        whole = scatter + self.pseudo_tasks * self.variance * np.eye(len(scatter))
        return self._nearest(whole / (n_tasks + self.pseudo_tasks))

    def pack(self, covariance: np.ndarray) -> np.ndarray:
        """Return a covariance of this form as a vector, on which there are no constraints."""
        values, vectors = np.linalg.eigh(covariance)
        return ((vectors * np.log(values)) @ vectors.T).ravel()

    def unpack(self, vector: np.ndarray, p: int) -> np.ndarray:
        """Return the covariance of this form that a vector stands for, shape (p, p)."""
        values, vectors = np.linalg.eigh(vector.reshape(p, p))
        return self._nearest((vectors * exp_variance(values)) @ vectors.T)

    @abstractmethod
    def _nearest(self, sample: np.ndarray) -> np.ndarray:
        """Return ``argmin_S log |S| + tr(S^-1 sample)`` over covariances of this form."""

    def log_density(self, covariance: np.ndarray) -> float:
        """Return the logarithm of the hyper-prior, up to a constant."""
        if self.pseudo_tasks == 0:
            return 0.0
        size = np.linalg.slogdet(covariance)[1]
        trace = np.trace(np.linalg.inv(covariance))
        return -0.5 * self.pseudo_tasks * float(size + self.variance * trace)


class Full(Structure):
    """Any covariance."""

    @staticmethod
    def default_pseudo_tasks(p: int) -> float:
        """Return two for each direction that a covariance has to learn."""
        return 2.0 * p

    def _nearest(self, sample: np.ndarray) -> np.ndarray:
        return sample


class Diagonal(Structure):
    """A variance for each feature, whose weights are independent."""

    @staticmethod
    def default_pseudo_tasks(p: int) -> float:
        """Return two: each variance is that of all tasks."""
        return 2.0

    def _nearest(self, sample: np.ndarray) -> np.ndarray:
        return np.diag(sample.diagonal())

    def pack(self, covariance: np.ndarray) -> np.ndarray:
        """Return the logarithms of variances, shape (p,)."""
        return np.log(covariance.diagonal())

    def unpack(self, vector: np.ndarray, p: int) -> np.ndarray:
        """Return the covariance of independent weights, shape (p, p)."""
        return np.diag(exp_variance(vector))


class Spherical(Structure):
    """One variance for all features."""

    @staticmethod
    def default_pseudo_tasks(p: int) -> float:
        """Return one in p: all weights of all tasks tell of one variance."""
        return 1.0 / p

    def _nearest(self, sample: np.ndarray) -> np.ndarray:
        return np.eye(len(sample)) * sample.diagonal().mean()

    def pack(self, covariance: np.ndarray) -> np.ndarray:
        """Return the logarithm of the variance, of the norm of that matrix, shape (1,)."""
        return np.sqrt(len(covariance)) * np.log(covariance[:1, 0])

    def unpack(self, vector: np.ndarray, p: int) -> np.ndarray:
        """Return the covariance of weights of one variance, shape (p, p)."""
        return np.eye(p) * exp_variance(vector / np.sqrt(p))


@dataclass(frozen=True)
class LowRank(Structure):
    """``U U' + s² I`` with U of `rank` columns: probabilistic principal components.

    References
    ----------
    M. Tipping and C. Bishop, "Probabilistic principal component analysis", Journal of the Royal
    Statistical Society B 61, 1999, equations 7 and 8.
    """

    rank: int

    @staticmethod
    def default_pseudo_tasks(p: int) -> float:
        """Return one for each feature, of which a few directions are to be learned."""
        return float(p)

    def _nearest(self, sample: np.ndarray) -> np.ndarray:
        if self.rank >= len(sample) - 1:
            return sample
        values, vectors = np.linalg.eigh(sample)
        rest = values[: -self.rank].mean()
        return (
            vectors * np.append(np.full(len(values) - self.rank, rest), values[-self.rank :])
        ) @ vectors.T


STRUCTURES: dict[str, type[Structure]] = {
    "full": Full,
    "diagonal": Diagonal,
    "spherical": Spherical,
    "low_rank": LowRank,
}
