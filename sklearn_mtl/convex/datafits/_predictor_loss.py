from abc import abstractmethod
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from sklearn_mtl.convex.datafits._base import Datafit, Point
from sklearn_mtl.convex.datafits._predictors import Predictors


class Curvature:
    """The Hessian H of a loss at one W, intercepts profiled out."""

    @abstractmethod
    def product(self, D: np.ndarray) -> np.ndarray:
        """Return ``H D``, shape (M, p)."""

    @abstractmethod
    def blocks(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return sets of rows of W, and what H is on each of them, (k p, k p): all of H."""

    @property
    @abstractmethod
    def row_scale(self) -> np.ndarray:
        """The sum of the weights that each row's Hessian gives its entries, shape (M,)."""


@dataclass(frozen=True, eq=False)
class CurvedPoint(Point):
    """A loss of linear predictors at one W.

    Attributes
    ----------
    predictor : ndarray, or list of ndarray for several losses
        Predictors without intercepts.
    curvature : callable () -> Curvature
    """

    predictor: Any
    curvature: Callable[[], Curvature]


class CurvedDatafit(Datafit):
    """A loss of predictors that are linear in W, with second derivatives."""

    @abstractmethod
    def forward(self, W: np.ndarray) -> Any:
        """Return the predictors of W, without intercepts."""

    @abstractmethod
    def value_of(self, predictor: Any) -> float:
        """Return f, given the predictors."""

    @abstractmethod
    def point_of(self, predictor: Any) -> CurvedPoint:
        """Return value, gradient, dual and curvature, given the predictors."""

    @abstractmethod
    def moved(self, predictor: Any, direction: Any, step: float) -> Any:
        """Return ``predictor + step * direction``."""

    @abstractmethod
    def intercept(self, W: np.ndarray) -> np.ndarray:
        """Return the best intercepts for W, shape (M,); those of a softmax sum to 0."""

    @abstractmethod
    def columns(self, features: np.ndarray) -> Self:
        """Return the loss as a function of the weights of these features, the others 0."""

    @property
    @abstractmethod
    def tied_rows(self) -> int:
        """The most rows of W that the Hessian ties with each other: 1, or those of a softmax."""

    @abstractmethod
    def pooled_gram(self) -> np.ndarray:
        """Return the mean over tasks of their second moments of X, shape (p, p)."""

    @abstractmethod
    def pooled_moments(self) -> np.ndarray:
        """Return the diagonal of ``pooled_gram()``, shape (p,)."""

    def at(self, W: np.ndarray) -> CurvedPoint:
        """Return value, gradient and dual at W."""
        return self.point_of(self.forward(W))


class PredictorLoss(CurvedDatafit):
    """A loss of T tasks with K outputs each.

    ``f(W) = min_b sum_ti c_ti * loss(y_ti, W_t x_ti + b_t)``, ``c_ti = lambda_t d_ti / mass_t``

    Parameters
    ----------
    predictors : Predictors
    labels : ndarray of shape (S, 1, n)
        Values, or class numbers; entries as `predictors` has them.
    weight : ndarray of shape (S, 1, n) or (S, 1, 1)
        c.
    n_outputs : int
        K.
    fit_intercept : bool
    """

    def __init__(
        self,
        predictors: Predictors,
        labels: np.ndarray,
        weight: np.ndarray,
        n_outputs: int,
        *,
        fit_intercept: bool,
    ) -> None:
        self.predictors, self.labels, self.weight = predictors, labels, weight
        self.n_outputs, self.fit_intercept = n_outputs, fit_intercept
        n_tasks, self.n_features = predictors.n_tasks, predictors.n_features
        self.shape = (n_tasks * n_outputs, self.n_features)
        self.mass = predictors.total(weight)[:, 0]  # lambda
        # where the search for the next intercepts starts; results differ by rounding alone
        self._bias = np.zeros((n_tasks, n_outputs))

    def forward(self, W: np.ndarray) -> np.ndarray:
        """Return the predictors of W, shape (S, K, n)."""
        return self.predictors.forward(W.reshape(-1, self.n_outputs, self.n_features))

    def moved(self, predictor: np.ndarray, direction: np.ndarray, step: float) -> np.ndarray:
        """Return ``predictor + step * direction``."""
        return predictor + step * direction

    def _gradient(self, residual: np.ndarray) -> np.ndarray:
        return -self.predictors.adjoint(residual).reshape(self.shape)

    def _with_bias(self, predictor: np.ndarray, bias: np.ndarray) -> np.ndarray:
        return predictor + self.predictors.spread(bias) if self.fit_intercept else predictor

    @abstractmethod
    def _best_bias(self, predictor: np.ndarray) -> np.ndarray:
        """Return the best intercepts of centred rows, shape (T, K)."""

    def intercept(self, W: np.ndarray) -> np.ndarray:
        """Return the best intercepts for W, shape (M,)."""
        if not self.fit_intercept:
            return np.zeros(len(W))
        bias = self._best_bias(self.forward(W))
        blocks = W.reshape(-1, self.n_outputs, self.n_features)
        bias = bias - np.einsum("tkj,tj->tk", blocks, self._task_centres())
        if self.n_outputs > 1:  # a common shift of all classes changes nothing
            bias = bias - bias.mean(axis=1, keepdims=True)
        return bias.ravel()

    def columns(self, features: np.ndarray) -> Self:
        """Return the loss as a function of the weights of these features, the others 0."""
        part = copy(self)
        part.predictors, part.n_features = self.predictors.columns(features), len(features)
        part.shape = (self.shape[0], len(features))
        return part

    @property
    def tied_rows(self) -> int:
        """The number of classes of a task."""
        return self.n_outputs

    def _task_centres(self) -> np.ndarray:
        centres = self.predictors.centres()
        return np.broadcast_to(centres, (self.predictors.n_tasks, self.n_features))

    def pooled_gram(self) -> np.ndarray:
        """Return the mean over tasks of their second moments of X, shape (p, p)."""
        return self.predictors.pooled_gram(self._share)

    def pooled_moments(self) -> np.ndarray:
        """Return the diagonal of ``pooled_gram()``, shape (p,)."""
        return self.predictors.pooled_moments(self._share)

    @property
    def _share(self) -> np.ndarray:
        each = 1.0 / (self.predictors.n_tasks * np.maximum(self.mass, 1e-300))
        return self.weight * self.predictors.spread(each[:, None])


class DiagonalCurvature(Curvature):
    """``sum_i s_ti (x_ti - m_t)(x_ti - m_t)'`` for each row, m the mean with weights s."""

    def __init__(self, loss: PredictorLoss, weight: np.ndarray) -> None:
        self.loss, self.weight = loss, weight
        self.total = loss.predictors.total(weight)

    def product(self, D: np.ndarray) -> np.ndarray:
        """Return ``H D``."""
        loss = self.loss
        moved = loss.forward(D)
        if loss.fit_intercept:
            total = np.where(self.total > 0, self.total, 1.0)
            mean = loss.predictors.total(self.weight * moved) / total
            moved = moved - loss.predictors.spread(mean)
        return loss.predictors.adjoint(self.weight * moved).reshape(loss.shape)

    def blocks(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return a Gram matrix for each row."""
        p = self.loss.n_features
        grams = self.loss.predictors.grams(self.weight).reshape(-1, p, p)
        return [np.array([row]) for row in range(len(grams))], list(grams)

    @property
    def row_scale(self) -> np.ndarray:
        """The sum of weights of each row."""
        return self.total.ravel()
