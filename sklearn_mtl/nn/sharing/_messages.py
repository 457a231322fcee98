"""What a task can read of another: its soft prediction, or its representation."""

from collections.abc import Callable, Sequence
from itertools import groupby

import torch
from torch import Tensor

from sklearn_mtl.nn.heads import GroupedHeads
from sklearn_mtl.tasks import TaskSpec

# kind of task -> what its outputs (n, B, K) say, between 0 and 1 for classes
_SOFT: dict[str, Callable[[Tensor], Tensor]] = {
    "regression": lambda outputs: outputs,
    "binary": torch.sigmoid,
    "multiclass": lambda outputs: outputs.softmax(-1),
}


class Messages:
    """What tasks tell those that read them.

    Parameters
    ----------
    tasks : sequence of TaskSpec
    width : int
        h, the width of a representation.
    """

    def __init__(self, tasks: Sequence[TaskSpec], width: int) -> None:
        self.tasks = tasks
        self.width = width

    def needs_tower(self) -> bool:
        """Return whether a task has nothing of its own to tell before it has a residual."""
        raise TypeError(f"{type(self).__name__} must define needs_tower().")

    def size(self, task: int) -> int:
        """Return how many numbers the message of a task has."""
        raise TypeError(f"{type(self).__name__} must define size(task).")

    def __call__(
        self, tasks: Sequence[int], representation: Tensor, heads: GroupedHeads
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Return messages (numbers, B), those of the tasks one after another, and their outputs.

        Outputs (numbers, B) are those of the heads; there are none where these were not asked.

        Parameters
        ----------
        tasks : sequence of n int
        representation : Tensor of shape (n, B, h), or (B, h) where all have the same
        """
        raise TypeError(f"{type(self).__name__} must define __call__.")


class Predictions(Messages):
    """A number in the units that its loss sees, or the probabilities of classes."""

    def needs_tower(self) -> bool:
        """Return that a head is enough."""
        return False

    def size(self, task: int) -> int:
        """Return the number of outputs."""
        return self.tasks[task].n_outputs

    def __call__(
        self, tasks: Sequence[int], representation: Tensor, heads: GroupedHeads
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Return the predictions and the outputs of those tasks; see `Messages`."""
        runs = [
            (kind, list(run))
            for (kind, _), run in groupby(tasks, lambda t: (self.tasks[t].kind, self.size(t)))
        ]
        own = [representation] * len(runs)
        if representation.ndim == 3:
            own = list(representation.split([len(run) for _, run in runs]))
        outputs = [
            heads.task_outputs(run, values) for (_, run), values in zip(runs, own, strict=True)
        ]
        soft = [_SOFT[kind](values) for (kind, _), values in zip(runs, outputs, strict=True)]
        return [values.mT.flatten(0, 1) for values in soft], [
            values.mT.flatten(0, 1) for values in outputs
        ]


class Representations(Messages):
    """What the head reads."""

    def needs_tower(self) -> bool:
        """Return that without a residual all tasks have the same."""
        return True

    def size(self, task: int) -> int:
        """Return h."""
        return self.width

    def __call__(
        self, tasks: Sequence[int], representation: Tensor, heads: GroupedHeads
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Return the representations of those tasks; see `Messages`."""
        return [representation.mT.flatten(0, 1)], []


MESSAGES: dict[str, type[Messages]] = {
    "prediction": Predictions,
    "representation": Representations,
}
