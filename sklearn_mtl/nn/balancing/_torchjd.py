from collections.abc import Callable
from typing import Any, Self

import torch
from torch import Tensor, nn

from sklearn_mtl.nn.balancing._base import Balancer
from sklearn_mtl.nn.balancing._plain_attributes import plain_attributes, set_plain_attributes


class TorchjdBalancer(Balancer):
    """A balancer that asks a torchjd scalarizer or aggregator.

    These keep much of their state in plain attributes, which this class puts into ``state_dict``
    and takes along to another device.

    Parameters
    ----------
    task_weight : Tensor of shape (T,)
    method : torchjd Scalarizer or Aggregator
    """

    method: Any

    def __init__(self, task_weight: Tensor, method: nn.Module) -> None:
        super().__init__(task_weight)
        self.method = method
        self.to(task_weight)

    def get_extra_state(self) -> dict[str, Any]:
        """Return the method's plain attributes."""
        return plain_attributes(self.method)

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Set the method's plain attributes."""
        set_plain_attributes(self.method, state, self.task_weight.device)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        super()._apply(fn, recurse)
        for part in self.method.modules():
            for attribute, value in vars(part).items():
                if isinstance(value, Tensor):
                    vars(part)[attribute] = fn(value)
        return self

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        # buffers that are None until the first step, which torch would refuse to load
        for path, part in self.method.named_modules(prefix=f"{prefix}method"):
            for name, value in part._buffers.items():
                saved = state_dict.get(f"{path}.{name}")
                if value is None and saved is not None:
                    part._buffers[name] = torch.empty_like(saved)
        super()._load_from_state_dict(state_dict, prefix, *args)
