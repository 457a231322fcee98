import numpy as np
from scipy.special import entr, xlog1py

from sklearn_mtl.convex.datafits._predictor_loss import (
    CurvedPoint,
    DiagonalCurvature,
    PredictorLoss,
)
from sklearn_mtl.convex.datafits._predictors import Predictors

CERTAIN = 700.0  # stands for the infinite intercept of a task with one class; exp(-700) is no 0
INTERCEPT_STEPS = 100
EXACT = 4e-15  # mean residual, relative to weights that sum to 1: the rounding of the sum


class Logistic(PredictorLoss):
    """``sum_ti c_ti * log(1 + exp(-m_ti))``, ``m = (2 y - 1)(x . w + b)``, y 0 or 1.

    Parameters
    ----------
    predictors : Predictors
    labels : ndarray of shape (S, 1, n)
    weight : ndarray of shape (S, 1, n) or (S, 1, 1)
        c.
    fit_intercept : bool
    """

    def __init__(
        self,
        predictors: Predictors,
        labels: np.ndarray,
        weight: np.ndarray,
        *,
        fit_intercept: bool,
    ) -> None:
        super().__init__(predictors, labels, weight, 1, fit_intercept=fit_intercept)
        self.sign = 2.0 * labels - 1.0
        positive = predictors.total(weight * labels)
        negative = predictors.total(weight * (1.0 - labels))
        self.only = np.where(positive <= 0, -1.0, np.where(negative <= 0, 1.0, 0.0))
        # with one class, an infinite intercept is best, and the loss is 0
        self._bias = self.only * CERTAIN if fit_intercept else self._bias

    def _wrong(self, predictor: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return margins, exp(-|margin|) and the probability of the class that is not y."""
        signed = self.sign * predictor
        bias, both = self._bias, self.only == 0
        mass = self.mass[:, None]
        last = not self.fit_intercept
        low, high = np.full_like(bias, -np.inf), np.full_like(bias, np.inf)
        radius = np.ones_like(bias)  # of a step; larger after each one it cut
        for _ in range(INTERCEPT_STEPS):
            margin = signed
            if self.fit_intercept:
                margin = signed + self.sign * self.predictors.spread(bias)
            small = np.exp(-np.abs(margin))
            wrong = np.where(margin >= 0, small, 1.0) / (1.0 + small)
            if last:
                break
            weighted = self.weight * wrong
            slope = self.predictors.total(self.sign * weighted)
            slope = np.where(both, slope, 0.0)
            if (np.abs(slope) <= EXACT * mass).all():
                break
            bend = self.predictors.total(weighted * (1.0 - wrong))
            step = slope / np.maximum(bend, 1e-300)
            cut = np.abs(step) > radius
            step, radius = np.clip(step, -radius, radius), np.where(cut, 4.0 * radius, radius)
            # the slope falls with b: its sign says on which side the root is
            low, high = np.where(slope > 0, bias, low), np.where(slope < 0, bias, high)
            moved = bias + step
            outside = both & ((moved < low) | (moved > high))
            if outside.any():
                middle = 0.5 * (np.where(outside, low, 0.0) + np.where(outside, high, 0.0))
                moved = np.where(outside, middle, moved)
            # Newton's error is squared by a step: below 1e-8, the next is rounding
            last = bool((np.abs(moved - bias) <= 1e-8).all())
            bias = moved
        self._bias = bias
        return margin, small, wrong

    def _best_bias(self, predictor: np.ndarray) -> np.ndarray:
        self._wrong(predictor)
        return self._bias

    def value_of(self, predictor: np.ndarray) -> float:
        """Return f, given the predictors."""
        margin, small, _ = self._wrong(predictor)
        return float((self.weight * (np.log1p(small) + np.maximum(-margin, 0.0))).sum())

    def point_of(self, predictor: np.ndarray) -> CurvedPoint:
        """Return value, gradient, dual and curvature, given the predictors."""
        margin, small, wrong = self._wrong(predictor)
        value = float((self.weight * (np.log1p(small) + np.maximum(-margin, 0.0))).sum())
        weighted = self.weight * wrong
        gradient = self._gradient(self.sign * weighted)

        def dual(kappa: float) -> float:
            # u = c (y - p): -f*(-kappa u) is the entropy of (1 - kappa) y + kappa p
            if kappa == 1.0:
                return value + float((weighted * margin).sum())
            other = kappa * wrong
            entropy = entr(other) - xlog1py(1.0 - other, -other)
            return float((self.weight * entropy).sum())

        return CurvedPoint(
            value,
            gradient,
            dual,
            predictor,
            lambda: DiagonalCurvature(self, weighted * (1.0 - wrong)),
        )

    def lipschitz(self) -> float:
        """Return an upper bound on the largest curvature, as p (1 - p) <= 1/4."""
        return 0.25 * self.predictors.largest_eigenvalue(self.weight)
