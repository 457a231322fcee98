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
        rows = np.arange(len(gramian))
        shares, products = np.eye(len(gramian)), gramian.copy()
        length = np.sqrt(np.diagonal(gramian))
        for other in random_orders(len(gramian)).T:
            apart = other != rows
            own = np.sqrt(np.maximum((products * shares).sum(axis=1), 0.0))
            cosine = products[rows, other] / (own * length[other] + TINY)
            goal = self.cosines[tasks, tasks[other]]
            sine = np.sqrt(np.maximum(1.0 - cosine**2, 0.0))
            goal_sine = np.sqrt(np.maximum(1.0 - goal**2, 0.0))
            # with this much of g_j the cosine is the goal
            step = own * (goal * sine - cosine * goal_sine) / (length[other] * goal_sine + TINY)
            step = np.where(apart & (cosine < goal), step, 0.0)
            shares[rows, other] += step
            products += step[:, None] * gramian[other]
            mean = (1.0 - self.beta) * goal + self.beta * cosine
            self.cosines[tasks, tasks[other]] = np.where(apart, mean, goal)
        return shares.sum(axis=0)
