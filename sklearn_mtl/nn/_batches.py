from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, repeat
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklearn_mtl.tasks._outputs import OutputGroup


@dataclass(frozen=True, eq=False)
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
    places : list over groups of Tensor (B,), int64, or None
        The place of the row's task in the group (0 in rows of other groups), where a row has
        one task.
    """

    X: Tensor
    labels: list[Tensor]
    hidden: list[Tensor | None]
    weights: list[Tensor | None]
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
        return [self.X, *self.labels, *self.hidden, *self.weights, *(self.places or ())]

    def _with(self, columns: Sequence[Any]) -> "Batch":
        g = len(self.labels)
        places = list(columns[1 + 3 * g :]) or None
        return Batch(
            columns[0],
            list(columns[1 : 1 + g]),
            list(columns[1 + g : 1 + 2 * g]),
            list(columns[1 + 2 * g : 1 + 3 * g]),
            places,
        )


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """Rows to train or validate on, and what makes batch losses estimate the objective.

    The objective takes the mean over the observed rows of each task. With c_t = n / sum_i w_ti
    the mean over *all* rows of a batch of c_t w_ti loss_ti estimates it without bias, whatever is
    missing, with no count a batch.

    Attributes
    ----------
    rows : Batch
        All rows.
    scale : list over groups of Tensor (T_g,)
        c_t; 0 for a task without labels here.
    present : Tensor of shape (T,), bool
        Tasks that have a label here.
    """

    rows: Batch
    scale: list[Tensor]
    present: Tensor

    def __len__(self) -> int:
        return len(self.rows)


def make_rows(
    X: np.ndarray,
    labels: np.ndarray,
    observed: np.ndarray,
    weights: np.ndarray | None,
    task_index: np.ndarray | None,
    groups: Sequence[OutputGroup],
    n_tasks: int,
    scaler: torch.nn.Module,
    dtype: torch.dtype,
    device: torch.device,
) -> TrainingRows:
    """Move rows to the device once, in the form that batches are cut from.

    Parameters
    ----------
    X : ndarray of shape (n, p)
    labels, observed, weights : ndarray of shape (n, T), or (n,) with `task_index`
    task_index : ndarray of shape (n,) or None
    """
    inputs = as_input(X, device)
    with torch.no_grad():
        scaled = scaler(inputs).to(dtype)
    blocks: list[tuple[Tensor, Tensor | None, Tensor | None, Tensor | None, Tensor]] = []
    present = np.zeros(n_tasks, bool)
    for group in groups:
        own: tuple[Any, Any] = (slice(None), group.tasks)
        place = None
        if task_index is not None:
            number = np.full(n_tasks, -1)
            number[group.tasks] = np.arange(len(group.tasks))
            place = number[task_index]
            own = (slice(None), None)
        seen = observed[own] if place is None else observed[own] & (place >= 0)[:, None]
        mass = seen.astype(np.float64) if weights is None else np.where(seen, weights[own], 0.0)
        if place is None:
            total = mass.sum(axis=0)
        else:
            total = np.bincount(np.maximum(place, 0), mass[:, 0], minlength=len(group.tasks))
        scale = np.divide(len(X), total, out=np.zeros(len(total)), where=total > 0)
        present[group.tasks] = total > 0
        codes = np.where(seen, labels[own], 0.0)
        blocks.append(
            (
                torch.as_tensor(
                    codes, dtype=torch.int64 if group.kind == "multiclass" else dtype, device=device
                ),
                None if seen.all() else torch.as_tensor(~seen, device=device),
                None if weights is None else torch.as_tensor(mass, dtype=dtype, device=device),
                None if place is None else torch.as_tensor(np.maximum(place, 0), device=device),
                torch.as_tensor(scale, dtype=dtype, device=device),
            )
        )
    rows = Batch(
        scaled,
        [block[0] for block in blocks],
        [block[1] for block in blocks],
        [block[2] for block in blocks],
        None if task_index is None else [block[3] for block in blocks],  # type: ignore[misc]
    )
    return TrainingRows(rows, [b[4] for b in blocks], torch.as_tensor(present, device=device))


def as_input(X: np.ndarray, device: torch.device) -> Tensor:
    """Return X on the device, in its own precision where the device has that."""
    if device.type == "mps" and X.dtype == np.float64:
        X = X.astype(np.float32)
    if not X.flags.writeable:
        X = X.copy()  # torch cannot mark a tensor read-only
    return torch.from_numpy(np.ascontiguousarray(X)).to(device)


class RowBatches:
    """Iterates over a TrainingRows in batches: slices of whole tensors on the device.

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
        n = len(data)
        n_batches = max(1, -(-n // batch_size))
        bounds = [round(i * n / n_batches) for i in range(n_batches + 1)]
        self.sizes = [stop - start for start, stop in pairwise(bounds)]

    def __len__(self) -> int:
        return len(self.sizes)

    def __iter__(self) -> Iterator[Batch]:
        rows = self.data.rows
        if self.shuffle and len(self) > 1:
            rows = rows.at(torch.randperm(len(rows), device=rows.X.device))
        return rows.split(self.sizes)
