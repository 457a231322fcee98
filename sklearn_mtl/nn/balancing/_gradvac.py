import numpy as np

from sklearn_mtl.nn.balancing._gramian_weights import GramianWeights
from sklearn_mtl.nn.balancing._pcgrad import random_orders

TINY = 1e-8  # keeps quotients finite where a gradient is zero


class GradVacWeights(GramianWeights):
    """Turns each gradient towards others until their cosine is what it was on average.

    Parameters
    ----------
    n_tasks : int
    beta : float
        Share of the newest cosine in the average.

    Attributes
    ----------
    cosines : ndarray of shape (T, T)
        Moving average of the cosines.
    """

    def __init__(self, n_tasks: int, beta: float) -> None:
        super().__init__()
        self.beta = beta
        self.cosines = np.zeros((n_tasks, n_tasks))

    def weigh(self, gramian: np.ndarray, tasks: np.ndarray) -> np.ndarray:
        """Return how much of each gradient the sum of the turned ones holds."""
        n = len(gramian)
        rows, orders = np.arange(n), random_orders(n).T
        place = (tasks, tasks[orders])
        goals = self.cosines[place]
        goal_sines = np.sqrt(np.maximum(1.0 - goals**2, 0.0))
        squares = gramian.diagonal()
        lengths, apart = np.sqrt(squares)[orders], orders != rows
        reach = lengths * goal_sines + TINY
        # of the turned g_i: its products with all gradients, and with itself
        products, own_squares = gramian.copy(), squares.copy()
        cosines, steps = np.empty((n, n)), np.empty((n, n))
        for k, other in enumerate(orders):
            inner, own = products[rows, other], np.sqrt(np.maximum(own_squares, 0.0))
            cosine = inner / (own * lengths[k] + TINY)
            sine = np.sqrt(np.maximum(1.0 - cosine**2, 0.0))
            # with this much of g_j the cosine is the goal
            step = own * (goals[k] * sine - cosine * goal_sines[k]) / reach[k]
            step *= apart[k] & (cosine < goals[k])
            own_squares += step * (2.0 * inner + step * squares[other])
            products += step[:, None] * gramian[other]
            cosines[k], steps[k] = cosine, step
        mean = (1.0 - self.beta) * goals + self.beta * cosines
        self.cosines[place] = np.where(apart, mean, goals)
        return 1.0 + np.bincount(orders.ravel(), steps.ravel(), n)
