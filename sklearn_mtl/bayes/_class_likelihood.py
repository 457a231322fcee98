from abc import ABC, abstractmethod

import numpy as np
from scipy.special import expit, log_expit, log_softmax, softmax

from sklearn_mtl.bayes._predictive import expected_sigmoid, expected_softmax


class ClassLikelihood(ABC):
    """Log-probability of classes as a concave function of the predictors a, shape (K, n).

    In place of n there may be several axes, as of tasks and their rows.

    Attributes
    ----------
    n_outputs : int
        K, the predictors of a row.
    """

    n_outputs: int

    @abstractmethod
    def value(self, a: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Return ``log p(label | a)`` of each row, shape (n,)."""

    @abstractmethod
    def gradient(self, a: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Return its gradient in a, shape (K, n)."""

    @abstractmethod
    def curvature(self, a: np.ndarray) -> np.ndarray:
        """Return minus its Hessian, which no label enters, shape (K, K, n)."""

    @abstractmethod
    def bend(self, a: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        """Return the gradient in a of ``tr(covariance curvature(a))``, shape (K, n).

        Parameters
        ----------
        a : ndarray of shape (K, n)
        covariance : ndarray of shape (K, K, n)
        """

    @abstractmethod
    def average(self, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        """Return expected probabilities for ``a ~ N(mean, covariance)``, shape (K, n).

        Of two classes, that of the second alone.

        Parameters
        ----------
        mean : ndarray of shape (K, n)
        covariance : ndarray of shape (K, K, n)
        """


class Logistic(ClassLikelihood):
    """``p(1 | a) = 1 / (1 + exp(-a))``."""

    n_outputs = 1

    def value(self, a: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Return ``log p(label | a)`` of each row, shape (n,)."""
        return log_expit(np.where(labels > 0, a[0], -a[0]))

    def gradient(self, a: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Return ``label - p``, shape (1, n)."""
        return labels - expit(a)

    def curvature(self, a: np.ndarray) -> np.ndarray:
        """Return ``p (1 - p)``, shape (1, 1, n)."""
        return (expit(a) * expit(-a))[None]

    def bend(self, a: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        """Return ``p (1 - p) (1 - 2p) variance``, shape (1, n)."""
        p, q = expit(a), expit(-a)
        return p * q * (q - p) * covariance[0]

    def average(self, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        """Return the expected probability of the second class, shape (1, n)."""
        return expected_sigmoid(mean, covariance[0])


class Softmax(ClassLikelihood):
    """``p(k | a) = exp(a_k) / sum_l exp(a_l)``.

    Parameters
    ----------
    n_classes : int
    """

    def __init__(self, n_classes: int) -> None:
        self.n_outputs = n_classes

    @staticmethod
    def _along(values: np.ndarray, a: np.ndarray) -> np.ndarray:
        return values.reshape(*values.shape, *(1,) * (a.ndim - 1))

    def value(self, a: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Return ``log p(label | a)`` of each row, shape (n,)."""
        return np.take_along_axis(log_softmax(a, axis=0), labels.astype(int)[None], axis=0)[0]

    def gradient(self, a: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Return ``[label = k] - p_k``, shape (K, n)."""
        return (labels == self._along(np.arange(self.n_outputs), a)) - softmax(a, axis=0)

    def curvature(self, a: np.ndarray) -> np.ndarray:
        """Return ``diag(p) - p p'``, shape (K, K, n)."""
        p = softmax(a, axis=0)
        return self._along(np.eye(self.n_outputs), a) * p - p[:, None] * p

    def bend(self, a: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        """Return ``(diag(p) - p p') (diag(covariance) - 2 covariance p)``, shape (K, n)."""
        p = softmax(a, axis=0)
        # tr(C diag(dp)) - 2 p' C dp, where dp = (diag(p) - p p') da
        mixed = np.einsum("kl...,l...->k...", covariance, p)
        pull = np.einsum("kk...->k...", covariance) - 2.0 * mixed
        return p * (pull - (p * pull).sum(axis=0))

    def average(self, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        """Return expected probabilities, shape (K, n)."""
        return expected_softmax(mean, covariance)
