"""Trunks of which each belongs to one task, where each row has one task."""

import torch
from torch import Tensor, nn

from sklearn_mtl.nn.trunks import MLP


def own_trunks(trunks: nn.Module, x: Tensor, task: Tensor, n_tasks: int, each: int = 1) -> Tensor:
    """Return what the trunks of each row's own task give for it, shape (B, each, h).

    Parameters
    ----------
    trunks : nn.Module
        ``n_tasks * each`` trunks, those of a task side by side.
    x : Tensor of shape (B, ...)
    task : Tensor of shape (B,), int64
    """
    if not isinstance(trunks, MLP):
        # a user's module may compare the rows of a batch (BatchNorm): it is shown all, none padded
        values = trunks(x).unflatten(0, (n_tasks, each))
        return values[task, :, torch.arange(len(task), device=task.device)]
    rows = RowsByTask(task, n_tasks)
    values = trunks(repeated(rows.spread(x), each)).unflatten(0, (n_tasks, each))
    return rows.collect(values.transpose(1, 2))


def repeated(x: Tensor, each: int) -> Tensor:
    """Return x (T, ...) with every entry so many times in a row, (T * each, ...); a view for 1."""
    return x[:, None].expand(-1, each, *x.shape[1:]).flatten(0, 1)


class RowsByTask:
    """Rows of many tasks as a block of equal length for each task, filled up with zeros.

    One batched matrix product over the blocks costs (rows of the largest task) / (rows of the
    batch) of what all tasks on all rows would.

    Parameters
    ----------
    task : Tensor of shape (B,), int64
    n_tasks : int
    """

    def __init__(self, task: Tensor, n_tasks: int) -> None:
        count = torch.bincount(task, minlength=n_tasks)
        self.shape = (n_tasks, int(count.max()))
        order = task.argsort()
        first = count.cumsum(0) - count
        place = torch.empty_like(task)
        place[order] = torch.arange(len(task), device=task.device) - first[task[order]]
        self.slot = task * self.shape[1] + place

    def spread(self, x: Tensor) -> Tensor:
        """Return rows (B, ...) as blocks (T, M, ...)."""
        n_tasks, longest = self.shape
        blocks = x.new_zeros(n_tasks * longest, *x.shape[1:])
        return blocks.index_copy(0, self.slot, x).unflatten(0, self.shape)

    def collect(self, blocks: Tensor) -> Tensor:
        """Return blocks (T, M, ...) as rows (B, ...), the inverse of `spread`."""
        return blocks.flatten(0, 1).index_select(0, self.slot)
