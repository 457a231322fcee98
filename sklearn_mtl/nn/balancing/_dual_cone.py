import numpy as np
import torch
from scipy.optimize import nnls
from torch import Tensor
from torchjd.linalg import DualConeProjector

from sklearn_mtl.nn.balancing._gramian_weights import GramianWeights, square_root


class NNLSProjector(DualConeProjector):
    """Projects onto the vectors that lower no loss less than zero, by scipy's nonnegative solver.

    torchjd's own needs quadprog, which is under the GPL.
    """

    def __call__(self, U: Tensor, G: Tensor) -> Tensor:
        """Return argmin_v v'G v over v >= u for each u of U (..., S)."""
        gramian = G.detach().cpu().numpy().astype(np.float64)
        given = U.detach().cpu().numpy().astype(np.float64)
        root = square_root(gramian)
        weights = [project(u, gramian, root) for u in given.reshape(-1, len(gramian))]
        return torch.as_tensor(np.reshape(weights, given.shape), dtype=G.dtype, device=G.device)


class UPGradWeights(GramianWeights):
    """The mean of the gradients, each projected onto the steps that raise no loss."""

    def weigh(self, gramian: np.ndarray, tasks: np.ndarray) -> np.ndarray:
        """Return the weights."""
        n, root = len(gramian), square_root(gramian)
        return np.sum([project(u, gramian, root) for u in np.eye(n) / n], axis=0)


class DualProjWeights(GramianWeights):
    """The mean gradient, projected onto the steps that raise no loss."""

    def weigh(self, gramian: np.ndarray, tasks: np.ndarray) -> np.ndarray:
        """Return the weights."""
        n = len(gramian)
        return project(np.full(n, 1.0 / n), gramian, square_root(gramian))


def project(u: np.ndarray, gramian: np.ndarray, root: np.ndarray) -> np.ndarray:
    """Return argmin_v v'G v over v >= u, given F with F'F = G.

    Parameters
    ----------
    u : ndarray of shape (S,)
    gramian, root : ndarray of shape (S, S)
    """
    if (gramian @ u >= 0).all():  # conflicts with nothing
        return u
    # v = u + z, z >= 0 minimises |F z + F u|^2 for G = F'F
    z, _ = nnls(root, -root @ u, maxiter=100 * len(u))
    return u + z
