"""Every rule by which y becomes tasks, in one place.

| labels                | regressor  | classifier                       | mixed estimator |
|-----------------------|------------|----------------------------------|-----------------|
| floats                | regression | classes if all whole, else error | regression      |
| integers              | regression | classes                          | classes         |
| booleans              | regression | classes                          | classes         |
| strings, categories   | error      | classes                          | classes         |
| nothing observed      | error      | error                            | error           |

Two classes make a binary task, more a multiclass task, fewer an error. `task_kinds` overrides the
last column. In long form and with own rows, where tasks often are one target in many places, a
task that saw a single class takes the classes of the tasks that share it.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks._column import (
    EMPTY,
    REAL,
    TEXT,
    Column,
    as_array,
    is_dict_of_rows,
    is_frame,
)
from sklearn_mtl.tasks._containers import DICT, MATRIX, NAMED, VECTOR, Labels, read_labels
from sklearn_mtl.tasks._data import group_rows
from sklearn_mtl.tasks._layout import LONG, OWN, SHARED, TaskLayout
from sklearn_mtl.tasks._long import find_names, read_tagged_labels, split_task_column
from sklearn_mtl.tasks._spec import BINARY, MULTICLASS, REGRESSION, TaskSpec
from sklearn_mtl.tasks._target import MultiTaskTarget
from sklearn_mtl.utils._validation import check_tasks, did_you_mean, listing, plain

CLASSIFICATION = "classification"
MIXED = "mixed"


def infer_layout(
    X: Any,
    y: Any,
    *,
    family: str = MIXED,
    task_kinds: Mapping[Hashable, str] | None = None,
    task_feature: Any = None,
    classes: Any = None,
) -> TaskLayout:
    """Say what the tasks in y are.

    Parameters
    ----------
    X : array-like of shape (n, p), or dict name -> array-like of shape (n_t, p_t)
    y : any container of labels
    family : {"regression", "classification", "mixed"}, default="mixed"
        What the estimator can do; "mixed" infers each task's kind from its labels.
    task_kinds : dict name -> {"regression", "classification"}, default=None
        Overrides what "mixed" would infer.
    task_feature : str or int, default=None
        Name or number of the column of X that holds each row's task (long form).
    classes : array, list of arrays or dict name -> array, default=None
        Classes to expect beyond those in y, for ``partial_fit``.

    Returns
    -------
    layout : TaskLayout

    Raises
    ------
    TaskLayoutError
        Labels that no rule covers; the message names the task.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_mtl.tasks import infer_layout
    >>> y = pd.DataFrame({"price": [1.5, 2.5, None], "stars": [1, 3, 2], "good": ["n", None, "y"]})
    >>> layout = infer_layout(X=[[0.0], [1.0], [2.0]], y=y)
    >>> [(task.name, task.kind) for task in layout.tasks]
    [('price', 'regression'), ('stars', 'multiclass'), ('good', 'binary')]
    >>> infer_layout([[0.0], [1.0], [2.0]], y, task_kinds={"stars": "regression"}).tasks[1].kind
    'regression'
    """
    if task_feature is not None:
        rows, labels = LONG, _read_long(X, y, task_feature)
    elif is_dict_of_rows(X):
        rows, labels = OWN, read_labels(y)
        if labels.container != DICT:
            raise TaskLayoutError(
                "X is a dict (each task has its own rows), so y must be a dict of the same "
                f"names; found {type(y).__name__}."
            )
        _same_names(list(X), labels.names)
    else:
        rows, labels = SHARED, read_labels(y)
    overrides = check_task_kinds(task_kinds, labels.names, family)
    expected = _expected_classes(classes, labels, rows)
    if rows == SHARED and family != CLASSIFICATION and not overrides and _all_values(labels):
        values = tuple(TaskSpec(plain(name), REGRESSION) for name in labels.names)
        return TaskLayout(values, labels.container, rows)

    kinds: list[str] = []
    found: list[np.ndarray | None] = []
    for name, column, extra in zip(labels.names, labels.columns, expected, strict=True):
        if column.content == EMPTY:
            raise TaskLayoutError(
                f"Task {plain(name)!r} has no observed label among {len(column)} rows; drop it or "
                "pass rows where it is known."
            )
        kind = overrides.get(name) or column_kind(column, family)
        kinds.append(kind)
        if kind == REGRESSION:
            _check_values(column, name)
            found.append(None)
        else:
            _check_classes(column, name)
            found.append(_unique(column.labels, extra, name))
    if rows != SHARED:
        found = _share_classes(found)
    tasks = tuple(
        _spec(name, kind, unique, column, rows)
        for name, kind, unique, column in zip(
            labels.names, kinds, found, labels.columns, strict=True
        )
    )
    return TaskLayout(
        tasks,
        labels.container,
        rows,
        task_feature,
        labels.backend,
        labels.header,
        labels.holds_objects,
    )


def _all_values(labels: Labels) -> bool:
    """Return whether y is a matrix of finite floats, which needs no look at each column."""
    whole = labels.container == MATRIX and labels.matrix is not None and len(labels.matrix) > 0
    # a sum is not finite where a term is not, and needs no array of flags
    return whole and bool(np.isfinite(labels.matrix.sum()))  # type: ignore[union-attr]


def _read_long(X: Any, y: Any, task_feature: Any) -> Labels:
    if y is None or isinstance(y, (Mapping, MultiTaskTarget)) or is_frame(y):
        raise TaskLayoutError(
            f"task_feature={task_feature!r} asks for long form: one X with a task column and a "
            f"one-dimensional y, found {type(y).__name__}. stack_tasks makes both; or leave "
            "task_feature=None."
        )
    tags, _ = split_task_column(X, task_feature)
    names, codes = find_names(tags)
    groups = group_rows(codes, len(names))
    columns = read_tagged_labels(y, groups, names, len(tags))
    kinds = {column.labels.dtype.kind for column in columns if column.content != EMPTY}
    return Labels(VECTOR, names, columns, holds_objects=len(kinds) > 1)


def _same_names(of_x: Sequence[Hashable], of_y: Sequence[Hashable]) -> None:
    for names, others, there in ((of_x, of_y, "y"), (of_y, of_x, "X")):
        absent = [name for name in names if name not in others]
        if absent:
            raise TaskLayoutError(
                f"X and y must have the same tasks: {listing(absent)} not found in {there}"
                f"{did_you_mean(absent[0], others)}."
            )


def check_task_kinds(
    task_kinds: Mapping[Hashable, str] | None, names: Sequence[Hashable], family: str
) -> dict[Hashable, str]:
    """Return the kinds that a caller overrides, after checking tasks, words and the family."""
    if task_kinds is None:
        return {}
    if not isinstance(task_kinds, Mapping):
        raise TypeError(
            "task_kinds must be a dict from task name to 'regression' or 'classification', "
            f"got {type(task_kinds).__name__}."
        )
    check_tasks(task_kinds, names, "task_kinds")
    for name, kind in task_kinds.items():
        if kind not in (REGRESSION, CLASSIFICATION):
            raise ValueError(
                f"task_kinds[{plain(name)!r}] must be 'regression' or 'classification', "
                f"got {kind!r}{did_you_mean(kind, (REGRESSION, CLASSIFICATION))}."
            )
        if family not in (MIXED, kind):
            raise ValueError(
                f"task_kinds[{plain(name)!r}] is {kind!r}, but every task of this estimator is "
                f"{family}; leave it out, or use an estimator of mixed tasks."
            )
    return dict(task_kinds)


def column_kind(column: Column, family: str) -> str:
    """Return whether labels are numbers or classes: what the family says, else what they are."""
    if family != MIXED:
        return family
    return REGRESSION if column.content == REAL else CLASSIFICATION


def _check_values(column: Column, name: Hashable) -> None:
    if column.content == TEXT:
        raise TaskLayoutError(
            f"Task {plain(name)!r} is regression, but its labels are strings or categories "
            f"(first: {plain(column.labels[0])!r}); convert them to numbers, or use a classifier."
        )
    values = column.labels.astype(np.float64)
    infinite = ~np.isfinite(values)
    if infinite.any():
        raise TaskLayoutError(
            f"Task {plain(name)!r} has {infinite.sum()} infinite label(s), or labels too large "
            f"for float64, among {len(column)} rows; drop them, or mark them missing with NaN."
        )


def _check_classes(column: Column, name: Hashable) -> None:
    if column.content != REAL:
        return
    values = column.labels
    if not np.isfinite(values).all() or (values != np.round(values)).any():
        odd = values[~np.isfinite(values) | (values != np.round(values))][0]
        raise TaskLayoutError(
            f"Unknown label type: continuous. Task {plain(name)!r} is classification, but has "
            f"the label {plain(odd)!r}; use regression for it, or round to whole classes."
        )


def _unique(labels: np.ndarray, extra: np.ndarray | None, name: Hashable) -> np.ndarray:
    unique = np.unique(labels)
    if extra is None:
        return unique
    if _sort(unique) != _sort(extra):
        raise TaskLayoutError(
            f"Task {plain(name)!r} has labels such as {plain(unique[0])!r}, but classes lists "
            f"{listing(extra)}; numbers, booleans and strings are not one another's classes."
        )
    return np.unique(np.concatenate([unique, extra]))


def _sort(classes: np.ndarray) -> str:
    """Return "number", or the one-letter kind of classes that are no numbers."""
    if classes.dtype.kind in "fiu":
        return "number"
    return "O" if classes.dtype.kind in "OUT" else classes.dtype.kind


def _share_classes(found: list[np.ndarray | None]) -> list[np.ndarray | None]:
    """Give a task that saw one class the classes of every task that has that class too."""
    single = {(_sort(own), own.tolist()[0]) for own in found if own is not None and len(own) == 1}
    holders: dict[tuple[str, Any], list[np.ndarray]] = {key: [] for key in single}
    for own in found:
        if own is None or not single:
            continue
        for key in ((_sort(own), label) for label in own.tolist()):
            if key in holders:
                holders[key].append(own)
    whole = {key: np.unique(np.concatenate(sets)) for key, sets in holders.items()}
    return [
        whole[_sort(own), own.tolist()[0]] if own is not None and len(own) == 1 else own
        for own in found
    ]


def _spec(
    name: Hashable, kind: str, classes: np.ndarray | None, column: Column, rows: str
) -> TaskSpec:
    name = plain(name)
    if classes is None:
        return TaskSpec(name, REGRESSION, None, _kept_dtype(column, regression=True))
    if len(classes) < 2:
        where = "" if rows == SHARED else ", and no other task shares that class"
        raise TaskLayoutError(
            f"Task {name!r} has one class only, {plain(classes[0])!r}, on its "
            f"{len(column.labels)} observed rows{where}; a classification task needs at least "
            "two classes: drop the task or add rows of another class."
        )
    kind = BINARY if len(classes) == 2 else MULTICLASS
    return TaskSpec(name, kind, classes, _kept_dtype(column, regression=False))


def _kept_dtype(column: Column, *, regression: bool) -> Any:
    """Return the dtype for predictions: the caller's classes, or float64 of the same library."""
    dtype = column.dtype
    if dtype is None or (isinstance(dtype, np.dtype) and (regression or dtype.kind in "fiub")):
        return None  # the decoded array already has it
    if not regression:
        return dtype
    library = type(dtype).__module__.split(".")[0]
    if library != "pandas":
        module = import_module(library)
        return module.Float64() if library == "polars" else module.float64()
    import pandas as pd

    if isinstance(dtype, pd.ArrowDtype):
        return pd.Series([], dtype="double[pyarrow]").dtype
    return pd.Float64Dtype() if dtype.na_value is pd.NA else None


def _expected_classes(
    classes: Any, labels: Labels, rows: str
) -> list[np.ndarray | None] | Iterable[np.ndarray | None]:
    names = labels.names
    if classes is None:
        return [None] * len(names)
    if isinstance(classes, Mapping):
        check_tasks(classes, names, "classes")
        return [as_array(classes[name]) if name in classes else None for name in names]
    if rows == LONG or (labels.container not in NAMED and len(names) == 1):
        return [as_array(classes)] * len(names)
    classes = list(classes)
    if len(classes) != len(names):
        raise TaskLayoutError(
            f"classes has {len(classes)} entries for {len(names)} tasks; pass one array a task, "
            "or a dict by task name."
        )
    return [None if entry is None else as_array(entry) for entry in classes]
