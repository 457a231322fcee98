from torch import Tensor
from torch.nn import functional

from sklearn_mtl.nn.losses._base import Loss


class CrossEntropy(Loss):
    """loss(z, y) = log(sum_k exp(z_k)) - z_y: minus the log-likelihood in nats.

    Parameters
    ----------
    smoothing : float, default=0.0
        z_y becomes (1 - smoothing) z_y + smoothing mean_k z_k.
    """

    def __init__(self, smoothing: float = 0.0) -> None:
        super().__init__()
        self.smoothing = smoothing

    def forward(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of logits (B, T, K) at class numbers (B, T), shape (B, T)."""
        return functional.cross_entropy(
            outputs.movedim(-1, 1), labels, reduction="none", label_smoothing=self.smoothing
        )
