from collections.abc import Callable
from typing import Any, Self

from torch import Tensor, nn

from sklearn_mtl.nn.balancing._base import Balancer
from sklearn_mtl.nn.balancing._plain_state import load_plain_state, plain_state


class TorchjdBalancer(Balancer):
    """A balancer that asks a torchjd scalarizer or aggregator.

    These keep much of their state in plain attributes, which this class puts into ``state_dict``
    and takes along to another device.

    Parameters
    ----------
    task_weight : Tensor of shape (T,)
    method : torchjd Scalarizer or Aggregator
    """

    def __init__(self, task_weight: Tensor, method: nn.Module) -> None:
        super().__init__(task_weight)
        self.method = method
        self.to(task_weight)

    def get_extra_state(self) -> dict[str, Any]:
        """Return the method's plain attributes."""
        return plain_state(self.method)

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Set the method's plain attributes."""
        load_plain_state(self.method, state, self.task_weight.device)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        super()._apply(fn, recurse)
        for part in self.method.modules():
            for attribute, value in vars(part).items():
                if isinstance(value, Tensor):
                    vars(part)[attribute] = fn(value)
        return self
