from torch import Tensor
from torch.nn import functional


class CrossEntropy:
    """loss(z, y) = log(sum_k exp(z_k)) - z_y: minus the log-likelihood in nats."""

    def __call__(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of logits (B, T, K) at class numbers (B, T), shape (B, T)."""
        return functional.cross_entropy(outputs.movedim(-1, 1), labels, reduction="none")
