import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, repeat
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklearn_mtl.nn._sampling import TaskSampler
from sklearn_mtl.nn._stream import StreamedInputs
from sklearn_mtl.tasks._outputs import OutputGroup
from sklearn_mtl.tasks._streamed import StreamedRows


@dataclass(slots=True, eq=False)
class Batch:
    """Rows on the device, with labels a block for each group of tasks.

    Attributes
    ----------
    X : Tensor of shape (B, p)
        Standardised inputs.
    labels : list over groups of Tensor (B, T_g), or (B, 1) where a row has one task
    hidden : list over groups of Tensor like labels, bool, or None
        Where no label is observed; None where the whole block is.
    weights : list over groups of Tensor like labels, or None
    task : Tensor of shape (B,), int64, or None
        Number of the row's task, where a row has one task.
    places : list over groups of Tensor (B,), int64, or None
        The place of the row's task in the group (0 in rows of other groups), where a row has
        one task.
    """

    X: Tensor
    labels: list[Tensor]
    hidden: list[Tensor | None]
    weights: list[Tensor | None]
    task: Tensor | None
    places: list[Tensor] | None

    def __len__(self) -> int:
        return len(self.X)

    def at(self, rows: Tensor) -> "Batch":
        """Return a copy of the rows with those numbers, in that order."""
        columns = [None if c is None else c.index_select(0, rows) for c in self._columns()]
        return self._with(columns)

    def split(self, sizes: list[int]) -> Iterator["Batch"]:
        """Yield consecutive batches of those sizes: views, made in one call a column."""
        columns = [repeat(None) if c is None else c.split(sizes) for c in self._columns()]
        return map(self._with, zip(*columns, strict=False))

    def _columns(self) -> list[Tensor | None]:
        columns = [self.X, *self.labels, *self.hidden, *self.weights, self.task]
        return [*columns, *(self.places or ())]

    def _with(self, columns: Sequence[Any]) -> "Batch":
        g = len(self.labels)
        places = list(columns[2 + 3 * g :]) or None
        return Batch(
            columns[0],
            list(columns[1 : 1 + g]),
            list(columns[1 + g : 1 + 2 * g]),
            list(columns[1 + 2 * g : 1 + 3 * g]),
            columns[1 + 3 * g],
            places,
        )


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """Rows to train or validate on, and what makes batch losses estimate the objective.

    The objective takes the mean over the observed rows of each task. With c_t = n / sum_i w_ti
    the mean over *all* rows of a batch of c_t w_ti loss_ti estimates it without bias, whatever is
    missing, with no count a batch. Where tasks are sampled, each with a share p_t of the rows
    drawn, c_t = (n_t / p_t) / sum_i w_ti, with n_t the labelled rows of task t.

    Attributes
    ----------
    rows : Batch
        All rows. Where inputs are streamed, its X (n,) holds row numbers.
    scale : list over groups of Tensor (T_g,)
        c_t; 0 for a task without labels here.
    present : Tensor of shape (T,), bool
        Tasks that have a label here.
    sampler : TaskSampler or None
        What draws the rows of an epoch; None takes each once.
    inputs : StreamedInputs or None
        What reads X of a batch; None where all of it is in `rows`.
    """

    rows: Batch
    scale: list[Tensor]
    present: Tensor
    sampler: TaskSampler | None = None
    inputs: StreamedInputs | None = None

    def __len__(self) -> int:
        return len(self.rows)


def make_rows(
    X: np.ndarray | StreamedRows,
    labels: np.ndarray,
    observed: np.ndarray,
    weights: np.ndarray | None,
    task_index: np.ndarray | None,
    groups: Sequence[OutputGroup],
    n_tasks: int,
    scaler: torch.nn.Module,
    dtype: torch.dtype,
    device: torch.device,
    task_share: np.ndarray | None = None,
) -> TrainingRows:
    """Move rows to the device once, in the form that batches are cut from.

    Parameters
    ----------
    X : ndarray of shape (n, p) or StreamedRows
    labels, observed, weights : ndarray of shape (n, T), or (n,) with `task_index`
    task_index : ndarray of shape (n,) or None
    task_share : ndarray of shape (T,), default=None
        p_t: draw that share of the rows from task t; with `task_index` alone. None takes each row
        once an epoch.
    """
    inputs = None
    if isinstance(X, StreamedRows):
        inputs = StreamedInputs(X, scaler, dtype, device)
        scaled = torch.arange(len(X), device=device)
    else:
        scaled = torch.empty(X.shape, dtype=dtype, device=device)
        step = rows_at_once(X.shape[1:])
        with torch.no_grad():
            for start in range(0, len(X), step):
                scaled[start : start + step] = scaler(as_input(X[start : start + step], device))
    blocks = [
        _block(group, labels, observed, weights, task_index, n_tasks, dtype, device)
        for group in groups
    ]
    rows = Batch(
        scaled,
        [block.labels for block in blocks],
        [block.hidden for block in blocks],
        [block.weights for block in blocks],
        None if task_index is None else torch.tensor(task_index, device=device),
        None if task_index is None else [block.place for block in blocks],  # type: ignore[misc]
    )
    present = np.zeros(n_tasks, bool)
    for group, block in zip(groups, blocks, strict=True):
        present[group.tasks] = block.total > 0
    sampler, drawn_for = None, np.full(n_tasks, float(len(X)))
    if task_share is not None:
        assert task_index is not None, "rows with labels of all tasks are drawn alike"
        sampler = TaskSampler(task_index, observed, task_share)
        count = np.bincount(task_index[observed], minlength=n_tasks)
        drawn_for = np.divide(count, task_share, out=np.zeros(n_tasks), where=task_share > 0)
    scale = [
        np.divide(
            drawn_for[group.tasks],
            block.total,
            out=np.zeros(len(block.total)),
            where=block.total > 0,
        )
        for group, block in zip(groups, blocks, strict=True)
    ]
    return TrainingRows(
        rows,
        [torch.as_tensor(c, dtype=dtype, device=device) for c in scale],
        torch.as_tensor(present, device=device),
        sampler,
        inputs,
    )


