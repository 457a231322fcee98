from torch import Tensor
from torch.nn import functional

from sklearn_mtl.nn.losses._base import Loss


class AbsoluteError(Loss):
    """loss(z, y) = |z - y|, with y in units of the task's standard deviation."""

    def forward(self, predictions: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of predictions (B, T) at labels (B, T), shape (B, T)."""
        return functional.l1_loss(predictions, labels, reduction="none")
