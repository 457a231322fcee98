import torch
from torch import Tensor, nn
from torch.nn import functional

STEPS = 2**16  # values that 16 random bits take


class Dropout(nn.Dropout):
    """``nn.Dropout`` with cheap random numbers on the CPU.

    There torch draws a float64 for each unit, which takes longer than the matrix products of a
    small network. Here 64 random bits decide on four units: the share left out is `p` to a
    precision of 2^-17, and what is kept is divided by exactly the share that is kept.

    Parameters
    ----------
    p : float in [0, 1)
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return x with units left out at random while training, else x."""
        if not self.training or x.device.type != "cpu":
            return functional.dropout(x, self.p, self.training)
        n_kept = max(1, round((1 - self.p) * STEPS))
        n = x.numel()
        bits = torch.randint(-(2**63), 2**63 - 1, (-(-n // 4),)).view(torch.int16)[:n]
        kept = (bits < n_kept - STEPS // 2).view(x.shape)
        return x * kept.to(x.dtype).mul_(STEPS / n_kept)
