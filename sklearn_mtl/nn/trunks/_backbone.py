"""Trunks made of the user's own module."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn


def make_backbone(module: Any, module_params: Mapping[str, Any] | None) -> nn.Module:
    """Return a module of the user's: a class or factory is called, an instance copied."""
    params = dict(module_params or {})
    if isinstance(module, nn.Module):
        return deepcopy(module)  # its weights are kept, and the caller's object left alone
    return module(**params)


class Copies(nn.Module):
    """n modules with weights of their own, run one after another.

    Parameters
    ----------
    modules : list of nn.Module
        Each maps (B, ...) to (B, h).
    """

    def __init__(self, modules: list[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(modules)

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs (n, B, h) of x (B, ...)."""
        return torch.stack([member(x) for member in self.members])
