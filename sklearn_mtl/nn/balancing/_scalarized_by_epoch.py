from copy import deepcopy

import torch
from torch import Tensor
from torchjd.scalarization import DWA

from sklearn_mtl.nn.balancing._base import LossGraph
from sklearn_mtl.nn.balancing._torchjd import TorchjdBalancer


class ScalarizedByEpoch(TorchjdBalancer):
    """Minimise sum_t λ_t w_t loss_t, with weights w that torchjd's DWA finds after each epoch.

    DWA is given each epoch's mean losses, not its batches: a mean is then over the task's own
    labels, however they are spread. A task without labels in an epoch keeps the mean it had.

    Parameters
    ----------
    task_weight : Tensor of shape (T,)
    dwa : torchjd.scalarization.DWA
    """

    mean_losses: Tensor
    epoch_weight: Tensor

    def __init__(self, task_weight: Tensor, dwa: DWA) -> None:
        super().__init__(task_weight, dwa)
        self.register_buffer("mean_losses", torch.ones_like(task_weight))
        self.register_buffer("epoch_weight", torch.ones_like(task_weight))

    def backward(self, losses: Tensor, observed: Tensor | None, graph: LossGraph) -> None:
        """Differentiate the weighted sum."""
        self.backward_weighted(losses, observed, self.task_weight * self.epoch_weight)

    def after_epoch(self, losses: Tensor) -> None:
        """Find the next epoch's weights."""
        least = torch.finfo(losses.dtype).eps  # ratios of losses are taken
        self.mean_losses = torch.where(losses.isnan(), self.mean_losses, losses).clamp(min=least)
        self.method(self.mean_losses)
        self.method.step()
        values = self.mean_losses.clone().requires_grad_()
        # a copy: DWA counts every call as a batch of the epoch
        (self.epoch_weight,) = torch.autograd.grad(deepcopy(self.method)(values), values)
