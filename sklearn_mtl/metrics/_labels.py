"""y_true, y_pred and sample_weight, read task by task."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks import MultiTaskTarget, TaskData, TaskLayout, TaskSpec
from sklearn_mtl.tasks._column import Column, as_array, is_frame, is_series
from sklearn_mtl.tasks._containers import NAMED, VECTOR, Labels, read_labels
from sklearn_mtl.tasks._data import group_rows
from sklearn_mtl.tasks._layout import LONG, OWN, SHARED
from sklearn_mtl.tasks._long import read_tagged_labels, read_tags
from sklearn_mtl.tasks._spec import REGRESSION
from sklearn_mtl.tasks._weights import encode_sample_weight
from sklearn_mtl.utils._validation import did_you_mean, listing, plain


@dataclass(frozen=True, eq=False)
class TaskLabels:
    """The labels of one task that count in a score.

    Attributes
    ----------
    name : hashable
    column : Column
        Every label of the task.
    rows : ndarray of shape (m,)
        Where a label is observed and has positive weight, among the task's own rows.
    labels : ndarray of shape (m,)
    weights : ndarray of shape (m,) or None
    group : ndarray of shape (n_t,) or None
        The task's own rows among the rows of all tasks (long form); None where it has them all.
    """

    name: Hashable
    column: Column
    rows: np.ndarray
    labels: np.ndarray
    weights: np.ndarray | None
    group: np.ndarray | None


@dataclass(frozen=True, eq=False)
class TrueLabels:
    """y_true, read: one TaskLabels a task, and whether its container carries their names."""

    tasks: list[TaskLabels]
    is_named: bool

    @property
    def names(self) -> list[Hashable]:
        return [task.name for task in self.tasks]


def read_true(
    y_true: Any,
    sample_weight: Any = None,
    tags: np.ndarray | None = None,
    names: Sequence[Hashable] | None = None,
) -> TrueLabels:
    """Read y_true and the weights of its labels.

    Parameters
    ----------
    y_true : any container of labels
    sample_weight : as `TaskLayout.encode` takes it, default=None
    tags : ndarray of shape (n,), default=None
        The task of each row, for long form.
    names : sequence of T names, default=None
        Tasks to expect in `tags`; None for those in it.
    """
    groups: list[np.ndarray | None]
    if tags is None:
        read = read_labels(y_true)
        codes, groups = None, [None] * len(read.names)
    else:
        read, codes = _read_tagged(y_true, tags, names)
        groups = [*group_rows(codes, len(read.names))]
    weights = _read_weights(sample_weight, read, codes, groups)
    tasks = [
        _task(plain(name), column, own, group)
        for name, column, own, group in zip(read.names, read.columns, weights, groups, strict=True)
    ]
    return TrueLabels(tasks, read.container in NAMED)


def _task(
    name: Hashable, column: Column, weights: np.ndarray | None, group: np.ndarray | None
) -> TaskLabels:
    rows = np.flatnonzero(column.observed)
    if weights is None:
        return TaskLabels(name, column, rows, column.labels, None, group)
    counts = weights[rows] > 0
    rows = rows[counts]
    return TaskLabels(name, column, rows, column.labels[counts], weights[rows], group)


def _read_tagged(
    y_true: Any, tags: np.ndarray, names: Sequence[Hashable] | None
) -> tuple[Labels, np.ndarray]:
    found, codes = np.unique(tags, return_inverse=True)
    names_found = [plain(name) for name in found]
    if names is None:
        names = names_found
    else:
        place = {name: t for t, name in enumerate(names)}
        unknown = [name for name in names_found if name not in place]
        if unknown:
            raise TaskLayoutError(
                f"The task column holds {listing(unknown)}, which fit never saw; the tasks are "
                f"{listing(names)}{did_you_mean(unknown[0], names)}."
            )
        codes = np.array([place[name] for name in names_found], dtype=np.intp)[codes]
    groups = group_rows(codes, len(names))
    columns = read_tagged_labels(y_true, groups, names, len(tags))
    return Labels(VECTOR, list(names), columns), codes


def read_tasks(tasks: Any, y_true: Any) -> np.ndarray | None:
    """Read the array that says each row's task."""
    if tasks is None:
        return None
    if isinstance(y_true, (Mapping, MultiTaskTarget)) or is_frame(y_true):
        raise TaskLayoutError(
            "tasks= says the task of each row of a one-dimensional y_true, found "
            f"{type(y_true).__name__}, whose columns are the tasks; leave tasks=None."
        )
    tags = read_tags(tasks if is_series(tasks) else as_array(tasks), "tasks")
    n_rows = len(y_true)
    if len(tags) != n_rows:
        raise TaskLayoutError(
            f"tasks names the task of {len(tags)} row(s), but y_true has {n_rows}; pass one task "
            "a row."
        )
    return tags


