"""Fitted state as numpy arrays and plain Python: no torch object, no device."""

from typing import Any

import numpy as np
import torch

from sklearn_mtl.nn._net import MultiTaskNet


def export_state(net: MultiTaskNet) -> dict[str, Any]:
    """Return copies of the weights, the balancer's and the optimiser's state."""
    return {
        "module": _to_numpy(net.module_.state_dict()),
        "criterion": _to_numpy(net.criterion_.state_dict()),
        "optimizer": _to_numpy(net.optimizer_.state_dict()),
        "history": [dict(epoch) for epoch in net.history],
    }


def import_state(net: MultiTaskNet, state: dict[str, Any]) -> None:
    """Give an initialised net the state that `export_state` returned, or its weights alone."""
    net.module_.load_state_dict(_to_torch(state["module"]))
    if "optimizer" not in state:
        return
    net.criterion_.load_state_dict(_to_torch(state["criterion"]))
    net.optimizer_.load_state_dict(_to_torch(state["optimizer"]))
    net.history.extend(state["history"])


def _to_numpy(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().numpy().copy()
    if isinstance(value, dict):
        return {key: _to_numpy(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_to_numpy(entry) for entry in value]
    return value


def _to_torch(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    if isinstance(value, dict):
        return {key: _to_torch(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_to_torch(entry) for entry in value]
    return value
