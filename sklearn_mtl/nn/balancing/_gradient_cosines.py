import numpy as np
import torch
from torch import Tensor

from sklearn_mtl.nn.balancing._base import LossGraph
from sklearn_mtl.nn.balancing._jacobian import shared_jacobian


def gradient_cosines(losses: Tensor, observed: Tensor | None, graph: LossGraph) -> Tensor:
    """Return the cosines between the tasks' gradients by the parameters they share, (T, T).

    NaN for a task without a label in the batch, and for one whose gradient is zero.

    Parameters
    ----------
    losses, observed, graph
        As in `Balancer.backward`, which can still be called afterwards.
    """
    weight = torch.ones_like(losses.detach())
    gramian = torch.diag(torch.zeros_like(losses.detach()))
    for _, rows in shared_jacobian(losses, graph, weight, np.arange(len(losses))):
        gramian += rows.flatten(1) @ rows.flatten(1).T
    length = gramian.diagonal().sqrt()
    length = torch.where(length > 0, length, torch.nan)
    if observed is not None:
        length = length.masked_fill(~observed, torch.nan)
    return gramian / length[:, None] / length
