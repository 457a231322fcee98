"""What outputs pass through before a loss of numbers."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

# below this log(1 + exp(z)) is exp(z) to float64, and its own logarithm is lost sooner
_SMALL = -40.0


def identity(outputs: Tensor) -> Tensor:
    """Return the outputs."""
    return outputs


def _log_softplus(outputs: Tensor) -> Tensor:
    # both branches are finite, and so are their gradients
    large = functional.softplus(outputs.clamp_min(_SMALL)).log()
    return torch.where(outputs < _SMALL, outputs, large)


ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "identity": identity,
    "exp": torch.exp,
    "softplus": functional.softplus,
    "sigmoid": torch.sigmoid,
}
# for losses of the logarithm of predictions
LOG_ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "exp": identity,
    "softplus": _log_softplus,
}
