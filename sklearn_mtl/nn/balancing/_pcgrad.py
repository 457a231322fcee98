import numpy as np
import torch

from sklearn_mtl.nn.balancing._gramian_weights import GramianWeights


class PCGradWeights(GramianWeights):
    """Projects each gradient off those it conflicts with, one after the other, in random order.

    All gradients take their k-th projection together: T steps of numpy, not T².
    """

    def weigh(self, gramian: np.ndarray, tasks: np.ndarray) -> np.ndarray:
        """Return how much of each gradient the sum of the projected ones holds."""
        n = len(gramian)
        rows, orders = np.arange(n), random_orders(n).T
        squares = gramian.diagonal()[orders]
        apart = (orders != rows) & (squares > 0)
        inverse = np.divide(1.0, squares, out=np.zeros((n, n)), where=apart)
        # row i: the products of the projected g_i with all gradients
        products, steps = gramian.copy(), np.empty((n, n))
        for k, other in enumerate(orders):
            step = np.minimum(products[rows, other], 0.0) * inverse[k]
            products -= step[:, None] * gramian[other]
            steps[k] = step
        return 1.0 - np.bincount(orders.ravel(), steps.ravel(), n)


def random_orders(n: int) -> np.ndarray:
    """Return n random orders of n tasks, one a row, from torch's generator: training seeds it."""
    return torch.rand(n, n).numpy().argsort(axis=1)
