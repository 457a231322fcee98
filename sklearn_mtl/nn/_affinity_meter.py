from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class AffinityMeter:
    """How much a step for one task lowers the losses of the others, averaged over steps.

    On a batch X, with θ_s what tasks share, θ_j what task j has alone and η the learning rate,

        Z_ij = 1 - L_j(X; θ_s - η ∇_θs L_i(X), θ_j) / L_j(X; θ_s, θ_j)

    (Fifty et al., "Efficiently Identifying Task Groupings for Multi-Task Learning", NeurIPS 2021,
    eq. 1). The step looked ahead along is that of plain gradient descent whatever the optimiser,
    and task weights have no part in it. A pair counts on the batches that hold labels of both, at
    a positive L_j. Of several networks side by side the losses are means over them, and each takes
    its own step.

    A measurement costs a forward and a backward pass a task beside those of the step. It draws
    the numbers that the step is about to draw, so that dropout is the same in all losses compared,
    and leaves weights, buffers and generators as they were.

    Parameters
    ----------
    every : int
        Measure on each batch whose number, counted from 1, is a multiple of this.
    """

    def __init__(self, every: int) -> None:
        self.every = every
        self.n_batches = 0
        self.total: Tensor | None = None
        self.count: Tensor | None = None

    def due(self) -> bool:
        """Count a batch; return whether it is one to measure on."""
        self.n_batches += 1
        return self.n_batches % self.every == 0

    def measure(
        self,
        losses: Callable[[], Tensor],
        observed: Tensor | None,
        module: nn.Module,
        shared: Sequence[nn.Parameter],
        optimizer: torch.optim.Optimizer,
    ) -> None:
        """Add the affinities on one batch.

        Parameters
        ----------
        losses : callable () -> Tensor of shape (T,)
            The losses of the batch, at the parameters of the moment.
        observed : Tensor of shape (T,), bool, or None
            Tasks that the batch has a label for; None for all.
        module : nn.Module
        shared : sequence of nn.Parameter
            What tasks share, θ_s; frozen ones stay where they are.
        optimizer : torch.optim.Optimizer
            Knows the learning rate of each parameter.
        """
        rate = {p: group["lr"] for group in optimizer.param_groups for p in group["params"]}
        moved = [p for p in shared if p.requires_grad and p in rate]
        if not moved:
            return
        with replayed(module, moved[0].device) as again:
            before = again(losses)
            rows = []
            for i in range(len(before)):
                gradients = torch.autograd.grad(
                    before[i], moved, retain_graph=True, allow_unused=True
                )
                with torch.no_grad(), stepped(moved, gradients, rate):
                    rows.append(again(losses))
        before = before.detach().double()
        affinity = 1.0 - torch.stack(rows).double() / before
        counts = (before > 0).expand_as(affinity)
        if observed is not None:
            counts = counts & observed & observed[:, None]
        if self.total is None or self.count is None:
            self.total, self.count = torch.zeros_like(affinity), torch.zeros_like(affinity)
        self.total += torch.where(counts, affinity, 0.0)
        self.count += counts

    def take(self) -> Tensor | None:
        """Return the mean (T, T) since the last call, NaN for pairs not met; None without any."""
        if self.total is None or self.count is None:
            return None
        mean = self.total / self.count
        self.total = self.count = None
        return mean


@contextmanager
def stepped(
    parameters: Sequence[nn.Parameter],
    gradients: Sequence[Tensor | None],
    rate: dict[nn.Parameter, float],
) -> Iterator[None]:
    """Take a step of gradient descent for the block; the parameters come back bit by bit."""
    pairs = [(p, g) for p, g in zip(parameters, gradients, strict=True) if g is not None]
    kept = [parameter.data for parameter, _ in pairs]
    try:
        for parameter, gradient in pairs:
            # not in place: the graph of the losses is still to be differentiated
            parameter.data = parameter.data - rate[parameter] * gradient
        yield
    finally:
        for (parameter, _), value in zip(pairs, kept, strict=True):
            parameter.data = value


@contextmanager
def replayed(
    module: nn.Module, device: torch.device
) -> Iterator[Callable[[Callable[[], Tensor]], Tensor]]:
    """Let functions run again and again, each time with the same random numbers and buffers.

    Buffers (such as the running means of BatchNorm) and generators are left as they were.
    """
    cuda = [device] if device.type == "cuda" else []
    kept = [
        (part, name, buffer)
        for part in module.modules()
        for name, buffer in part._buffers.items()
        if buffer is not None
    ]
    with torch.random.fork_rng(devices=cuda):
        start = torch.get_rng_state()
        on_device = torch.cuda.get_rng_state(device) if cuda else None

        def again(function: Callable[[], Tensor]) -> Tensor:
            torch.set_rng_state(start)
            if on_device is not None:
                torch.cuda.set_rng_state(on_device, device)
            for part, name, buffer in kept:
                part._buffers[name] = buffer.clone()
            return function()

        try:
            yield again
        finally:
            for part, name, buffer in kept:
                part._buffers[name] = buffer
