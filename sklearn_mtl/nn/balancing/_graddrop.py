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
        return self.of_sums(matrix.sum(dim=0), matrix.clamp(min=0).sum(dim=0))

    def of_sums(self, total: Tensor, positive: Tensor) -> Tensor:
        """Return the same from the sums over the tasks, of all entries and of the positive ones."""
        negative = total - positive
        # equation 1: the purity (1 + sum g / sum |g|) / 2 is the positive part's share
        size = positive - negative
        keeps_positive = torch.rand_like(size).mul_(size).lt_(positive)  # 1 or 0
        kept = torch.addcmul(negative, keeps_positive, size)
        return torch.lerp(kept, total, self.leak)
