from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from sklearn_mtl.tasks._data import group_rows


class TaskSampler:
    """Draws the rows of an epoch so that each batch has its share of every task.

    A batch of B rows holds ⌊B p_t⌋ or ⌈B p_t⌉ rows of task t, B p_t on average: the tasks at the
    points (u + k) / B, k = 0 … B - 1, of the cumulated shares, with u uniform in [0, 1) (systematic
    sampling). Within a task rows come in a shuffled order, each once until all have come, from one
    epoch into the next.

    Parameters
    ----------
    task_index : ndarray of shape (n,)
    observed : ndarray of shape (n,), bool
        Rows that have a label, which alone are drawn.
    share : ndarray of shape (T,)
        p_t, of sum 1; 0 for a task without labelled rows.

    References
    ----------
    Madow and Madow, "On the theory of systematic sampling, I", The Annals of Mathematical
    Statistics 15, 1944.
    """

    def __init__(self, task_index: np.ndarray, observed: np.ndarray, share: np.ndarray) -> None:
        rows = group_rows(task_index, len(share))
        present = np.flatnonzero(share)
        self.rows = [torch.from_numpy(rows[t][observed[rows[t]]]) for t in present]
        self.waiting = [own[:0] for own in self.rows]
        self.bounds = torch.from_numpy(np.cumsum(share[present]))

    def draw(self, sizes: Sequence[int]) -> Tensor:
        """Return row numbers for batches of those sizes, one after another."""
        starts = torch.rand(len(sizes), dtype=torch.float64).tolist()
        points = [
            (start + torch.arange(size, dtype=torch.float64)) / size
            for start, size in zip(starts, sizes, strict=True)
        ]
        # the last bound is 1 but for rounding
        tasks = torch.searchsorted(self.bounds[:-1], torch.cat(points), right=True)
        counts = torch.bincount(tasks, minlength=len(self.rows)).tolist()
        drawn = torch.empty_like(tasks)
        drawn[tasks.argsort(stable=True)] = torch.cat(
            [self._take(task, count) for task, count in enumerate(counts)]
        )
        return drawn

    def _take(self, task: int, count: int) -> Tensor:
        rows, waiting = self.rows[task], self.waiting[task]
        n_shuffles = -(-max(count - len(waiting), 0) // len(rows))
        shuffled = [rows[torch.randperm(len(rows))] for _ in range(n_shuffles)]
        line = torch.cat([waiting, *shuffled])
        self.waiting[task] = line[count:]
        return line[:count]
