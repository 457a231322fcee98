from torch import Tensor
from torch.nn import functional

from sklearn_mtl.nn.losses._base import Loss


class LogisticLoss(Loss):
    """loss(z, y) = log(1 + exp(z)) - y z, y in {0, 1}: minus the log-likelihood in nats.

    Parameters
    ----------
    smoothing : float, default=0.0
        y becomes (1 - smoothing) y + smoothing / 2.
    """

    def __init__(self, smoothing: float = 0.0) -> None:
        super().__init__()
        self.smoothing = smoothing

    def forward(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of logits (B, T) at labels (B, T), shape (B, T)."""
        if self.smoothing:
            labels = (1.0 - self.smoothing) * labels + 0.5 * self.smoothing
        return functional.binary_cross_entropy_with_logits(outputs, labels, reduction="none")
