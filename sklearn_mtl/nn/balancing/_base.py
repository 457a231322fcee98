from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(slots=True, eq=False)
class LossGraph:
    """What a balancer may differentiate.

    Attributes
    ----------
    common : Tensor or None
        What the losses of all tasks go through: (B, h) for one shared trunk, (E, B, h) for E
        experts. None where there is no such place, as where each row has one task (the rows of two
        tasks then never meet) or the scheme mixes the tasks in every layer.
    shared_parameters : sequence of nn.Parameter
        Parameters that more than one task uses.
    losses_again : callable () -> Tensor of shape (T,)
        The losses of the same batch at the parameters of the moment, without gradients.
    own_parameters : sequence of nn.Parameter
        Parameters that one task alone uses: those of its head, and what its loss learns.
    common_gradients : callable (losses (T,), weight (T,)) -> HeadGradients, or None
        The gradients of weight_t loss_t by `common`, without T backward passes, where linear heads
        read it.
    scheme : str
        What decides on `common`, for error messages.
    gradient_factor : Tensor or None
        What the gradients of the losses come multiplied by, as 16 bits of precision ask for; None
        for 1. Methods are to see gradients without it, and to leave it in those that they add.
    """

    common: Tensor | None
    shared_parameters: Sequence[nn.Parameter]
    losses_again: Callable[[], Tensor]
    own_parameters: Sequence[nn.Parameter] = ()
    common_gradients: Callable[[Tensor, Tensor], Any] | None = None
    scheme: str = "the sharing scheme"
    gradient_factor: Tensor | None = None


class Balancer(nn.Module):
    """Turns the losses of the tasks into gradients. Its state is its ``state_dict``.

    Parameters
    ----------
    task_weight : Tensor of shape (T,)
        λ_t. A method acts on λ_t loss_t, or multiplies the weights it finds by λ_t where it would
        else undo it.

    Attributes
    ----------
    weight : Tensor of shape (T,)
        What the last step multiplied each task's loss by, λ_t included; NaN for a task without a
        label in the batch and in methods that give no weight. Recorded as the mean over the steps
        of an epoch.
    """

    task_weight: Tensor

    def __init__(self, task_weight: Tensor) -> None:
        super().__init__()
        self.register_buffer("task_weight", task_weight)
        self.weight = task_weight.detach()

    def backward(self, losses: Tensor, observed: Tensor | None, graph: LossGraph) -> None:
        """Add the step's gradients to the parameters, and set `weight`.

        Parameters
        ----------
        losses : Tensor of shape (T,)
            The batch's estimate of each task's mean loss, 0 where it has no label.
        observed : Tensor of shape (T,), bool, or None
            Tasks that the batch has a label for; None for all.
        graph : LossGraph
        """
        raise TypeError(f"{type(self).__name__} must define backward(losses, observed, graph).")

    def backward_weighted(self, losses: Tensor, observed: Tensor | None, weight: Tensor) -> None:
        """Differentiate sum_t weight_t loss_t over the tasks with a label, and set `weight`.

        Parameters
        ----------
        losses, observed
            As in `backward`.
        weight : Tensor of shape (T,)
        """
        if observed is None:
            losses.backward(weight)
            self.weight = weight
        else:
            losses.backward(weight.masked_fill(~observed, 0.0))
            self.weight = weight.masked_fill(~observed, torch.nan)

    def after_step(self, graph: LossGraph) -> None:
        """Do nothing; called after each optimiser step, with the graph of its last batch."""

    def after_epoch(self, losses: Tensor) -> None:
        """Do nothing; called after each epoch.

        Parameters
        ----------
        losses : Tensor of shape (T,)
            Each task's mean training loss in the epoch; NaN for a task without labels.
        """
