from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sklearn_mtl.nn.heads import GroupedHeads
from sklearn_mtl.nn.sharing import Sharing


class InputScaler(nn.Module):
    """(x - mean) / scale in the precision that x comes in, then in that of the network.

    Kept in float64 where the device has it, so that features with a large mean lose no digits.

    Parameters
    ----------
    mean, scale : Tensor of shape (p,)
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)

    def forward(self, x: Tensor) -> Tensor:
        """Return the standardised rows."""
        return (x - self.mean) / self.scale


class MultiTaskModule(nn.Module):
    """Input scaling, a sharing scheme over trunks, and the heads of all tasks.

    Called on rows (B, p) it gives every output (B, n_outputs), in the units that the losses see:
    standardised values, log-odds, logits.
    """

    def __init__(self, scaler: InputScaler, sharing: Sharing, heads: GroupedHeads) -> None:
        super().__init__()
        self.scaler = scaler
        self.sharing = sharing
        self.heads = heads

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the parameters."""
        return self.heads.weight.dtype

    def scale(self, x: Tensor) -> Tensor:
        """Return standardised rows in the network's precision."""
        return self.scaler(x).to(self.dtype)

    def represent(self, scaled: Tensor) -> Tensor:
        """Return what the heads read, from standardised rows."""
        return self.sharing(scaled)

    def forward(self, X: Tensor) -> Tensor:
        """Return outputs (B, n_outputs) of rows X (B, p) as the caller has them."""
        return self.heads(self.represent(self.scale(X)))

    def own_outputs(self, X: Tensor, places: Sequence[Tensor]) -> list[Tensor]:
        """Return the outputs of each row's own task, (B, 1) or (B, 1, K) a group."""
        return self.heads.own_blocks(self.represent(self.scale(X)), places)
