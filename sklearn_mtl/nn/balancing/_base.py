from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(slots=True, eq=False)
class LossGraph:
    """What a balancer may differentiate.

    Attributes
    ----------
    representation : Tensor of shape (B, h)
        What the heads read.
    sharing : nn.Module
        Whose parameters more than one task uses.
    """

    representation: Tensor
    sharing: nn.Module


class Balancer(nn.Module):
    """Turns the losses of the tasks into gradients. Its state is its ``state_dict``.

    Parameters
    ----------
    task_weight : Tensor of shape (T,)
        λ_t.
    """

    task_weight: Tensor

    def __init__(self, task_weight: Tensor) -> None:
        super().__init__()
        self.register_buffer("task_weight", task_weight)

    def backward(self, losses: Tensor, observed: Tensor | None, graph: LossGraph) -> None:
        """Add the step's gradients to the parameters.

        Parameters
        ----------
        losses : Tensor of shape (T,)
            The batch's estimate of each task's mean loss, 0 where it has no label.
        observed : Tensor of shape (T,), bool, or None
            Tasks that the batch has a label for; None for all.
        graph : LossGraph
        """
        raise TypeError(f"{type(self).__name__} must define backward(losses, observed, graph).")

    def after_step(self) -> None:
        """Do nothing; called after each optimiser step."""

    def after_epoch(self, losses: Tensor) -> None:
        """Do nothing; called with each task's mean training loss (T,) after each epoch."""
