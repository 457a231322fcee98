from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from sklearn_mtl.nn.sharing._base import Representation, SharingModule
from sklearn_mtl.nn.sharing._experts import Gates, make_experts, mix
from sklearn_mtl.nn.sharing._own_trunks import own_trunks, repeated
from sklearn_mtl.nn.trunks import MLP, TrunkFactory


class PLEModule(SharingModule):
    """Levels of experts, some shared, some of one task; see `CustomizedGateControl`.

    The experts of the first level are trunks; those of higher levels are one layer as wide as a
    trunk's output.

    Parameters
    ----------
    make_trunk : TrunkFactory
    n_tasks, n_shared, n_specific, n_levels : int
    """

    def __init__(
        self, make_trunk: TrunkFactory, n_tasks: int, n_shared: int, n_specific: int, n_levels: int
    ) -> None:
        super().__init__()
        width = make_trunk.n_outputs

        def layers(copies: int) -> nn.Module:
            return MLP(width, (width,), make_trunk.activation, make_trunk.dropout, copies=copies)

        def trunks(copies: int) -> nn.Module:
            return make_experts(make_trunk, copies)

        self.levels = nn.ModuleList(
            CustomizedGateControl(
                layers if level else trunks,
                n_tasks,
                n_shared,
                n_specific,
                width if level else make_trunk.n_inputs,
                is_last=level == n_levels - 1,
            )
            for level in range(n_levels)
        )
        self.n_outputs = width

    def forward(self, x: Tensor) -> Representation:
        """Return the last level's mixture of each task, shape (T, B, h)."""
        shared, own = self._below_last(x)
        values, _, experts = self.levels[-1](shared, own)
        return Representation(values, self._common(experts))

    def own(self, x: Tensor, task: Tensor) -> Representation:
        """Return the mixture of each row's own task; see `SharingModule.own`.

        Specific experts of the last level see the rows of their task alone; those below feed the
        shared experts above them, and see all.
        """
        shared, own = self._below_last(x)
        row = x if own is None else own[task, torch.arange(len(task), device=task.device)]
        values, experts = self.levels[-1].own(shared, row, task)  # type: ignore[operator]
        return Representation(values, self._common(experts))

    def shared_parameters(self) -> Iterator[nn.Parameter]:
        """Yield what reaches the losses of several tasks."""
        for above, level in enumerate(reversed(self.levels)):
            yield from level.shared_parameters(above)  # type: ignore[operator]

    def _below_last(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        shared, own = x, None
        for level in self.levels[:-1]:
            own, shared, _ = level(shared, own)
        return shared, own

    def _common(self, experts: Tensor) -> Tensor | None:
        # with levels below, what tasks share reaches their losses through specific experts too
        return experts if len(self.levels) == 1 else None


class CustomizedGateControl(nn.Module):
    """One level: task t weighs its own experts and the shared ones by a gate of its own.

    r_t = sum_e g_te(x_t) f_e, over the experts f_te(x_t) of task t and the shared f_e(x_0); and
    for the next level x_0 = sum_e g_0e(x_0) f_e over all experts. Tang et al. 2020, eq. 1-6.

    Parameters
    ----------
    make_layers : callable (copies) -> nn.Module
    n_tasks, n_shared, n_specific, n_inputs : int
    is_last : bool
        Whether no level reads the shared mixture x_0.
    """

    def __init__(
        self,
        make_layers: Callable[[int], nn.Module],
        n_tasks: int,
        n_shared: int,
        n_specific: int,
        n_inputs: int,
        is_last: bool,
    ) -> None:
        super().__init__()
        self.n_tasks, self.n_specific = n_tasks, n_specific
        self.shared = make_layers(n_shared)
        self.specific = make_layers(n_tasks * n_specific) if n_specific else None
        self.gates = Gates(n_tasks, n_specific + n_shared, n_inputs)
        n_experts = n_tasks * n_specific + n_shared
        self.shared_gate = None if is_last else Gates(1, n_experts, n_inputs)

    def forward(self, x: Tensor, own: Tensor | None) -> tuple[Tensor, Tensor | None, Tensor]:
        """Return the tasks' mixtures (T, B, h), the shared one (B, h) and the shared experts.

        Parameters
        ----------
        x : Tensor of shape (B, ...)
            What the shared experts read.
        own : Tensor of shape (T, B, p), or None
            What each task reads; None for x.
        """
        shared = everything = self.shared(x)
        weights = self.gates(x) if own is None else self.gates.each(own)
        values = mix(weights[..., self.n_specific :], shared)
        if self.specific is not None:
            specific = self.specific(x if own is None else repeated(own, self.n_specific))
            experts = specific.unflatten(0, (self.n_tasks, self.n_specific))
            # (T, S, B, 1); einsum would take a product for each row
            by_task = weights[..., : self.n_specific].permute(1, 2, 0)[..., None]
            values = values + (by_task * experts).sum(1)
            if self.shared_gate is not None:
                everything = torch.cat([specific, shared])
        mixture = None
        if self.shared_gate is not None:
            mixture = mix(self.shared_gate(x), everything)[0]
        return values, mixture, shared

    def own(self, x: Tensor, row: Tensor, task: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mixture of each row's own task (B, h), and the shared experts.

        Parameters
        ----------
        x, row : Tensor of shape (B, ...)
            What the shared experts read, and what each row's task does.
        task : Tensor of shape (B,), int64
        """
        shared = self.shared(x)
        weights = self.gates.own(row, task)
        values = torch.einsum("be,ebh->bh", weights[:, self.n_specific :], shared)
        if self.specific is not None:
            experts = own_trunks(self.specific, row, task, self.n_tasks, self.n_specific)
            values = values + torch.einsum("bs,bsh->bh", weights[:, : self.n_specific], experts)
        return values, shared

    def shared_parameters(self, above: int) -> Iterator[nn.Parameter]:
        """Yield the parameters that several tasks use, given the number of levels above."""
        yield from self.shared.parameters()
        if self.shared_gate is not None:
            yield from self.shared_gate.parameters()
            if self.specific is not None:
                yield from self.specific.parameters()
        # a gate reaches other tasks through specific experts above it that a shared gate weighs
        if above > 1 and self.specific is not None:
            yield from self.gates.parameters()
