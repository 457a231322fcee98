"""Experts, and the gates that weigh them."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from sklearn_mtl.nn.trunks import Copies, TrunkFactory, start_equal


class Gates(nn.Module):
    """softmax(V_g x) over the experts, for each gate g.

    They start at V = 0: every expert weighs the same, and no task's start depends on its place
    among the others. Experts start apart, so that gates part with the first steps.

    Parameters
    ----------
    n_gates : int
        G.
    n_experts : int
        E.
    n_inputs : int
    """

    def __init__(self, n_gates: int, n_experts: int, n_inputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(n_gates, n_experts, n_inputs))

    def forward(self, x: Tensor) -> Tensor:
        """Return the weights (B, G, E) for inputs x (B, ...) that all gates read."""
        logits = functional.linear(x.flatten(1), self.weight.flatten(0, 1))
        return logits.unflatten(1, self.weight.shape[:2]).softmax(-1)

    def each(self, x: Tensor) -> Tensor:
        """Return the weights (B, G, E) for an input of each gate's own, x (G, B, p)."""
        return torch.bmm(x, self.weight.mT).transpose(0, 1).softmax(-1)

    def own(self, x: Tensor, gate: Tensor) -> Tensor:
        """Return the weights (B, E) of one gate a row, gate (B,), for inputs x (B, ...)."""
        weight = self.weight.index_select(0, gate)  # cost B E p, whatever the number of gates
        return torch.bmm(weight, x.flatten(1)[..., None])[..., 0].softmax(-1)


def mix(weights: Tensor, experts: Tensor) -> Tensor:
    """Return sum_e weights_bge experts_ebh, shape (G, B, h)."""
    return torch.bmm(weights, experts.transpose(0, 1)).transpose(0, 1)


def make_experts(make_trunk: TrunkFactory, n_experts: int) -> nn.Module:
    """Return n trunks that start apart: equal ones would have equal gradients, and stay equal."""
    experts = make_trunk(n_experts)
    if isinstance(experts, Copies) and n_experts > 1 and start_equal(*experts.members[:2]):
        raise ValueError(
            "sharing needs experts that start apart, but the module of "
            f"{make_trunk.owner} gives each the same weights, so that they would stay equal; "
            "pass module= a class or a function that makes new weights in each call."
        )
    return experts
