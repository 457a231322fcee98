"""What parts are to have their share of: each class, each task's observed labels and rows."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks._column import EMPTY, REAL, Column
from sklearn_mtl.tasks._containers import read_labels
from sklearn_mtl.tasks._data import group_rows
from sklearn_mtl.tasks._infer import CLASSIFICATION, MIXED, check_task_kinds, column_kind
from sklearn_mtl.tasks._long import read_tagged_labels, split_task_column
from sklearn_mtl.tasks._spec import REGRESSION
from sklearn_mtl.utils._validation import check_option, plain


@dataclass(frozen=True, eq=False)
class Cells:
    """Which cells each row is in.

    Attributes
    ----------
    table : ndarray of shape (n, c), int
        The numbers of a row's cells, -1 for none; at most c for any row.
    names : list of (str or None), a cell each
        What a message calls it; None where its absence from training rows is no news.
    tasks : ndarray of shape (n_cells,), int
        The number of the task whose observed labels a cell holds, -1 for other cells.
    task_names : list of T names
    """

    table: np.ndarray
    names: list[str | None]
    tasks: np.ndarray
    task_names: list[Hashable]


def read_cells(
    X: Any, y: Any, *, task_feature: Any, task_kinds: Any, least: int, owner: str
) -> Cells:
    """Read y (and, in long form, the task column of X) into cells.

    Whole numbers of a regression task that are each on `least` rows or more, on average, make
    cells as classes do.
    """
    if task_feature is None:
        labels = read_labels(y)
        names, columns = labels.names, labels.columns
        _check_lengths(names, columns)
        groups = [np.arange(len(columns[0]))] * len(names)
        table = np.full((len(columns[0]), len(names)), -1)
        places = list(range(len(names)))
    else:
        tags, _ = split_task_column(X, task_feature)
        found, codes = np.unique(tags, return_inverse=True)
        names, groups = [plain(name) for name in found], group_rows(codes, len(found))
        columns = read_tagged_labels(y, groups, names, len(tags))
        table = np.full((len(tags), 2), -1)
        places = [1] * len(names)
        table[:, 0] = codes  # the rows of a task, labelled or not
    kinds = _kinds(names, columns, task_kinds, owner)
    cell_names: list[str | None] = [] if task_feature is None else [None] * len(names)
    cell_tasks = [-1] * len(cell_names)
    entries = zip(names, columns, kinds, groups, places, strict=True)
    for task, (name, column, kind, rows, place) in enumerate(entries):
        codes, own_names = _label_cells(name, column, kind, least)
        cells = np.full(len(column), -1)
        cells[column.observed] = codes + len(cell_names)
        table[rows, place] = cells
        cell_names += own_names
        cell_tasks += [task] * len(own_names)
    return Cells(
        table, cell_names, np.array(cell_tasks, dtype=np.intp), [plain(name) for name in names]
    )


def _check_lengths(names: Sequence[Hashable], columns: Sequence[Column]) -> None:
    lengths = {plain(name): len(column) for name, column in zip(names, columns, strict=True)}
    if len(set(lengths.values())) > 1:
        shown = dict(list(lengths.items())[:8])
        raise TaskLayoutError(
            f"The tasks of y have different numbers of rows ({shown}), so they have no rows in "
            "common to split; stack_tasks puts X and y into long form: split that, with "
            "task_feature=."
        )


def _kinds(
    names: Sequence[Hashable], columns: Sequence[Column], task_kinds: Any, owner: str
) -> list[str]:
    family, overrides = MIXED, {}
    if isinstance(task_kinds, str):
        kinds = (REGRESSION, CLASSIFICATION)
        check_option(task_kinds, kinds, parameter="task_kinds", owner=owner)
        family = task_kinds
    else:
        overrides = check_task_kinds(task_kinds, names, MIXED)
    return [
        overrides.get(name) or column_kind(column, family)
        for name, column in zip(names, columns, strict=True)
    ]


def _label_cells(
    name: Hashable, column: Column, kind: str, least: int
) -> tuple[np.ndarray, list[str | None]]:
    """Return the cell of each observed label, numbered from 0, and what the cells are called."""
    whole = f"task {plain(name)!r}"
    if column.content == EMPTY:
        return np.empty(0, dtype=np.intp), []
    if kind == REGRESSION and not _looks_like_classes(column, least):
        return np.zeros(len(column.labels), dtype=np.intp), [whole]
    values, codes = np.unique(column.labels, return_inverse=True)
    if kind == REGRESSION:
        return codes, [None] * len(values)
    return codes, [f"class {plain(value)!r} of {whole}" for value in values]


def _looks_like_classes(column: Column, least: int) -> bool:
    values = column.labels
    if column.content != REAL or not np.isfinite(values).all():
        return False
    distinct = len(np.unique(values))
    return bool((values == np.round(values)).all()) and distinct * least <= len(values)
