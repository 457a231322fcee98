import torch
from torch import Tensor
from torchjd.aggregation import Aggregator


class GradDropAggregator(Aggregator):
    """In each coordinate keeps the gradients of one sign, drawn by how much of each there is.

    torchjd's, with two passes over the Jacobian in place of one for each task.

    Parameters
    ----------
    leak : float
        Share of every gradient that is let through.
    """

    def __init__(self, leak: float) -> None:
        super().__init__()
        self.leak = leak

    def forward(self, matrix: Tensor, /) -> Tensor:
        """Return a vector (n,) of a matrix (S, n)."""
        total = matrix.sum(dim=0)
        positive = matrix.clamp(min=0).sum(dim=0)
        negative = total - positive
        # equation 1: the purity (1 + sum g / sum |g|) / 2 is the positive part's share
        purity = positive / (positive - negative)
        kept = torch.where(purity > torch.rand_like(purity), positive, negative)
        return self.leak * total + (1.0 - self.leak) * kept
