import math

import numpy as np
import torch
from torch import Tensor, nn


class PeriodicModule(nn.Module):
    """x beside sin(2π c x) and cos(2π c x), with learned frequencies c for each feature.

    Parameters
    ----------
    n_features : int
        p.
    columns : ndarray of int
        The features that get frequencies, q of them.
    n_frequencies : int
        k.
    scale : float
        Standard deviation of the frequencies at the start.
    copies : int or None
        None: (B, p) to (B, p + 2 q k). An int n: n embeddings, to (n, B, p + 2 q k).
    """

    columns: Tensor

    def __init__(
        self,
        n_features: int,
        columns: np.ndarray,
        n_frequencies: int,
        scale: float,
        copies: int | None,
    ) -> None:
        super().__init__()
        lead = () if copies is None else (copies, 1)
        self.copies = copies
        self.frequency = nn.Parameter(scale * torch.randn(*lead, len(columns), n_frequencies))
        self.register_buffer("columns", torch.tensor(columns, dtype=torch.int64))
        self.n_outputs = n_features + 2 * len(columns) * n_frequencies

    def forward(self, x: Tensor) -> Tensor:
        """Return x and its waves, shape (B, k), or (n, B, k) for n copies."""
        if self.copies is not None and x.ndim == 2:
            x = x.expand(self.copies, *x.shape)
        angle = (x[..., self.columns, None] * (2 * math.pi * self.frequency)).flatten(-2)
        return torch.cat([x, angle.sin(), angle.cos()], dim=-1)
