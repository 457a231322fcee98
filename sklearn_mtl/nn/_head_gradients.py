from collections.abc import Sequence

import torch
from torch import Tensor

from sklearn_mtl.nn._gradient import add_gradient
from sklearn_mtl.nn.heads import GroupedHeads


class HeadGradients:
    """Gradients of weighted losses by the representation that linear heads read.

    The outputs of a task bear on its loss alone: task t has the gradient S_t W_t, with S_t (B, K)
    the slope of its loss by its outputs and W_t (K, h) the weights of its head. One backward pass
    gives all slopes S (B, n_outputs), and the inner products of the gradients are sums over blocks
    of (S'S) * (W W'), in which no gradient (B, h) is formed.

    Parameters
    ----------
    heads : GroupedHeads
    common : Tensor of shape (B, h)
        What they read.
    outputs : list over groups of Tensor (B, T_g) or (B, T_g, K)
        What they made of it, and the losses were made of; the graph is kept.
    losses, weight : Tensor of shape (T,)
    """

    def __init__(
        self,
        heads: GroupedHeads,
        common: Tensor,
        outputs: Sequence[Tensor],
        losses: Tensor,
        weight: Tensor,
    ) -> None:
        slopes = torch.autograd.grad(losses, outputs, weight, retain_graph=True)
        flat = [slope.flatten(1) for slope in slopes]
        self.slopes = flat[0] if len(flat) == 1 else torch.cat(flat, dim=1)
        self.heads, self.common = heads, common
        self.weight = heads.weight.detach()
        self.n_tasks, order = len(losses), heads.task_of_output
        self.task = None if order is None else torch.tensor(order, device=losses.device)

    def gramian(self) -> Tensor:
        """Return the inner products of the tasks' gradients, shape (T, T)."""
        products = (self.slopes.mT @ self.slopes) * (self.weight @ self.weight.mT)
        return self._of_tasks(self._of_tasks(products).mT)

    def combined(self, weights: Tensor) -> Tensor:
        """Return the sum of the gradients, weighted by (T,), shape (B, h)."""
        factors = weights if self.task is None else weights[self.task]
        return (self.slopes * factors) @ self.weight

    def positive_sum(self) -> Tensor | None:
        """Return the sum of the positive parts of the gradients, shape (B, h).

        None where a task has several outputs, whose parts may cancel.
        """
        if len(self.weight) > self.n_tasks:
            return None
        # S_bt W_tk > 0 where both are positive or both negative
        slopes = torch.cat([self.slopes.clamp(min=0), self.slopes.clamp(max=0)], dim=1)
        return slopes @ torch.cat([self.weight.clamp(min=0), self.weight.clamp(max=0)])

    def rows(self) -> Tensor:
        """Return the tasks' gradients, shape (T, B, h)."""
        return self._of_tasks(self.slopes.mT[:, :, None] * self.weight[:, None])

    def backward(self, combined: Tensor) -> None:
        """Give the heads their own gradients, and what comes before them `combined` (B, h)."""
        # two products in place of a pass through the graph of the heads
        read = self.common.detach().to(self.slopes.dtype)
        add_gradient(self.heads.weight, self.slopes.mT @ read)
        add_gradient(self.heads.bias, self.slopes.sum(0))
        self.common.backward(combined.to(self.common.dtype))

    def _of_tasks(self, values: Tensor) -> Tensor:
        """Sum what belongs to outputs (n_outputs, ...) over those of each task, (T, ...)."""
        if self.task is None:
            return values
        return values.new_zeros(self.n_tasks, *values.shape[1:]).index_add_(0, self.task, values)
