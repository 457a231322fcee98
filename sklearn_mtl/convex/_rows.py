from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from sklearn_mtl.tasks import TaskSpec


@dataclass(frozen=True, eq=False)
class CoefRows:
    """Which task each row of W belongs to, and which rows a penalty may tie.

    A regression or binary task has one row, a task of K > 2 classes has K.

    Attributes
    ----------
    names : list of T hashables
        Task names.
    task : ndarray of shape (M,)
        The task of each row of W.
    block : ndarray of shape (M,)
        Rows of one block are the same output of different tasks: all regression and binary tasks
        together, and one block for each class of the multiclass tasks with the same classes.
    """

    names: list[Hashable]
    task: np.ndarray
    block: np.ndarray

    @property
    def n_tasks(self) -> int:
        """Number of tasks, T."""
        return len(self.names)

    @property
    def n_rows(self) -> int:
        """Number of rows of W, M."""
        return len(self.task)

    @property
    def blocks(self) -> list[np.ndarray]:
        """The rows of each block."""
        return [np.flatnonzero(self.block == b) for b in range(int(self.block.max()) + 1)]

    def of_task(self, task: int) -> np.ndarray:
        """Return the rows of W that belong to `task`."""
        return np.flatnonzero(self.task == task)


def coef_rows(tasks: Sequence[TaskSpec]) -> CoefRows:
    """Return the rows of W for these tasks, in their order.

    Parameters
    ----------
    tasks : sequence of TaskSpec

    Returns
    -------
    rows : CoefRows
    """
    widths = [task.n_outputs for task in tasks]
    first_block: dict[tuple, int] = {}
    n_blocks, block = 0, list[int]()
    for task, width in zip(tasks, widths, strict=True):
        key = () if width == 1 else tuple(task.classes.tolist())  # type: ignore[union-attr]
        if key not in first_block:
            first_block[key], n_blocks = n_blocks, n_blocks + width
        block.extend(range(first_block[key], first_block[key] + width))
    return CoefRows(
        [task.name for task in tasks], np.repeat(np.arange(len(tasks)), widths), np.array(block)
    )
