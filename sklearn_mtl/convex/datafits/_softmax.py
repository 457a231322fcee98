import numpy as np
from scipy.special import entr

from sklearn_mtl.convex.datafits._logistic import CERTAIN, EXACT, INTERCEPT_STEPS
from sklearn_mtl.convex.datafits._predictor_loss import Curvature, CurvedPoint, PredictorLoss
from sklearn_mtl.convex.datafits._predictors import Predictors


class Softmax(PredictorLoss):
    """``-sum_ti c_ti * log p_ti[y_ti]``, ``p = softmax(W_t x + b_t)`` over K classes.

    Parameters
    ----------
    predictors : Predictors
    labels : ndarray of shape (S, 1, n)
        Class numbers 0 ... K - 1.
    weight : ndarray of shape (S, 1, n) or (S, 1, 1)
        c.
    n_classes : int
        K.
    fit_intercept : bool
    """

    def __init__(
        self,
        predictors: Predictors,
        labels: np.ndarray,
        weight: np.ndarray,
        n_classes: int,
        *,
        fit_intercept: bool,
    ) -> None:
        super().__init__(predictors, labels, weight, n_classes, fit_intercept=fit_intercept)
        self.truth = (labels == np.arange(n_classes)[:, None]).astype(float)  # (S, K, n)
        self.class_mass = predictors.total(weight * self.truth)
        self.present = self.class_mass > 0
        if fit_intercept:
            # classes that no row has: an intercept of minus infinity is best
            self._bias = np.where(self.present, 0.0, -CERTAIN)

    def _probability(self, predictor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return log-probabilities and probabilities, intercepts at their best."""
        bias = self._bias
        log_probability, probability = self._softmax(predictor, bias)
        if not self.fit_intercept:
            return log_probability, probability
        loss, mass = self._losses(log_probability), self.mass[:, None]
        radius = np.ones_like(mass)  # of what a step may change; larger after each cut one
        for _ in range(INTERCEPT_STEPS):
            slope = self.predictors.total(self.weight * (self.truth - probability))
            slope = np.where(self.present, slope, 0.0)
            if (np.abs(slope) <= EXACT * mass).all():
                break
            bend = self._bend(self.weight * probability, probability)
            step = np.linalg.solve(bend, slope[:, :, None])[:, :, 0]
            size = np.abs(step).max(axis=1, keepdims=True)
            cut = size > radius
            step = np.where(cut, step * (radius / np.maximum(size, 1e-300)), step)
            tried = bias + step
            log_probability, probability = self._softmax(predictor, tried)
            after = self._losses(log_probability)
            worse = after > loss * (1.0 + 1e-14) + 1e-300
            if worse.any():
                radius = np.where(worse, 0.25 * np.minimum(size, radius), radius)
                tried = np.where(worse, bias, tried)
                log_probability, probability = self._softmax(predictor, tried)
                after = self._losses(log_probability)
            radius = np.where(cut & ~worse, 4.0 * radius, radius)
            bias, loss = tried, after
            # Newton's error is squared by a step: below 1e-8, the next is rounding
            if (np.abs(step) <= 1e-8).all() and not cut.any():
                break
        self._bias = bias
        return log_probability, probability

    def _softmax(self, predictor: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        shifted = self._with_bias(predictor, bias)
        shifted = shifted - shifted.max(axis=1, keepdims=True)
        probability = np.exp(shifted)
        size = probability.sum(axis=1, keepdims=True)
        return shifted - np.log(size), probability / size

    def _losses(self, log_probability: np.ndarray) -> np.ndarray:
        """Return the loss of each task, shape (T, 1)."""
        return -self.predictors.total(self.weight * self.truth * log_probability).sum(
            axis=1, keepdims=True
        )

    def _bend(self, weighted: np.ndarray, probability: np.ndarray) -> np.ndarray:
        """Return the Hessian in the intercepts, the common shift made definite, (T, K, K)."""
        bend = -self.predictors.products(weighted, probability)
        K, present = self.n_outputs, self.present
        bend *= present[:, :, None] & present[:, None, :]
        np.einsum("tkk->tk", bend)[:] = 0.0
        # rows sum to 0; filling the diagonal so keeps that where p is nearly 0 or 1
        diagonal = -bend.sum(axis=2)
        floor = 1e-14 * self.mass[:, None]
        np.einsum("tkk->tk", bend)[:] = np.where(present, np.maximum(diagonal, floor), 1.0)
        scale = self.mass / K
        return bend + scale[:, None, None] * (present[:, :, None] & present[:, None, :])

    def _best_bias(self, predictor: np.ndarray) -> np.ndarray:
        self._probability(predictor)
        return self._bias

    def value_of(self, predictor: np.ndarray) -> float:
        """Return f, given the predictors."""
        log_probability, _ = self._probability(predictor)
        return -float((self.weight * self.truth * log_probability).sum())

    def point_of(self, predictor: np.ndarray) -> CurvedPoint:
        """Return value, gradient, dual and curvature, given the predictors."""
        log_probability, probability = self._probability(predictor)
        value = -float((self.weight * self.truth * log_probability).sum())
        gradient = self._gradient(self.weight * (self.truth - probability))

        def dual(kappa: float) -> float:
            # -f*(-kappa u) is the entropy of (1 - kappa) onehot + kappa p
            if kappa == 1.0:
                return -float((self.weight * (probability * log_probability)).sum())
            mixed = (1.0 - kappa) * self.truth + kappa * probability
            return float((self.weight * entr(mixed)).sum())

        return CurvedPoint(
            value, gradient, dual, predictor, lambda: SoftmaxCurvature(self, probability)
        )

    def lipschitz(self) -> float:
        """Return an upper bound on the largest curvature, as ``diag(p) - p p' <= 1/2``."""
        return 0.5 * self.predictors.largest_eigenvalue(self.weight)


class SoftmaxCurvature(Curvature):
    """``sum_i c_i (diag(p_i) - p_i p_i')`` between the classes of a task, times ``x_i x_i'``."""

    def __init__(self, loss: Softmax, probability: np.ndarray) -> None:
        self.loss, self.probability = loss, probability
        self.weighted = loss.weight * probability

    def _apply(self, moved: np.ndarray) -> np.ndarray:
        inner = (self.probability * moved).sum(axis=1, keepdims=True)
        return self.weighted * (moved - inner)

    def product(self, D: np.ndarray) -> np.ndarray:
        """Return ``H D``."""
        loss = self.loss
        moved = loss.forward(D)
        bent = self._apply(moved)
        if loss.fit_intercept:
            total = np.where(loss.present, loss.predictors.total(bent), 0.0)
            bend = loss._bend(self.weighted, self.probability)
            answer = np.linalg.solve(bend, total[:, :, None])[:, :, 0]
            bent = self._apply(moved - loss.predictors.spread(answer))
        return loss.predictors.adjoint(bent).reshape(loss.shape)

    def blocks(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return a block for each task."""
        loss, (T, K) = self.loss, self.loss.present.shape
        p, predictors = loss.n_features, loss.predictors
        whole = np.zeros((T, K, p, K, p))
        first = np.zeros((T, K, K, p))  # derivatives in intercept k and weights of class m
        for k in range(K):
            for m in range(k + 1):
                weight = self.weighted[:, [k]] * ((k == m) - self.probability[:, [m]])
                first[:, k, m] = first[:, m, k] = predictors.adjoint(
                    np.broadcast_to(weight, self.probability[:, [k]].shape)
                )[:, 0]
                sign = 1.0 if k == m else -1.0
                gram = sign * predictors.grams(sign * weight, centre=False)[:, 0]
                whole[:, k, :, m] = whole[:, m, :, k] = gram
        blocks = whole.reshape(T, K * p, K * p)
        if loss.fit_intercept:
            # profiled: H_ww - H_wb H_bb^-1 H_bw
            cross = np.where(loss.present[:, :, None, None], first, 0.0).reshape(T, K, K * p)
            bend = loss._bend(self.weighted, self.probability)
            blocks = blocks - cross.transpose(0, 2, 1) @ np.linalg.solve(bend, cross)
        return [np.arange(t * K, (t + 1) * K) for t in range(T)], list(blocks)

    @property
    def row_scale(self) -> np.ndarray:
        """The sum of the weights ``p (1 - p)`` of each row."""
        return self.loss.predictors.total(self.weighted * (1.0 - self.probability)).ravel()
