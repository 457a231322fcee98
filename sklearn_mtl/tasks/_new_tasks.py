"""Tasks that ``fit`` never saw, for estimators that know what to expect of them."""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks._column import is_dict_of_rows
from sklearn_mtl.tasks._containers import MATRIX, VECTOR
from sklearn_mtl.tasks._layout import LONG, OWN, TaskLayout
from sklearn_mtl.tasks._long import find_names, split_task_column
from sklearn_mtl.tasks._spec import TaskSpec
from sklearn_mtl.utils._validation import listing, plain


def layout_of_rows(layout: TaskLayout, X: Any, *, present: bool = False) -> TaskLayout:
    """Return the layout of the tasks that rows name, of which some may be new.

    Of a dict, the tasks are its keys, in their order; of long form, those of `layout` and then the
    new ones. Rows that tasks share name none, and the tasks are those of `layout`.

    Parameters
    ----------
    layout : TaskLayout
    X : the caller's X
    present : bool, default=False
        Whether to leave out, of long form, the tasks without a row.

    Raises
    ------
    TaskLayoutError
        A new task, where those of `layout` differ in kind or classes.
    """
    if layout.rows == LONG:
        found = find_names(split_task_column(X, layout.task_feature)[0])[0]
        kept = [] if present else layout.names
        names = [*kept, *(name for name in found if name not in set(kept))]
    elif layout.rows == OWN and is_dict_of_rows(X):
        names = list(X)
        if not names:
            raise TaskLayoutError("X is a dict without any task; pass the rows of one at least.")
    else:
        return layout
    known = dict(zip(layout.names, layout.tasks, strict=True))
    new = [name for name in names if name not in known]
    if names == layout.names:
        return layout
    known |= {name: _like_all(layout, name) for name in new}
    return replace(layout, tasks=tuple(known[name] for name in names))


def _like_all(layout: TaskLayout, name: Hashable) -> TaskSpec:
    """Return a task of the kind and classes that all tasks have."""
    new = [replace(task, name=plain(name)) for task in layout.tasks]
    if any(task != new[0] for task in new):
        raise TaskLayoutError(
            f"Task {plain(name)!r} was not in fit, and what it is cannot be told from its rows, as "
            f"the tasks {listing(layout.names)} differ in kind or classes. Leave it out, or add it "
            "with its labels through add_task."
        )
    return new[0]


def append_tasks(layout: TaskLayout, added: TaskLayout) -> TaskLayout:
    """Return the layout of the tasks of both, `added` being those of a later call.

    Columns of an array have no names: they are numbered on.

    Parameters
    ----------
    layout, added : TaskLayout

    Raises
    ------
    TaskLayoutError
        Containers that differ, or a task of `added` that `layout` has.
    """
    column_to_matrix = layout.container == MATRIX and added.container == VECTOR
    if (added.rows, added.container) != (layout.rows, layout.container) and not column_to_matrix:
        raise TaskLayoutError(
            f"fit received {_told(layout)}, but the new task(s) come as {_told(added)}; pass them "
            "the same way."
        )
    if layout.rows != LONG and layout.container == VECTOR:
        raise TaskLayoutError(
            "fit received one task without a name, to which none can be added; fit with y as an "
            "array of shape (n, 1), a DataFrame or a dict."
        )
    tasks: Sequence[TaskSpec] = added.tasks
    if layout.container == MATRIX:
        tasks = [
            replace(task, name=f"task{layout.n_tasks + t}") for t, task in enumerate(added.tasks)
        ]
    known = [task.name for task in tasks if task.name in set(layout.names)]
    if known:
        raise TaskLayoutError(
            f"Task(s) {listing(known)} are known already; add_task takes tasks that fit never saw. "
            "Fit again to learn from more rows of a known task."
        )
    header = None if layout.header is None else layout.header.append(added.header)
    return replace(layout, tasks=(*layout.tasks, *tasks), header=header)


def _told(layout: TaskLayout) -> str:
    rows = {LONG: "long form", OWN: "rows for each task"}.get(layout.rows, "rows that tasks share")
    return f"{rows} with y as {layout.container!r}"


def places(layout: TaskLayout, other: TaskLayout) -> np.ndarray:
    """Return the number in `layout` of each task of `other`, -1 where it has none."""
    number = {name: t for t, name in enumerate(layout.names)}
    return np.array([number.get(name, -1) for name in other.names], dtype=np.intp)
