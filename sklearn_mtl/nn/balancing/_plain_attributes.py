from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

_OWN = frozenset(vars(nn.Module()))  # what every module has; its state_dict knows of these
_PLAIN = (bool, int, float, str)


def plain_attributes(module: nn.Module) -> dict[str, dict[str, Any]]:
    """Return what a module and its parts keep in plain attributes, which ``state_dict`` omits.

    Tensors, arrays, optimisers over the module's parameters, numbers, words, dtypes, and lists,
    tuples and dicts of these. Other attributes are no state, and left out: a module made the same
    way has them.

    Returns
    -------
    state : dict name of the part -> dict attribute -> tensor or plain Python
    """
    names = {parameter: name for name, parameter in module.named_parameters()}
    state: dict[str, dict[str, Any]] = {}
    for part, submodule in module.named_modules():
        own = {name: value for name, value in vars(submodule).items() if name not in _OWN}
        state[part] = {name: _pack(value, names) for name, value in own.items() if _is_state(value)}
    return state


def set_plain_attributes(
    module: nn.Module, state: dict[str, dict[str, Any]], device: torch.device
) -> None:
    """Give a module made the same way what `plain_attributes` returned."""
    parameters = dict(module.named_parameters())
    for part, submodule in module.named_modules():
        for attribute, packed in state[part].items():
            vars(submodule)[attribute] = _unpack(packed, parameters, device)


def _is_state(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_state(entry) for entry in value.values())
    if isinstance(value, (list, tuple)):
        return all(_is_state(entry) for entry in value)
    if isinstance(value, np.ndarray):
        return value.dtype != object
    types = (*_PLAIN, Tensor, torch.dtype, torch.device, torch.optim.Optimizer)
    return value is None or isinstance(value, types)


def _pack(value: Any, names: dict[nn.Parameter, str]) -> Any:
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, list):
        return [_pack(entry, names) for entry in value]
    # what arrays and plain Python cannot tell apart is held as a dict of one key, its type
    if isinstance(value, tuple):
        return {"tuple": [_pack(entry, names) for entry in value]}
    if isinstance(value, dict):
        return {"dict": {key: _pack(entry, names) for key, entry in value.items()}}
    if isinstance(value, np.ndarray):
        return {"ndarray": torch.from_numpy(value.copy())}
    if isinstance(value, torch.dtype):
        return {"dtype": str(value).removeprefix("torch.")}
    if isinstance(value, torch.device):
        return {"device": None}  # the one that it is loaded on
    if isinstance(value, torch.optim.Optimizer):
        groups = [[names[parameter] for parameter in g["params"]] for g in value.param_groups]
        return {"optimizer": [type(value).__name__, groups, value.state_dict()]}
    return value


def _unpack(packed: Any, parameters: dict[str, nn.Parameter], device: torch.device) -> Any:
    if isinstance(packed, Tensor):
        return packed.to(device)
    if isinstance(packed, list):
        return [_unpack(entry, parameters, device) for entry in packed]
    if not isinstance(packed, dict):
        return packed
    ((kind, value),) = packed.items()
    if kind == "tuple":
        return tuple(_unpack(entry, parameters, device) for entry in value)
    if kind == "dict":
        return {key: _unpack(entry, parameters, device) for key, entry in value.items()}
    if kind == "ndarray":
        return value.cpu().numpy()
    if kind == "dtype":
        return getattr(torch, value)
    if kind == "device":
        return device
    name, groups, state = value
    optimizer = getattr(torch.optim, name)(
        [{"params": [parameters[entry] for entry in group]} for group in groups]
    )
    optimizer.load_state_dict(state)
    return optimizer
