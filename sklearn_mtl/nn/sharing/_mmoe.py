from collections.abc import Iterator

import torch
from torch import Tensor, nn

from sklearn_mtl.nn.sharing._base import Representation, SharingModule
from sklearn_mtl.nn.sharing._experts import Gates, make_experts, mix
from sklearn_mtl.nn.trunks import TrunkFactory


class MMoEModule(SharingModule):
    """r_t = sum_e softmax(V_t x)_e f_e(x): each task weighs the same experts by its own gate.

    Parameters
    ----------
    make_trunk : TrunkFactory
        Makes the experts f_e.
    n_tasks, n_experts : int
    """

    def __init__(self, make_trunk: TrunkFactory, n_tasks: int, n_experts: int) -> None:
        super().__init__()
        self.experts = make_experts(make_trunk, n_experts)
        self.gates = Gates(n_tasks, n_experts, make_trunk.n_inputs)
        self.n_outputs = make_trunk.n_outputs

    def forward(self, x: Tensor) -> Representation:
        """Return the mixture of each task, shape (T, B, h)."""
        experts = self.experts(x)
        return Representation(mix(self.gates(x), experts), experts)

    def own(self, x: Tensor, task: Tensor) -> Representation:
        """Return the mixture of each row's own gate; see `SharingModule.own`."""
        experts = self.experts(x)
        weights = self.gates.own(x, task)
        return Representation(torch.einsum("be,ebh->bh", weights, experts), experts)

    def shared_parameters(self) -> Iterator[nn.Parameter]:
        """Yield the experts' parameters: a gate belongs to one task."""
        return self.experts.parameters()
