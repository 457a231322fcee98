from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sklearn_mtl.tasks._outputs import OutputGroup


class GroupedHeads(nn.Module):
    """Linear heads of all tasks as one matrix, tasks of one kind and width side by side.

    Weights start at zero and biases at the task's base rate, so that an untrained network predicts
    the mean and the class frequencies, and no task's start depends on its place among the others.

    Parameters
    ----------
    n_inputs : int
        Width of the representation, h.
    groups : sequence of OutputGroup
    bias : Tensor of shape (n_outputs,)
        Starting biases.
    """

    def __init__(self, n_inputs: int, groups: Sequence[OutputGroup], bias: Tensor) -> None:
        super().__init__()
        self.groups = tuple(groups)
        self.sizes = [len(group.tasks) * group.width for group in groups]
        self.columns = {
            int(task): range(start, start + group.width)
            for group in groups
            for task, start in zip(
                group.tasks, range(group.start, len(bias), group.width), strict=False
            )
        }
        order = [int(t) for group in groups for t in group.tasks for _ in range(group.width)]
        # the task of each output; None where they are the tasks in order
        self.task_of_output = None if order == sorted(set(order)) else order
        self.weight = nn.Parameter(torch.zeros(len(bias), n_inputs, dtype=bias.dtype))
        self.bias = nn.Parameter(bias.clone())

    def forward(self, representation: Tensor) -> Tensor:
        """Return every output of every row, shape (B, n_outputs), in group order.

        Parameters
        ----------
        representation : Tensor of shape (B, h), or (T, B, h) with one for each task
        """
        if representation.ndim == 2:
            return functional.linear(representation, self.weight, self.bias)
        parts = [self.group_outputs(g, representation) for g in range(len(self.groups))]
        return torch.cat([part.movedim(0, 1).flatten(1) for part in parts], dim=1)

    def group_outputs(self, g: int, representation: Tensor) -> Tensor:
        """Return the outputs of group g, shape (T_g, B, K), from representations (T, B, h)."""
        group = self.groups[g]
        tasks, width = len(group.tasks), group.width
        weight = self.weight[group.columns].view(tasks, width, -1)
        bias = self.bias[group.columns].view(tasks, 1, width)
        whole = len(self.groups) == 1  # then the group's tasks are all, in order
        values = representation if whole else representation[group.tasks.tolist()]
        return torch.baddbmm(bias, values, weight.mT)

    def task_outputs(self, tasks: Sequence[int], representation: Tensor) -> Tensor:
        """Return the outputs of some tasks of one width K, shape (n, B, K).

        Parameters
        ----------
        tasks : sequence of n int
        representation : Tensor of shape (B, h), or (n, B, h) with one for each of them
        """
        columns: Any = [column for task in tasks for column in self.columns[task]]
        if columns == list(range(columns[0], columns[-1] + 1)):
            columns = slice(columns[0], columns[-1] + 1)  # a view
        weight, bias = self.weight[columns], self.bias[columns]
        if len(tasks) == 1:
            representation = representation.flatten(0, -2)
        if representation.ndim == 2:
            outputs = functional.linear(representation, weight, bias)
            return outputs.unflatten(1, (len(tasks), -1)).transpose(0, 1)
        weight, bias = weight.unflatten(0, (len(tasks), -1)), bias.view(len(tasks), 1, -1)
        return torch.baddbmm(bias, representation, weight.mT)

    def blocks(self, outputs: Tensor) -> list[Tensor]:
        """Return outputs (B, n_outputs) as one view (B, T_g) or, if wider than 1, (B, T_g, K)."""
        parts = [outputs] if len(self.groups) == 1 else outputs.split(self.sizes, dim=1)
        return [
            part if group.width == 1 else part.unflatten(1, (len(group.tasks), group.width))
            for group, part in zip(self.groups, parts, strict=True)
        ]

    def own_blocks(self, representation: Tensor, places: Sequence[Tensor]) -> list[Tensor]:
        """Return the outputs of each row's own task alone, (B, 1) or (B, 1, K) a group.

        Parameters
        ----------
        representation : Tensor of shape (B, h)
        places : list over groups of Tensor (B,), int64
            The place of the row's task within the group, 0 for rows of other groups (whose
            outputs mean nothing).
        """
        blocks = []
        for group, place in zip(self.groups, places, strict=True):
            tasks, width = len(group.tasks), group.width
            # cost B K h, whatever the number of tasks
            weight = functional.embedding(place, self.weight[group.columns].view(tasks, -1))
            bias = functional.embedding(place, self.bias[group.columns].view(tasks, width))
            own = torch.einsum("bh,bkh->bk", representation, weight.view(len(place), width, -1))
            block = own + bias
            blocks.append(block if width == 1 else block[:, None])
        return blocks
