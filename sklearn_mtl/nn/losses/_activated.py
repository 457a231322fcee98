from collections.abc import Callable

from torch import Tensor

from sklearn_mtl.nn.losses._base import Loss


class ActivatedLoss(Loss):
    """loss(a(z), y): outputs z pass through an activation a.

    Parameters
    ----------
    loss : Loss
    activation : callable (Tensor) -> Tensor
    """

    def __init__(self, loss: Loss, activation: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.loss = loss
        self.activation = activation

    def forward(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of outputs (B, T) at labels (B, T), shape (B, T)."""
        return self.loss(self.activation(outputs), labels)
