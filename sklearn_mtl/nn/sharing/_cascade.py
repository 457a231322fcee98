from collections.abc import Iterator, Sequence
from graphlib import TopologicalSorter
from itertools import chain

import torch
from torch import Tensor, nn
from torch.nn import functional

from sklearn_mtl.nn.heads import GroupedHeads
from sklearn_mtl.nn.sharing._base import DependentSharingModule, Representation
from sklearn_mtl.nn.sharing._messages import MESSAGES
from sklearn_mtl.nn.trunks import ACTIVATIONS, TrunkFactory
from sklearn_mtl.tasks import TaskSpec


class CascadeModule(DependentSharingModule):
    """One trunk; a task adds to its output what it makes of the tasks that it reads.

    r_t = z + W2_t act(W1_t [z, m_s for the tasks s that t reads] + b_t), with W2_t = 0 at the
    start; r_t = z for a task that reads none. Where representations are read, tasks that are read
    have a residual too, of z alone: without one there would be nothing of theirs to read.

    Tasks of one depth in the graph are computed at once.

    Parameters
    ----------
    make_trunk : TrunkFactory
    tasks : sequence of TaskSpec
    parents : sequence of sequence of int
        The tasks that each task reads; without a cycle.
    reads : {"prediction", "representation"}
        What m_s is.
    width : int
        Units of a residual.
    detach : bool
        Whether the losses of a task leave alone the tasks that it reads.
    """

    position: Tensor | None

    def __init__(
        self,
        make_trunk: TrunkFactory,
        tasks: Sequence[TaskSpec],
        parents: Sequence[Sequence[int]],
        reads: str,
        width: int,
        detach: bool,
    ) -> None:
        super().__init__()
        self.trunk = make_trunk()
        self.n_outputs = make_trunk.n_outputs
        self.detach = detach
        self.messages = MESSAGES[reads](tasks, self.n_outputs)
        self.read = set(chain.from_iterable(parents))
        with_tower = {t for t, reading in enumerate(parents) if reading}
        if self.messages.needs_tower():
            with_tower |= self.read
        self.bare = [t for t in range(len(tasks)) if t not in with_tower]
        depths = [[t for t in depth if t in with_tower] for depth in _depths(parents)]
        self.steps = [step for step in depths if step]
        self.towers = nn.ModuleList()
        rows: dict[int, range] = {}
        n_rows = 1  # row 0 of what is told is zero: it fills up what reads less than others
        for step in (self.bare, *self.steps):
            columns = [[row for s in parents[t] for row in rows[s]] for t in step]
            if step is not self.bare:
                activation = ACTIVATIONS[make_trunk.activation]()
                self.towers.append(Towers(self.n_outputs, width, columns, activation))
            if self.read.isdisjoint(step):
                continue  # nobody listens, and they tell nothing
            for t in step:
                rows[t] = range(n_rows, n_rows + self.messages.size(t))
                n_rows = rows[t].stop
        self.order = list(chain(self.bare, *self.steps))
        in_order = self.order == sorted(self.order)
        position = None if in_order else torch.tensor(self.order).argsort()
        self.register_buffer("position", position, persistent=False)

    def forward(self, x: Tensor, heads: GroupedHeads | None = None) -> Representation:
        """Return what each task makes of the trunk's output and of those before it, (T, B, h).

        Without dependencies it is the trunk's output (B, h).

        Parameters
        ----------
        x : Tensor of shape (B, ...)
        heads : GroupedHeads
            The heads of the network, whose predictions tasks read.
        """
        shared = self.trunk(x)
        if not self.read:
            return Representation(shared, shared)
        parts = [shared.expand(len(self.bare), *shared.shape)]
        messages, outputs = self._told(self.bare, shared, heads)
        # shape[0], not len: a graph that is exported takes any number of rows
        told = [shared.new_zeros(1, shared.shape[0]), *messages]
        for step, towers in zip(self.steps, self.towers, strict=True):
            parts.append(towers(shared, torch.cat(told)))
            messages, made = self._told(step, parts[-1], heads)
            told += messages
            outputs += made
        values = torch.cat(parts)
        if self.position is not None:
            values = values.index_select(0, self.position)
        return Representation(values, shared, self._in_place(outputs, heads))

    def shared_parameters(self) -> Iterator[nn.Parameter]:
        """Yield the trunk's parameters, and those of residuals that other tasks learn through."""
        yield from self.trunk.parameters()
        for step, towers in zip(self.steps, self.towers, strict=True):
            if not self.detach and not self.read.isdisjoint(step):
                yield from towers.parameters()

    def _told(
        self, step: list[int], values: Tensor, heads: GroupedHeads | None
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Return what the tasks of a step tell those after them, and what their heads made.

        Both (numbers, B).
        """
        messages, outputs = self.messages(step, values, heads)  # type: ignore[arg-type]
        if self.read.isdisjoint(step):
            return [], outputs
        return [message.detach() for message in messages] if self.detach else messages, outputs

    def _in_place(self, outputs: list[Tensor], heads: GroupedHeads | None) -> Tensor | None:
        """Return outputs in the order of the steps as the heads have them, (B, n_outputs)."""
        if not outputs:  # heads were not asked
            return None
        together = torch.cat(outputs)
        columns = [column for t in self.order for column in heads.columns[t]]  # type: ignore[union-attr]
        if columns != sorted(columns):
            place = torch.tensor(columns, device=together.device).argsort()
            together = together.index_select(0, place)
        return together.T


class Towers(nn.Module):
    """r_t = z + W2_t act(W1_t [z, m_t] + b_t), for n tasks.

    Parameters
    ----------
    n_inputs : int
        h, the width of z.
    width : int
    columns : list over the n tasks of list of int
        The rows of what is told that each reads; row 0 is zero.
    activation : nn.Module
    """

    columns: Tensor

    def __init__(
        self, n_inputs: int, width: int, columns: list[list[int]], activation: nn.Module
    ) -> None:
        super().__init__()
        n, most = len(columns), max(map(len, columns))
        filled = torch.tensor([row + [0] * (most - len(row)) for row in columns]).long()
        alike = bool((filled == filled[0]).all())
        # (D,) where all read the same, else (n, D)
        self.register_buffer("columns", filled[0] if alike else filled, persistent=False)
        # the first row where all read the same rows one after another, which are a view then
        start = columns[0][0] if most else 0
        in_a_row = alike and columns[0] == list(range(start, start + most))
        self.first = start if in_a_row else None
        fan_in = torch.tensor([n_inputs + len(row) for row in columns])
        std = (2.0 / fan_in).sqrt()[:, None, None]
        self.inner = nn.Parameter(std * torch.randn(n, width, n_inputs + most))
        self.bias = nn.Parameter(torch.zeros(n, width, 1))
        self.outer = nn.Parameter(torch.zeros(n, width, n_inputs))
        self.activation = activation

    def forward(self, shared: Tensor, told: Tensor) -> Tensor:
        """Return r (n, B, h) of z (B, h) and what other tasks told, (rows, B)."""
        if self.first is None:
            messages = told.index_select(0, self.columns.flatten())
            messages = messages.view(*self.columns.shape, shared.shape[0])
        else:
            messages = told.narrow(0, self.first, len(self.columns))
        # W1 [z, m] in two products: z would have to be copied for one
        of_shared, of_messages = self.inner.split([shared.shape[1], messages.shape[-2]], dim=-1)
        hidden = functional.linear(shared, of_shared.flatten(0, 1), self.bias.flatten())
        if messages.ndim == 2:  # all read the same: one product, faster than a batch of them
            hidden = torch.addmm(hidden, messages.T, of_messages.flatten(0, 1).T)
        hidden = hidden.unflatten(1, self.bias.shape[:2]).transpose(0, 1)
        if messages.ndim == 3:
            hidden = torch.baddbmm(hidden, messages.mT, of_messages.mT)
        hidden = self.activation(hidden)
        if len(hidden) == 1:
            return torch.addmm(shared, hidden[0], self.outer[0])[None]
        return torch.baddbmm(shared, hidden, self.outer)


def _depths(parents: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the tasks that read none, those that read these alone, and so on."""
    sorter = TopologicalSorter(dict(enumerate(parents)))
    sorter.prepare()
    depths = []
    while sorter.is_active():
        ready = sorter.get_ready()
        sorter.done(*ready)
        depths.append(sorted(ready))
    return depths
