import numpy as np

from sklearn_mtl.convex.datafits._predictor_loss import (
    CurvedPoint,
    DiagonalCurvature,
    PredictorLoss,
)
from sklearn_mtl.convex.datafits._predictors import Predictors


class HalfSquares(PredictorLoss):
    """``sum_ti c_ti / 2 * (y_ti - x_ti . w_t - b_t)^2``: regression beside classification.

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
        self.label_mean = np.zeros((predictors.n_tasks, 1))
        if fit_intercept:
            # centred, so that labels far from 0 keep their digits
            self.label_mean = predictors.total(weight * labels) / self.mass[:, None]
            self.labels = labels - predictors.spread(self.label_mean)

    def _residual(self, predictor: np.ndarray) -> np.ndarray:
        residual = self.labels - predictor
        if self.fit_intercept:
            mean = self.predictors.total(self.weight * residual) / self.mass[:, None]
            residual = residual - self.predictors.spread(mean)
        return residual

    def _best_bias(self, predictor: np.ndarray) -> np.ndarray:
        mean = self.predictors.total(self.weight * (self.labels - predictor))
        return self.label_mean + mean / self.mass[:, None]

    def value_of(self, predictor: np.ndarray) -> float:
        """Return f, given the predictors."""
        return 0.5 * float((self.weight * np.square(self._residual(predictor))).sum())

    def point_of(self, predictor: np.ndarray) -> CurvedPoint:
        """Return value, gradient, dual and curvature, given the predictors."""
        residual = self._residual(predictor)
        weighted = self.weight * residual
        energy, inner = float((weighted * residual).sum()), float((weighted * self.labels).sum())

        def dual(kappa: float) -> float:
            return kappa * inner - 0.5 * kappa**2 * energy

        return CurvedPoint(
            0.5 * energy,
            self._gradient(weighted),
            dual,
            predictor,
            lambda: DiagonalCurvature(self, self.weight + np.zeros_like(self.labels)),
        )

    def lipschitz(self) -> float:
        """Return an upper bound on the largest curvature."""
        return self.predictors.largest_eigenvalue(self.weight)
