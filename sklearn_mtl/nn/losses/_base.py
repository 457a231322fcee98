from collections.abc import Callable, Mapping
from typing import ClassVar

from torch import Tensor, nn

from sklearn_mtl.nn.losses._activations import ACTIVATIONS


class Loss(nn.Module):
    """A loss of each label: ``loss(outputs, labels)``, elementwise over rows and tasks.

    Attributes
    ----------
    activations : mapping str -> callable (Tensor) -> Tensor
        What outputs may pass through before, for losses of numbers.
    """

    activations: ClassVar[Mapping[str, Callable[[Tensor], Tensor]]] = ACTIVATIONS

    def elements(self, outputs: Tensor, labels: Tensor, hidden: Tensor | None) -> Tensor:
        """Return the loss of each label, 0 where none is observed.

        Parameters
        ----------
        outputs : Tensor of shape (B, T) or (B, T, K)
        labels : Tensor of shape (B, T)
        hidden : Tensor of shape (B, T), bool, or None
            Where no label is observed; None where all are.
        """
        if hidden is None:
            return self(outputs, labels)
        # rows are selected, not multiplied by zero: an infinite output there stays out, of the
        # loss and of its gradient
        unseen = hidden if outputs.ndim == labels.ndim else hidden[..., None]
        return self(outputs.masked_fill(unseen, 0.0), labels).masked_fill(hidden, 0.0)
