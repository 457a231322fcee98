from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from sklearn_mtl.nn.sharing._base import Representation, SharingModule
from sklearn_mtl.nn.trunks import MLP, Copies, TrunkFactory


class CrossStitchModule(SharingModule):
    """A trunk for each task; after each stage tasks read mixtures of one another.

    After stage l, with outputs h_1 … h_T, task t goes on with sum_s A^l_ts h_s. Without stages it
    has no unit, and tasks read the inputs.

    Parameters
    ----------
    make_trunk : TrunkFactory
    n_tasks : int
    own_weight : float
        A_tt at the start; the rest of 1 is spread over the other tasks.
    """

    def __init__(self, make_trunk: TrunkFactory, n_tasks: int, own_weight: float) -> None:
        super().__init__()
        self.stages = _stages(make_trunk(n_tasks), make_trunk.owner)
        start = torch.full((n_tasks, n_tasks), (1 - own_weight) / max(n_tasks - 1, 1))
        start.fill_diagonal_(own_weight if n_tasks > 1 else 1.0)
        self.units = nn.ParameterList([nn.Parameter(start.clone()) for _ in self.stages])
        self.n_tasks = n_tasks
        self.n_outputs = make_trunk.n_outputs

    def forward(self, x: Tensor) -> Representation:
        """Return the mixtures after the last stage, shape (T, B, h)."""
        last = self._last_stage(x)
        return Representation(_stitch(self.units[-1], last) if len(self.units) else last, last)

    def own(self, x: Tensor, task: Tensor) -> Representation:
        """Return each row's own mixture: the last unit costs 1 / T of that for all tasks.

        The stages before it cannot be spared: what one task reads there depends on all others.
        """
        last = self._last_stage(x)
        if not len(self.units):
            return Representation(last[0], last)
        mixture = torch.einsum("bt,tbh->bh", self.units[-1][task], last)
        return Representation(mixture, last)

    def shared_parameters(self) -> Iterator[nn.Parameter]:
        """Yield all but the last unit, of which a task has a row of its own."""
        yield from self.stages.parameters()
        yield from list(self.units)[:-1]

    def _last_stage(self, x: Tensor) -> Tensor:
        """Return the last stage's outputs (T, B, h), before its unit."""
        x = x.expand(self.n_tasks, *x.shape)
        for number, stage in enumerate(self.stages):
            x = stage(_stitch(self.units[number - 1], x) if number else x)
        return x


def _stitch(unit: Tensor, x: Tensor) -> Tensor:
    """Return sum_s unit_ts x_s, x of shape (T, B, ...)."""
    return (unit @ x.flatten(1)).view(x.shape)


class _Stage(nn.Module):
    """One stage of each task's module.

    Parameters
    ----------
    parts : sequence of nn.Module
    """

    def __init__(self, parts: Sequence[nn.Module]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)

    def forward(self, x: Tensor) -> Tensor:
        """Return (T, B, ...) of x (T, B, ...)."""
        return torch.stack([part(own) for part, own in zip(self.parts, x, strict=True)])


def _stages(trunks: nn.Module, owner: str) -> nn.ModuleList:
    """Return the stages of T trunks, each (T, B, ...) to (T, B, ...)."""
    if isinstance(trunks, MLP):
        return trunks.stages
    assert isinstance(trunks, Copies)
    modules = [member.module for member in trunks.members]
    if not isinstance(modules[0], nn.Sequential) or len(modules[0]) == 0:
        raise ValueError(
            "sharing='cross_stitch' mixes the tasks after each stage, and the stages of a module "
            f"are the children of an nn.Sequential; the module of {owner} is a "
            f"{type(modules[0]).__name__}. Write it as nn.Sequential(stage, stage, ...), or choose "
            "another sharing."
        )
    return nn.ModuleList(_Stage(parts) for parts in zip(*modules, strict=True))
