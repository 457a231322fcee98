from torch import Tensor
from torch.nn import functional

from sklearn_mtl.nn.losses._base import Loss


class SquaredError(Loss):
    """loss(z, y) = (z - y)², with y in units of the task's standard deviation."""

    def forward(self, predictions: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of predictions (B, T) at labels (B, T), shape (B, T)."""
        return functional.mse_loss(predictions, labels, reduction="none")
