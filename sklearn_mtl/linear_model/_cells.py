"""Which rows to take statistics of, so that every split is a union of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_mtl.convex import GramStats
from sklearn_mtl.linear_model._folds import CellStats, take_rows
from sklearn_mtl.linear_model._splits import Split
from sklearn_mtl.tasks import TaskData

MOST_CELLS = 64  # five random splits make 32
FEWEST_CELLS = 12  # ten folds, rows in none of them, and one to spare, whatever they cost
ROWS_OF_CELL = 16  # on average: merging a cell into a split costs about as much as reading 5 rows
CELL_NUMBERS = 2**27  # of Gram matrices held at once: 1 GB


@dataclass(frozen=True, eq=False)
class Batch:
    """Splits whose parts are unions of the same cells.

    Attributes
    ----------
    cells : list of ndarray
        Row numbers.
    is_partition : bool
        Whether every row is in one cell exactly.
    splits : list of (list of int, list of int)
        The cells that train and those held out, for each split.
    numbers : list of int
        Which of all splits these are.
    """

    cells: list[np.ndarray]
    is_partition: bool
    splits: list[tuple[list[int], list[int]]]
    numbers: list[int]

    def statistics(self, X: Any, data: TaskData) -> CellStats:
        """Return the statistics of each cell, which read X once."""
        return CellStats(
            dict(zip(self.numbers, self.splits, strict=True)),
            [GramStats.from_data(*take_rows(X, data, rows)) for rows in self.cells],
        )


def batches(splits: Sequence[Split], n_rows: int, most_cells: int) -> Iterator[Batch]:
    """Yield the splits in groups that share their cells; partitions of all rows come first.

    A cell is the rows that train and are held out in the same splits. K folds are K cells, so that
    all their statistics come from one look at the rows. Splits that cross each other have cells
    that multiply: where they would be more than `most_cells`, a new batch begins, and rows are
    looked at once more. A split that repeats rows is a batch of its own.

    Parameters
    ----------
    splits : sequence of (train, test)
    n_rows : int
    most_cells : int
        A single split may have 4 all the same.
    """
    repeats = [max(_most_often(train, n_rows), _most_often(test, n_rows)) for train, test in splits]
    numbers: list[int] = []
    code, table = np.zeros(n_rows, dtype=np.intp), np.zeros((1, 0), dtype=np.int8)
    for k, (train, test) in enumerate(splits):
        if repeats[k] > 1:
            continue
        finer, seen = _refine(code, table, train, test)
        if numbers and len(seen) > most_cells:
            yield _of_cells(code, table, numbers)
            numbers = []
            finer, seen = _refine(np.zeros_like(code), table[:1, :0], train, test)
        code, table = finer, seen
        numbers.append(k)
    if numbers:
        yield _of_cells(code, table, numbers)
    for k, (train, test) in enumerate(splits):
        if repeats[k] > 1:
            yield Batch([train, test], False, [([0], [1])], [k])


def _most_often(rows: np.ndarray, n_rows: int) -> int:
    return int(np.bincount(np.arange(n_rows)[rows], minlength=n_rows).max(initial=0))


def _refine(
    code: np.ndarray, table: np.ndarray, train: np.ndarray, test: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the cell of each row, and what each cell is in each split, with one split more.

    Entries of the table are 0 for neither, 1 for training, 2 for held out, 3 for both.
    """
    role = np.zeros(len(code), dtype=np.intp)
    role[train] += 1
    role[test] += 2
    mixed = 4 * code + role
    present = np.flatnonzero(np.bincount(mixed, minlength=4 * len(table)))
    place = np.empty(4 * len(table), dtype=np.intp)
    place[present] = np.arange(len(present))
    seen = np.column_stack([table[present // 4], present % 4])
    return place[mixed], seen


def _of_cells(code: np.ndarray, table: np.ndarray, numbers: list[int]) -> Batch:
    order = np.argsort(code, kind="stable")
    cells = np.split(order, np.searchsorted(code[order], np.arange(1, len(table))))
    splits = [
        (np.flatnonzero(role & 1).tolist(), np.flatnonzero(role & 2).tolist()) for role in table.T
    ]
    return Batch(cells, True, splits, numbers)


def cells_at_most(data: TaskData, n_features: int) -> int:
    """Return how many cells may be held at once."""
    shared = data.task_index is None and bool(data.observed.all())  # type: ignore[union-attr]
    numbers = (1 if shared else data.n_tasks) * n_features**2
    most = min(MOST_CELLS, CELL_NUMBERS // numbers, data.n_rows // ROWS_OF_CELL)
    return max(FEWEST_CELLS, most)
