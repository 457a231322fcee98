import torch
from torch import Tensor, nn


class StackedLinear(nn.Module):
    """n linear layers with weights of their own, as one batched matrix product.

    Parameters
    ----------
    copies : int
        n.
    n_inputs, n_outputs : int
    """

    def __init__(self, copies: int, n_inputs: int, n_outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(copies, n_inputs, n_outputs))
        self.bias = nn.Parameter(torch.zeros(copies, 1, n_outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Return x @ weight + bias: x (B, in), or (n, B, in), to (n, B, out)."""
        if x.ndim == 2:
            x = x.expand(len(self.weight), *x.shape)
        return torch.baddbmm(self.bias, x, self.weight)
