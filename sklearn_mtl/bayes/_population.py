from dataclasses import dataclass, replace

import numpy as np

from sklearn_mtl.bayes._posterior import Posterior
from sklearn_mtl.bayes._prior import Prior
from sklearn_mtl.bayes._structure import Structure, exp_variance

# in standard coordinates, where features and labels have variance 1 and p weights make the labels
INTERCEPT_MEAN_VARIANCE = 100.0  # of m at the intercept: the labels' mean is not known to be 0
PSEUDO_INTERCEPTS = 1.0  # that the hyper-prior adds to those of the tasks
SINGULAR = 1e-4  # of the hyper-prior's variance of weights: next to nothing
PSEUDO_WEIGHTS = 1.0  # weights of variance 1 / p that it adds to those of m


@dataclass(frozen=True)
class Population:
    """What is learned of the population of tasks, and under which hyper-prior.

    The covariance S is block-diagonal: for each of the outputs of a task a block of p weights, of
    which `structure` says the form, and the variance of its intercept. m has variance tau² at
    weights, which is learned, and INTERCEPT_MEAN_VARIANCE at intercepts.

    Attributes
    ----------
    structure : Structure
    n_features : int
        p.
    fit_intercept : bool
    learn_mean : bool
        Whether m is unknown; else it is 0 at weights.
    n_outputs : int
        Outputs of each task: 1, or the number of classes.
    intercept_variance : float, default=1.0
        Of the intercepts that the hyper-prior adds.
    pseudo_intercepts : float, default=1.0
        How many they are.
    """

    structure: Structure
    n_features: int
    fit_intercept: bool
    learn_mean: bool
    n_outputs: int = 1
    intercept_variance: float = 1.0
    pseudo_intercepts: float = PSEUDO_INTERCEPTS

    @property
    def n_coefficients(self) -> int:
        """Coefficients of a task, d."""
        return self.n_outputs * (self.n_features + self.fit_intercept)

    @property
    def _blocks(self) -> list[slice]:
        width = self.n_features + self.fit_intercept
        return [slice(k * width, k * width + self.n_features) for k in range(self.n_outputs)]

    @property
    def _intercepts(self) -> np.ndarray:
        if not self.fit_intercept:
            return np.empty(0, dtype=np.intp)
        return np.array([block.stop for block in self._blocks])

    @property
    def _weights(self) -> np.ndarray:
        return np.concatenate([np.arange(block.start, block.stop) for block in self._blocks])

    def start(self, center: np.ndarray) -> Prior:
        """Return a first guess: weights that make half of the labels' variance."""
        d, typical = self.n_coefficients, 0.5 / self.n_features
        covariance = np.full(d, typical)
        covariance[self._intercepts] = 0.5
        return self._prior(center, typical, np.diag(covariance))

    def _prior(self, center: np.ndarray, mean_variance: float, covariance: np.ndarray) -> Prior:
        variance = np.full(len(center), mean_variance if self.learn_mean else 0.0)
        variance[self._intercepts] = INTERCEPT_MEAN_VARIANCE
        return Prior(center, variance, covariance)

    def maximise(self, posterior: Posterior, center: np.ndarray) -> Prior:
        """Return the prior that the expected log-density of coefficients makes most of."""
        T, scatter = len(posterior.mean), posterior.scatter
        covariance = np.zeros_like(scatter)
        for block in self._blocks:
            covariance[block, block] = self.structure.maximise(scatter[block, block], T)
        at = self._intercepts
        further = self.pseudo_intercepts
        whole = scatter[at, at] + further * self.intercept_variance
        covariance[at, at] = whole / (T + further)
        weights = self._weights
        spread = posterior.population_covariance[weights, weights]
        squares = np.square(posterior.population_mean[weights] - center[weights]) + spread
        total = squares.sum() + PSEUDO_WEIGHTS / self.n_features
        return self._prior(center, total / (len(weights) + PSEUDO_WEIGHTS), covariance)

    def log_density(self, prior: Prior) -> float:
        """Return the logarithm of the hyper-prior, up to a constant."""
        blocks = (prior.covariance[block, block] for block in self._blocks)
        density = sum(self.structure.log_density(block) for block in blocks)
        of_intercepts = prior.covariance[self._intercepts, self._intercepts]
        ratio = self.intercept_variance / of_intercepts
        density -= 0.5 * self.pseudo_intercepts * (ratio - np.log(ratio)).sum()
        if self.learn_mean:
            variance = prior.variance[self._weights[0]]
            density -= (
                0.5 * PSEUDO_WEIGHTS * (np.log(variance) + 1.0 / (self.n_features * variance))
            )
        return float(density)

    def n_singular(self, prior: Prior) -> int:
        """Return in how many directions of weights the variance is next to nothing."""
        least = SINGULAR * self.structure.variance
        blocks = [prior.covariance[block, block] for block in self._blocks]
        return int((np.linalg.eigvalsh(np.array(blocks)) < least).sum())

    def pack(self, prior: Prior) -> np.ndarray:
        """Return what is learned of the population as one vector without constraints."""
        parts = [self.structure.pack(prior.covariance[block, block]) for block in self._blocks]
        parts.append(np.log(prior.covariance[self._intercepts, self._intercepts]))
        if self.learn_mean:
            parts.append(np.log(prior.variance[self._weights[:1]]))
        return np.concatenate(parts)

    def unpack(self, vector: np.ndarray, center: np.ndarray) -> Prior:
        """Return the population that a vector stands for."""
        at, K = self._intercepts, self.n_outputs
        mean_variance, vector = (
            (float(exp_variance(vector[-1])), vector[:-1]) if self.learn_mean else (0.0, vector)
        )
        of_weights, of_intercepts = np.split(vector, [len(vector) - len(at)])
        covariance = np.zeros((len(center), len(center)))
        for block, part in zip(self._blocks, np.split(of_weights, K), strict=True):
            covariance[block, block] = self.structure.unpack(part, self.n_features)
        covariance[at, at] = exp_variance(of_intercepts)
        return self._prior(center, mean_variance, covariance)

    def typical_variances(self, prior: Prior) -> tuple[float, float]:
        """Return those of weights and of intercepts, as far as one number each tells them."""
        variance = prior.covariance.diagonal()
        of_intercepts = variance[self._intercepts].mean() if self.fit_intercept else 1.0
        return float(variance[self._weights].mean()), float(of_intercepts)

    def with_center(self, structure: Structure, intercept_variance: float) -> "Population":
        """Return the same population under the hyper-prior of a second fit."""
        return replace(
            self,
            structure=structure,
            intercept_variance=intercept_variance,
            pseudo_intercepts=PSEUDO_INTERCEPTS,
        )
