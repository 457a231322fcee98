import numpy as np
import torch
from torch import Tensor

from sklearn_mtl.nn.balancing._base import Balancer, LossGraph
from sklearn_mtl.nn.balancing._jacobian import common_jacobian, shared_jacobian
from sklearn_mtl.nn.balancing._last_losses import LastLosses

LEAST = 1e-3  # the paper's weights may become negative; these stop here before they are scaled


class GradientNorms(Balancer):
    """Minimise sum_t λ_t w_t loss_t, with weights w that balance gradient norms: GradNorm.

    With g_t the norm of the gradient of loss_t, G_t = w_t g_t and r_t the task's loss relative to
    its first, divided by the mean of these over the tasks, a step on

        sum_t | G_t - mean(G) r_t ** alpha | / mean(G),   with mean(G) r_t ** alpha as constants,

    moves w by ``lr``, and w is scaled back to its sum, T. Gradients are those with respect to the
    representation that all tasks read, where there is one, else to the parameters that tasks share;
    where they share nothing w stays 1.

    Only tasks with a label in the batch take part; the weights of others stay.

    Parameters
    ----------
    task_weight : Tensor of shape (T,)
    alpha, lr : float
    """

    relative_weight: Tensor
    first_losses: Tensor

    def __init__(self, task_weight: Tensor, alpha: float, lr: float) -> None:
        super().__init__(task_weight)
        self.alpha = alpha
        self.lr = lr
        self.losses = LastLosses(task_weight)
        self.register_buffer("relative_weight", torch.ones_like(task_weight))
        self.register_buffer("first_losses", torch.full_like(task_weight, torch.nan))

    def backward(self, losses: Tensor, observed: Tensor | None, graph: LossGraph) -> None:
        """Differentiate the weighted sum, after a step on the weights of the next one."""
        here = torch.ones_like(losses, dtype=torch.bool) if observed is None else observed
        values = self.losses(losses, observed).clamp(min=torch.finfo(losses.dtype).eps)
        first = torch.where(here & self.first_losses.isnan(), values, self.first_losses)
        self.first_losses = first
        norms = gradient_norms(losses, graph)
        if observed is not None:
            norms = norms * self.losses.share()
        weight = self.relative_weight
        self.relative_weight = self._stepped(weight, norms, values / first, here)
        self.backward_weighted(losses, observed, self.task_weight * weight)

    def _stepped(self, weight: Tensor, norms: Tensor, progress: Tensor, here: Tensor) -> Tensor:
        """Return the weights (T,) after a step on the tasks that are `here`."""
        weighted = weight * norms
        mean = _mean(weighted, here)
        rate = progress / _mean(progress, here)
        tiny = torch.finfo(mean.dtype).tiny  # heads start at zero: so do all gradients
        slope = torch.sign(weighted - mean * rate**self.alpha) * norms / mean.clamp(min=tiny)
        moved = (weight - self.lr * slope).clamp(min=LEAST)
        moved = moved * (_mean(weight, here) / _mean(moved, here))
        return torch.where(here, moved, weight)


def gradient_norms(losses: Tensor, graph: LossGraph) -> Tensor:
    """Return the norm of each loss's gradient with respect to what tasks share, shape (T,)."""
    weight, tasks = torch.ones_like(losses), np.arange(len(losses))
    if graph.common is not None and graph.common.requires_grad:
        return common_jacobian(losses, graph, weight, tasks).flatten(1).norm(dim=1)
    squares = torch.zeros_like(losses)
    for _, gradients in shared_jacobian(losses, graph, weight, tasks):
        squares += gradients.flatten(1).square().sum(1)
    return squares.sqrt()


def _mean(values: Tensor, here: Tensor) -> Tensor:
    return torch.where(here, values, 0.0).sum() / here.sum()
