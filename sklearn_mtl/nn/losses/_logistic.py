from torch import Tensor
from torch.nn import functional


class LogisticLoss:
    """loss(z, y) = log(1 + exp(z)) - y z, y in {0, 1}: minus the log-likelihood in nats."""

    def __call__(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of logits (B, T) at labels (B, T), shape (B, T)."""
        return functional.binary_cross_entropy_with_logits(outputs, labels, reduction="none")
