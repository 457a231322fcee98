"""What is dealt out to the parts of a split: rows, or groups of them, and the labels they carry."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from sklearn.utils.validation import _num_samples, column_or_1d

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.model_selection._cells import Cells, read_cells


@dataclass(frozen=True, eq=False)
class Items:
    """Rows, or groups of rows that stay together.

    Attributes
    ----------
    cells : Cells
        The labels of each row.
    members : ndarray of shape (n,)
        The number of each row's item.
    counts : csr_array of shape (n_items, n_cells)
        Rows in each cell, for each item.
    sizes : ndarray of shape (n_items,)
        Rows of each item.
    what : {"row", "group"}
        What a message calls an item.
    """

    cells: Cells
    members: np.ndarray
    counts: csr_array
    sizes: np.ndarray
    what: str


def read_items(
    X: Any, y: Any, groups: Any, *, task_feature: Any, task_kinds: Any, least: int, owner: str
) -> Items:
    """Read what ``split`` was given; `least` is that of `read_cells`.

    Raises
    ------
    ValueError
        No y; lengths that differ.
    TaskLayoutError
        Tasks with rows of their own.
    """
    if y is None:
        plain_splitter = owner.removeprefix("MultiTask")
        raise ValueError(
            f"{owner} stratifies by y, which is None; pass y, or use {plain_splitter} for rows "
            "alone."
        )
    if isinstance(X, Mapping):
        raise TaskLayoutError(
            "X is a dict (each task has its own rows), which has no rows in common to split; "
            "stack_tasks puts X and y into long form: split that, with task_feature=."
        )
    cells = read_cells(
        X, y, task_feature=task_feature, task_kinds=task_kinds, least=least, owner=owner
    )
    n_rows = cells.table.shape[0]
    if X is not None and _num_samples(X) != n_rows:
        raise ValueError(f"X has {_num_samples(X)} rows, but y has {n_rows}; they must match.")
    members, n_items = _read_groups(groups, n_rows)
    return Items(
        cells,
        members,
        _count(cells, members, n_items),
        np.bincount(members, minlength=n_items),
        "row" if groups is None else "group",
    )


def _read_groups(groups: Any, n_rows: int) -> tuple[np.ndarray, int]:
    """Return the number of each row's group, and how many there are."""
    if groups is None:
        return np.arange(n_rows), n_rows
    groups = column_or_1d(groups)
    if len(groups) != n_rows:
        raise ValueError(f"groups has {len(groups)} entries for {n_rows} rows; pass one a row.")
    found, first, members = np.unique(groups, return_index=True, return_inverse=True)
    # number groups by first appearance, so that names of groups do not matter
    rank = np.empty(len(found), dtype=np.intp)
    rank[np.argsort(first)] = np.arange(len(found))
    return rank[members], len(found)


def _count(cells: Cells, members: np.ndarray, n_items: int) -> csr_array:
    rows, columns = np.nonzero(cells.table >= 0)
    counts = csr_array(
        (np.ones(len(rows)), (members[rows], cells.table[rows, columns])),
        shape=(n_items, len(cells.names)),
    )
    counts.sum_duplicates()
    return counts
