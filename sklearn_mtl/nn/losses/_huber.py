from torch import Tensor
from torch.nn import functional

from sklearn_mtl.nn.losses._base import Loss


class Huber(Loss):
    """loss(z, y) = (z - y)² / 2 where |z - y| < 1, else |z - y| - 1/2.

    With y in units of the task's standard deviation, beyond which errors count in proportion.

    References
    ----------
    Huber, "Robust Estimation of a Location Parameter", Annals of Mathematical Statistics 35, 1964.
    """

    def forward(self, predictions: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of predictions (B, T) at labels (B, T), shape (B, T)."""
        return functional.huber_loss(predictions, labels, reduction="none")
