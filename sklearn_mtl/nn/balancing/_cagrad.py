import numpy as np

from sklearn_mtl.nn.balancing._gramian_weights import GramianWeights, square_root
from sklearn_mtl.nn.balancing._mgda import shortest

# a combination this short, to the gradients' length, is zero: the losses cannot all be lowered
STATIONARY = 1e-4
MAX_ITERATIONS = 60  # of at least a bisection each


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
        lengths = np.sqrt(gramian.diagonal())
        t, low, high = 0.0, 0.0, lengths.max() * (1 + 1e-9)
        for _ in range(MAX_ITERATIONS):
            weights = shortest(vectors + (t / radius) * mean[:, None])
            length = np.linalg.norm(vectors @ weights)
            if t == 0.0 and length <= STATIONARY * np.linalg.norm(lengths):
                return np.zeros(len(gramian))
            if abs(length - t) <= 1e-8 * high:
                break
            low, high = (t, high) if length > t else (low, t)
            t = _length_among(np.flatnonzero(weights), gramian, radius)
            if not low < t < high:
                t = (low + high) / 2
        return uniform + radius / length * weights


def _length_among(tasks: np.ndarray, gramian: np.ndarray, radius: float) -> float:
    """Return |g_w| of the solution if these tasks are those with a weight; NaN if they are not."""
    # stationary where b + (radius / t) G w = v 1, with b the products with g_0; with sum(w) = 1
    # and w'G w = t^2 that is a quadratic equation of v
    sides = np.stack([np.ones(len(tasks)), gramian.mean(axis=1)[tasks]], axis=1)
    try:
        a, b, _, c = (sides.T @ np.linalg.solve(gramian[np.ix_(tasks, tasks)], sides)).ravel()
    except np.linalg.LinAlgError:
        return np.nan
    discriminant = b * b - a * (c - radius * radius)
    return radius / np.sqrt(discriminant) if discriminant > 0.0 else np.nan
