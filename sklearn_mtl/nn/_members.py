from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from sklearn_mtl.nn._batches import Batch
from sklearn_mtl.nn._gradient import scale_gradient
from sklearn_mtl.nn._module import InputScaler, MultiTaskModule
from sklearn_mtl.nn.heads import GroupedHeads


class Members(nn.Module):
    """M networks of one form, each with weights of its own, trained side by side.

    Parameters and buffers are those of one network with a first axis of length M. A network runs
    on a member's slices of them: all members at once under ``torch.func.vmap``, whatever the
    sharing scheme, or one after another.

    The loss of a task is the mean over the members, so that a balancer sees what it would see of
    one network, and its gradient is that of their sum, so that each member's gradient is what it
    would be alone.

    Parameters
    ----------
    networks : sequence of MultiTaskModule
        M of them, which start apart. Their scalers are equal and stay one; the first becomes the
        one that is kept.
    batched : bool
        Whether to run all members at once. False for a user's own code, which may change buffers
        in place, branch on values, or do other things that cannot be batched.
    """

    def __init__(self, networks: Sequence[MultiTaskModule], *, batched: bool) -> None:
        super().__init__()
        network = networks[0]
        self.penalised = network.penalty() is not None
        for same in zip(*map(_own_tensors, networks), strict=True):
            same[0].data = torch.stack([tensor.detach() for tensor in same])
        self.network = network
        self.n_members = len(networks)
        self.batched = batched

    @property
    def scaler(self) -> InputScaler:
        """What scales the inputs of every member."""
        return self.network.scaler

    @property
    def sharing(self) -> nn.Module:
        """The sharing scheme, its tensors stacked."""
        return self.network.sharing

    @property
    def heads(self) -> GroupedHeads:
        """The heads, their tensors stacked."""
        return self.network.heads

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the parameters."""
        return self.network.dtype

    def forward(self, X: Tensor) -> Tensor:
        """Return outputs (M, B, n_outputs) of rows X (B, ...) as the caller has them."""
        scaled = self.network.scale(X)

        def outputs(network: MultiTaskModule) -> list[Tensor]:
            return [network.outputs(network.represent(scaled))]

        return self._each(outputs)[0]

    def own_outputs(self, X: Tensor, task: Tensor, places: Sequence[Tensor]) -> list[Tensor]:
        """Return the outputs of each row's own task, (M, B, 1) or (M, B, 1, K) a group."""
        scaled = self.network.scale(X)
        return self._each(lambda network: network.blocks(scaled, task, places)[0])

    def member_losses(
        self, batch: Batch, criterion: nn.Module, scale: Sequence[Tensor | None]
    ) -> tuple[Tensor, Tensor | None]:
        """Return each member's losses (M, T), and what the losses of all tasks go through.

        The second is (M, ...) or None, which it always is where members run one after another:
        stacked afterwards it would be no part of the losses' graph.
        """

        def losses(network: MultiTaskModule) -> list[Tensor]:
            values, common = network.task_losses(batch, criterion, scale)
            return [values] if common is None or not self.batched else [values, common]

        device = batch.X.device.type
        lower = None
        if self.batched and torch.is_autocast_enabled(device):
            # vmap looks past autocast: weights and inputs are rounded here instead
            lower = torch.get_autocast_dtype(device)
            batch = replace(batch, X=batch.X.to(lower))
        values, *common = self._each(losses, lower)
        return values, common[0] if common else None

    def task_losses(
        self, batch: Batch, criterion: nn.Module, scale: Sequence[Tensor | None]
    ) -> tuple[Tensor, Tensor | None]:
        """Return the losses (T,), and what the losses of all tasks go through."""
        losses, common = self.member_losses(batch, criterion, scale)
        return scale_gradient(losses.mean(0), self.n_members), common

    def traced_losses(
        self, batch: Batch, criterion: nn.Module, scale: Sequence[Tensor | None]
    ) -> tuple[Tensor, Tensor | None, None]:
        """Return what `task_losses` does, and None: outputs are inside the batched members."""
        return *self.task_losses(batch, criterion, scale), None

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the parameters that more than one task uses, those of all members stacked."""
        return self.network.shared_parameters()

    def penalty(self) -> Tensor | None:
        """Return the sum of what the sharing schemes of the members add to the objective."""
        if not self.penalised:
            return None
        return self._each(lambda network: [network.penalty()])[0].sum()  # type: ignore[list-item]

    def clip_gradients(self, longest: float) -> None:
        """Shorten the gradient of each member that is longer than that."""
        gradients = [p.grad for p in self.parameters() if p.grad is not None]
        norms = torch.stack([gradient.flatten(1).norm(dim=1) for gradient in gradients])
        # as clip_grad_norm_ does, which knows one network alone
        factor = (longest / (norms.norm(dim=0) + 1e-6)).clamp(max=1.0)
        for gradient in gradients:
            gradient.mul_(factor.view(-1, *[1] * (gradient.ndim - 1)))

    def _each(
        self, function: Callable[[MultiTaskModule], list[Tensor]], dtype: torch.dtype | None = None
    ) -> list[Tensor]:
        """Return what the function gives for every member, each of its tensors stacked.

        Parameters
        ----------
        dtype : torch.dtype, default=None
            What floating-point tensors are rounded to first.
        """
        network = _Called(self.network)
        stacked = {
            name: tensor if dtype is None or not tensor.is_floating_point() else tensor.to(dtype)
            for name, tensor in chain(network.named_parameters(), network.named_buffers())
            if not name.startswith("network.scaler.")
        }

        def one(tensors: dict[str, Tensor]) -> list[Tensor]:
            return functional_call(network, tensors, (function,))

        if self.batched:
            return vmap(one, randomness="different")(stacked)
        parts = []
        buffers = dict(network.named_buffers())
        for m, slices in enumerate(zip(*(t.unbind() for t in stacked.values()), strict=True)):
            tensors = dict(zip(stacked, slices, strict=True))
            parts.append(one(tensors))
            for name, before in zip(stacked, slices, strict=True):
                if tensors[name] is not before:  # a module gave its buffer a new tensor
                    buffers[name][m] = tensors[name].detach()
        return [torch.stack(same) for same in zip(*parts, strict=True)]


class _Called(nn.Module):
    """Gives a network to a function: what ``functional_call`` needs a module for."""

    def __init__(self, network: MultiTaskModule) -> None:
        super().__init__()
        self.network = network

    def forward(self, function: Callable[[MultiTaskModule], Any]) -> Any:
        """Return function(network)."""
        return function(self.network)


def _own_tensors(network: MultiTaskModule) -> list[Tensor]:
    parts = (network.sharing, network.heads)
    return [tensor for part in parts for tensor in chain(part.parameters(), part.buffers())]
