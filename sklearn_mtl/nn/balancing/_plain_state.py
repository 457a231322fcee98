"""The state of torchjd's objects: plain attributes, which no ``state_dict`` has."""

import io
from numbers import Number
from typing import Any

import numpy as np
import torch
from torch import nn

_MODULE_ATTRIBUTES = set(vars(nn.Module()))


def pack_state(module: nn.Module) -> bytes:
    """Return the attributes, buffers and parameters of a module and of those it holds.

    What is no number, text, tensor, array or container of these is left out: the module is made
    with it anew. Bytes carry tuples and types of numbers through where arrays alone would not.
    """
    buffer = io.BytesIO()
    torch.save({path: _own_state(part) for path, part in module.named_modules()}, buffer)
    return buffer.getvalue()


def unpack_state(module: nn.Module, state: bytes, device: torch.device) -> None:
    """Give a module the state that `pack_state` returned of one made the same way."""
    parts = torch.load(io.BytesIO(state), map_location=device, weights_only=False)
    for path, part in module.named_modules():
        for name, value in parts.get(path, {}).items():
            if name in part._parameters and part._parameters[name] is not None:
                part._parameters[name].data.copy_(value)  # type: ignore[union-attr]
            elif name in part._buffers:
                part._buffers[name] = value
            else:
                part.__dict__[name] = value


def _own_state(module: nn.Module) -> dict[str, Any]:
    values = {k: v for k, v in vars(module).items() if k not in _MODULE_ATTRIBUTES}
    values |= module._buffers
    values |= {k: None if v is None else v.detach() for k, v in module._parameters.items()}
    return {name: value for name, value in values.items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_plain(entry) for pair in value.items() for entry in pair)
    if isinstance(value, (list, tuple, set)):
        return all(_is_plain(entry) for entry in value)
    if isinstance(value, np.ndarray):
        return value.dtype != object
    known = (Number, str, bytes, torch.Tensor, torch.dtype, np.generic)
    return value is None or isinstance(value, known)
