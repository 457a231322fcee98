from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sklearn_mtl.tasks._spec import TaskSpec


@dataclass(frozen=True, eq=False)
class OutputGroup:
    """Tasks of one kind and width, which a head computes and a loss reads as one block.

    Attributes
    ----------
    kind : {"regression", "binary", "multiclass"}
    tasks : ndarray of shape (T_g,)
        Task numbers.
    width : int
        Outputs a task, K.
    start : int
        First output column of the block, which has T_g * K columns.
    """

    kind: str
    tasks: np.ndarray
    width: int
    start: int

    @property
    def columns(self) -> slice:
        """The block's columns among all outputs."""
        return slice(self.start, self.start + len(self.tasks) * self.width)


def group_outputs(tasks: Sequence[TaskSpec]) -> list[OutputGroup]:
    """Return the tasks as blocks of one kind and width, in order of first appearance."""
    members: dict[tuple[str, int], list[int]] = {}
    for t, task in enumerate(tasks):
        members.setdefault((task.kind, task.n_outputs), []).append(t)
    groups, start = [], 0
    for (kind, width), numbers in members.items():
        groups.append(OutputGroup(kind, np.array(numbers), width, start))
        start += len(numbers) * width
    return groups