def _read_weights(
    sample_weight: Any,
    read: Labels,
    codes: np.ndarray | None,
    groups: Sequence[np.ndarray | None],
) -> list[np.ndarray | None]:
    names, lengths = read.names, [len(column) for column in read.columns]
    if sample_weight is None:
        return [None] * len(names)
    if isinstance(sample_weight, (Mapping, MultiTaskTarget)):
        match_names(list(sample_weight.keys()), names, "sample_weight")
    rows = SHARED if len(set(lengths)) == 1 else OWN
    if codes is not None:
        rows = LONG
    elif rows == OWN:
        codes = np.repeat(np.arange(len(names)), lengths)
    n_rows = lengths[0] if codes is None else len(codes)
    # only names and shapes matter to weights, so any kind of task will do
    layout = TaskLayout(tuple(TaskSpec(name, REGRESSION) for name in names), read.container, rows)
    data = TaskData([None] if rows == OWN else None, n_rows, len(names), codes)
    weights = encode_sample_weight(sample_weight, layout, data)
    assert weights is not None
    if weights.ndim == 2:
        return list(weights.T)
    if rows == LONG:
        return [weights[group] for group in groups]
    return list(np.split(weights, np.cumsum(lengths)[:-1]))


def match_names(found: Sequence[Hashable], names: Sequence[Hashable], what: str) -> None:
    """Raise a TaskLayoutError unless `found` are `names`, in any order."""
    found = [plain(name) for name in found]
    absent = [name for name in names if name not in found]
    if absent:
        raise TaskLayoutError(
            f"{what} lacks the task(s) {listing(absent)} of y_true; it has {listing(found)}"
            f"{did_you_mean(absent[0], found)}."
        )
    unknown = [name for name in found if name not in names]
    if unknown:
        raise TaskLayoutError(
            f"{what} has the task(s) {listing(unknown)}, which y_true lacks; y_true has "
            f"{listing(names)}{did_you_mean(unknown[0], names)}."
        )


def read_predicted(y_pred: Any, true: TrueLabels, what: str = "y_pred") -> list[Column]:
    """Read predictions as a Column a task, in y_true's order: by name where both have names."""
    names, tasks = true.names, true.tasks
    if tasks[0].group is not None:
        groups = [task.group for task in tasks if task.group is not None]
        n_rows = sum(map(len, groups))
        if np.ndim(y_pred) != 1 or len(y_pred) != n_rows:
            raise TaskLayoutError(
                f"{what} must have one prediction for each of {n_rows} rows, found shape "
                f"{np.shape(y_pred)}."
            )
        return read_tagged_labels(y_pred, groups, names, n_rows)
    read = read_labels(y_pred)
    columns = read.columns
    if read.container in NAMED and true.is_named:
        match_names(read.names, names, what)
        by_name = dict(zip(map(plain, read.names), columns, strict=True))
        columns = [by_name[name] for name in names]
    elif len(columns) != len(names):
        raise TaskLayoutError(
            f"{what} has {len(columns)} column(s), but y_true has the {len(names)} task(s) "
            f"{listing(names)}; pass one column a task, in that order."
        )
    for task, column in zip(tasks, columns, strict=True):
        if len(column) != len(task.column):
            raise TaskLayoutError(
                f"Task {task.name!r} has {len(task.column)} labels in y_true, but {len(column)} "
                f"in {what}; pass both for the same rows."
            )
    return columns


def predictions(task: TaskLabels, column: Column, what: str = "y_pred") -> np.ndarray:
    """Return the predictions where labels count; a missing one is an error."""
    missing = ~column.observed[task.rows]
    if missing.any():
        raise ValueError(
            f"Task {task.name!r} has {missing.sum()} missing prediction(s) in {what} at rows "
            f"whose label is observed (first: row {task.rows[missing][0]}); predict every row "
            "that is scored, or mark its label missing too."
        )
    place = np.cumsum(column.observed) - 1  # row -> place among the values
    return column.labels[place[task.rows]]
