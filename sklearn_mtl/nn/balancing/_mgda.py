import numpy as np
from scipy.optimize import nnls

from sklearn_mtl.nn.balancing._gramian_weights import GramianWeights, square_root


class MGDAWeights(GramianWeights):
    """The shortest convex combination of the gradients, exactly."""

    def weigh(self, gramian: np.ndarray, tasks: np.ndarray) -> np.ndarray:
        """Return the weights of the shortest vector, which sum to 1."""
        return shortest(square_root(gramian))


def shortest(vectors: np.ndarray) -> np.ndarray:
    """Return argmin_a |V a| over a >= 0, sum(a) = 1.

    Parameters
    ----------
    vectors : ndarray of shape (n, S)
        V, a vector a column.
    """
    # x = argmin_{x >= 0} |V x|^2 + (sum(x) - 1)^2 has V'V x >= (1 - sum(x)) 1 with equality where
    # x > 0: after division by sum(x) these are the conditions of the shortest point
    n, size = vectors.shape
    unit = np.sqrt(np.vdot(vectors, vectors) / size) or 1.0
    matrix, target = np.ones((n + 1, size)), np.zeros(n + 1)
    matrix[:n] = vectors / unit
    target[n] = 1.0
    x, _ = nnls(matrix, target, maxiter=100 * size)
    return x / x.sum()
