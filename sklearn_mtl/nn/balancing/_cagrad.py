import numpy as np
from scipy.optimize import brentq

from sklearn_mtl.nn.balancing._gramian_weights import GramianWeights, square_root
from sklearn_mtl.nn.balancing._mgda import shortest

# a combination this short, to the gradients' length, is zero: the losses cannot all be lowered
STATIONARY = 1e-4


class CAGradWeights(GramianWeights):
    """The step near the mean gradient that lowers the loss it lowers least the most.

    Parameters
    ----------
    c : float
        Radius of the ball around the mean gradient g_0, in units of its length.
    """

    def __init__(self, c: float) -> None:
        super().__init__()
        self.c = c

    def weigh(self, gramian: np.ndarray, tasks: np.ndarray) -> np.ndarray:
        """Return the weights of g_0 + c |g_0| g_w / |g_w|."""
        vectors = square_root(gramian)
        mean = vectors.mean(axis=1)
        radius = self.c * np.linalg.norm(mean)
        uniform = np.full(len(gramian), 1.0 / len(gramian))
        if radius == 0.0:
            return uniform

        # The dual problem is min_w g_w'g_0 + radius |g_w| over the simplex, and
        # |g_w| = min_t (|g_w|^2 / t + t) / 2. For a given t the best w gives the shortest
        # combination of g_i + (t / radius) g_0; the t looked for is the length of its g_w.
        def worst(t: float) -> np.ndarray:
            return shortest(vectors + (t / radius) * mean[:, None])

        def excess(t: float) -> float:
            return float(np.linalg.norm(vectors @ worst(t))) - t

        lengths = np.sqrt(np.diagonal(gramian))
        if excess(0.0) <= STATIONARY * np.linalg.norm(lengths):
            return np.zeros(len(gramian))
        top = lengths.max()
        t = brentq(excess, 0.0, top * (1 + 1e-9), xtol=1e-8 * top, rtol=1e-8)
        weights = worst(t)
        return uniform + radius / np.linalg.norm(vectors @ weights) * weights
