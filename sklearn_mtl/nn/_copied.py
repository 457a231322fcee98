from copy import deepcopy
from typing import Any

from torch import nn
from torch.nn.parameter import UninitializedBuffer


def copied(module: Any) -> Any:
    """Return a deep copy of a module, lazily shaped layers included, or of another object."""
    memo: dict[int, Any] = {}
    if isinstance(module, nn.Module):
        for buffer in module.buffers():
            if isinstance(buffer, UninitializedBuffer):  # torch can copy such parameters alone
                memo[id(buffer)] = UninitializedBuffer(  # type: ignore[call-arg]
                    device=buffer.data.device,
                    dtype=buffer.data.dtype,
                    persistent=buffer.persistent,
                )
    return deepcopy(module, memo)
