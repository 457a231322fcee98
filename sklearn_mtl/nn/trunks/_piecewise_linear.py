from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn


class PiecewiseLinearModule(nn.Module):
    """x beside its place in the bins of each feature.

    Parameters
    ----------
    n_features : int
        p.
    edges : dict int -> ndarray
        Rising edges of the bins of a feature; J bins in all.
    copies : int or None
        None: (B, p) to (B, p + J). An int n: (B, p) or (n, B, p) to (n, B, p + J), the same bins
        for all.
    """

    feature: Tensor
    lower: Tensor
    width: Tensor
    least: Tensor
    most: Tensor

    def __init__(
        self, n_features: int, edges: Mapping[int, np.ndarray], copies: int | None
    ) -> None:
        super().__init__()
        nothing = [np.empty(0)]
        first = [np.arange(len(at) - 1) == 0 for at in edges.values()]
        last = [flags[::-1] for flags in first]
        bins = {
            "feature": np.repeat([*edges], [len(at) - 1 for at in edges.values()]),
            "lower": np.concatenate([at[:-1] for at in edges.values()] or nothing),
            "width": np.concatenate([np.diff(at) for at in edges.values()] or nothing),
            # beyond the outermost edges the line goes on
            "least": np.where(np.concatenate(first or nothing), -np.inf, 0.0),
            "most": np.where(np.concatenate(last or nothing), np.inf, 1.0),
        }
        for name, values in bins.items():
            dtype = torch.int64 if name == "feature" else torch.get_default_dtype()
            self.register_buffer(name, torch.tensor(values, dtype=dtype))
        self.copies = copies
        self.n_outputs = n_features + len(self.lower)

    def forward(self, x: Tensor) -> Tensor:
        """Return x and its place in the bins, shape (B, k), or (n, B, k) for n copies."""
        if self.copies is not None and x.ndim == 2:
            x = x.expand(self.copies, *x.shape)
        place = (x[..., self.feature] - self.lower) / self.width
        return torch.cat([x, place.clamp(self.least, self.most)], dim=-1)
