import numpy as np
import torch

from sklearn_mtl.nn.balancing._gramian_weights import GramianWeights


class PCGradWeights(GramianWeights):
    """Projects each gradient off those it conflicts with, one after the other, in random order.

    All gradients take their k-th projection together: T steps of numpy, not T².
    """

    def weigh(self, gramian: np.ndarray, tasks: np.ndarray) -> np.ndarray:
        """Return how much of each gradient the sum of the projected ones holds."""
        rows = np.arange(len(gramian))
        # row i: what of each gradient the projected g_i holds, and its products with all
        shares, products = np.eye(len(gramian)), gramian.copy()
        for other in random_orders(len(gramian)).T:
            inner = products[rows, other]
            conflicting = (inner < 0) & (other != rows)
            step = np.zeros(len(rows))
            np.divide(-inner, gramian[other, other], out=step, where=conflicting)
            shares[rows, other] += step
            products += step[:, None] * gramian[other]
        return shares.sum(axis=0)


def random_orders(n: int) -> np.ndarray:
    """Return n random orders of n tasks, one a row, from torch's generator: training seeds it."""
    return torch.rand(n, n).argsort(dim=1).numpy()