@dataclass(frozen=True, eq=False)
class _Block:
    labels: Tensor
    hidden: Tensor | None
    weights: Tensor | None
    place: Tensor | None
    total: np.ndarray  # sum of the weights of each task


def _block(
    group: OutputGroup,
    labels: np.ndarray,
    observed: np.ndarray,
    weights: np.ndarray | None,
    task_index: np.ndarray | None,
    n_tasks: int,
    dtype: torch.dtype,
    device: torch.device,
) -> _Block:
    """Return the part of the labels that one group of tasks has."""
    place = None
    if task_index is None:
        first, last = int(group.tasks[0]), int(group.tasks[-1])
        # neighbours are a view; columns from here and there a copy
        adjacent = last - first + 1 == len(group.tasks)
        columns: Any = slice(first, last + 1) if adjacent else group.tasks
        seen, values = observed[:, columns], labels[:, columns]
    else:
        number = np.full(n_tasks, -1)
        number[group.tasks] = np.arange(len(group.tasks))
        place = number[task_index]
        columns = None
        seen, values = (observed & (place >= 0))[:, None], np.where(place >= 0, labels, 0)[:, None]
    complete = bool(seen.all())
    mass = None if weights is None else np.where(seen, weights[:, columns], 0.0)
    if place is not None:
        counted = seen[:, 0] if mass is None else mass[:, 0]
        total = np.bincount(np.maximum(place, 0), counted, minlength=len(group.tasks))
    else:
        total = (seen if mass is None else mass).sum(axis=0, dtype=np.float64)
    kind = torch.int64 if group.kind == "multiclass" else dtype
    return _Block(
        torch.as_tensor(values, device=device).to(kind).contiguous(),
        None if complete else torch.as_tensor(~seen, device=device),
        None if mass is None else torch.as_tensor(mass, dtype=dtype, device=device),
        None if place is None else torch.as_tensor(np.maximum(place, 0), device=device),
        total,
    )


def as_input(X: np.ndarray, device: torch.device) -> Tensor:
    """Return X on the device, in its own precision where the device has that."""
    if device.type == "mps" and X.dtype == np.float64:
        X = X.astype(np.float32)
    if not X.flags.writeable:
        X = X.copy()  # torch cannot mark a tensor read-only
    return torch.from_numpy(np.ascontiguousarray(X)).to(device)


def rows_at_once(input_shape: Sequence[int]) -> int:
    """Return how many rows to show a network where it takes no step: bounds what it holds."""
    return max(1, min(16_384, 2**22 // max(1, math.prod(input_shape))))


class RowBatches:
    """Iterates over a TrainingRows in batches: slices of whole tensors on the device.

    Inputs of a Dataset are read as batches need them; everything else is the same.

    Batches differ by one row at most: no short last batch takes a noisy step.

    Parameters
    ----------
    data : TrainingRows
    batch_size : int
        The most rows in a batch.
    shuffle : bool
    """

    def __init__(self, data: TrainingRows, batch_size: int, shuffle: bool) -> None:
        self.data = data
        self.shuffle = shuffle
        if data.inputs is not None and not shuffle:
            # large batches only save time, and rows that are streamed must not all be held
            batch_size = min(batch_size, data.inputs.rows.block_rows)
        n = len(data)
        n_batches = max(1, -(-n // batch_size))
        bounds = [round(i * n / n_batches) for i in range(n_batches + 1)]
        self.sizes = [stop - start for start, stop in pairwise(bounds)]

    def __len__(self) -> int:
        return len(self.sizes)

    def __iter__(self) -> Iterator[Batch]:
        order, inputs = self._order(), self.data.inputs
        rows = self.data.rows if order is None else self.data.rows.at(order)
        batches = rows.split(self.sizes)
        return batches if inputs is None else inputs.read(batches)

    def _order(self) -> Tensor | None:
        """Return the numbers of an epoch's rows; None for all of them as they are."""
        device = self.data.rows.X.device
        if not self.shuffle:
            return None
        if self.data.sampler is not None:
            return self.data.sampler.draw(self.sizes).to(device)
        return torch.randperm(len(self.data), device=device) if len(self) > 1 else None
