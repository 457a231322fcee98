import numpy as np
import torch
from torch import Tensor, nn


class GramianWeights(nn.Module):
    """Weighs tasks by the inner products of their gradients; the base class of such methods.

    The matrix has a row a task: in numpy, which it goes to once, small products cost less than in
    torch.
    """

    def forward(self, gramian: Tensor, tasks: np.ndarray) -> Tensor:
        """Return the weights, shape (S,).

        Parameters
        ----------
        gramian : Tensor of shape (S, S)
            Inner products of the gradients of λ_t loss_t; not all zero, all finite.
        tasks : ndarray of shape (S,), int
            Numbers of the tasks that have a row.
        """
        weights = self.weigh(gramian.detach().cpu().numpy().astype(np.float64), tasks)
        return torch.from_numpy(weights).to(gramian)

    def weigh(self, gramian: np.ndarray, tasks: np.ndarray) -> np.ndarray:
        """Return the weights, shape (S,), from the same, all float64."""
        raise TypeError(f"{type(self).__name__} must define weigh(gramian, tasks).")


def square_root(gramian: np.ndarray) -> np.ndarray:
    """Return F with F'F the matrix (S, S), whose eigenvalues below 0 are roundings."""
    try:
        return np.linalg.cholesky(gramian).T  # a fifth of the time, where there is no such value
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(gramian)
    return np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
