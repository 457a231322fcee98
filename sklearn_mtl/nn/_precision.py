from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from sklearn_mtl.nn._gradient import scale_gradient

# words of the `precision` parameter -> what matrix products are computed in
PRECISIONS: dict[str, torch.dtype | None] = {
    "32": None,
    "bf16": torch.bfloat16,
    "16": torch.float16,
}


class Precision:
    """In which precision a training step computes.

    float16 has no numbers below 6e-8: losses then send back gradients multiplied by a large number,
    which grows until gradients overflow; a step that overflowed is left out (Micikevicius et al.,
    "Mixed Precision Training", 2018, section 3.2).

    Parameters
    ----------
    lower : torch.dtype or None
        What matrix products are computed in; None for the precision of the weights.
    device : torch.device
    """

    def __init__(self, lower: torch.dtype | None, device: torch.device) -> None:
        self.lower = lower
        self.device = device
        # losses are near 1 by their units: a large first factor would cost the first steps
        self.scaler = torch.amp.GradScaler(
            device.type, init_scale=2.0**10, enabled=lower is torch.float16
        )

    @property
    def factor(self) -> Tensor | None:
        """What `scaled` multiplies gradients by; None where it leaves them."""
        if not self.scaler.is_enabled():
            return None
        return self.scaler.scale(torch.ones((), device=self.device))

    def autocast(self) -> AbstractContextManager[Any]:
        """Return what the losses are to be computed in."""
        if self.lower is None:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=self.lower)

    def scaled(self, losses: Tensor) -> Tensor:
        """Return the losses, their gradients to the network large enough for the precision."""
        factor = self.factor
        return losses if factor is None else scale_gradient(losses, factor)

    def unscale(self, optimizer: torch.optim.Optimizer, balancer: nn.Module) -> None:
        """Undo what `scaled` did to the gradients of the network and of what losses learn."""
        factor = self.factor
        if factor is None:
            return
        for parameter in balancer.parameters():  # never scaled, but the scaler divides these too
            if parameter.grad is not None:
                parameter.grad *= factor
        self.scaler.unscale_(optimizer)

    def step(self, optimizer: torch.optim.Optimizer) -> None:
        """Take the optimiser's step, or leave it out where gradients overflowed."""
        self.scaler.step(optimizer)
        self.scaler.update()


def check_precision(precision: str, dtype: torch.dtype, owner: str) -> torch.dtype | None:
    """Return what a `precision` parameter names; a ValueError if it does not fit the dtype."""
    lower = PRECISIONS[precision]
    if lower is not None and dtype == torch.float64:
        raise ValueError(
            f"precision={precision!r} rounds to 16 bits what dtype='float64' keeps in 64; give "
            f"{owner} dtype='float32' for mixed precision, or precision='32' to compute in float64."
        )
    return lower
