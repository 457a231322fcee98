"""Which tasks are classification: said by the caller, by an estimator, or by the labels."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_regressor

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.metrics._labels import TrueLabels
from sklearn_mtl.metrics._metric import TaskKind
from sklearn_mtl.tasks import TaskLayout
from sklearn_mtl.tasks._column import EMPTY
from sklearn_mtl.tasks._infer import CLASSIFICATION, MIXED, check_task_kinds, column_kind
from sklearn_mtl.tasks._layout import LONG
from sklearn_mtl.tasks._spec import REGRESSION
from sklearn_mtl.utils._validation import check_option, check_tasks, listing, plain


def given_kinds(true: TrueLabels, task_kinds: Any, classes: Any = None) -> list[TaskKind]:
    """Return kinds from task_kinds, else by the rule that estimators of mixed kinds follow.

    Parameters
    ----------
    true : TrueLabels
    task_kinds : None, {"regression", "classification"} or dict name -> one of these
    classes : None, array, list of arrays or dict name -> array
    """
    family, overrides = MIXED, {}
    if isinstance(task_kinds, str):
        check_option(
            task_kinds, (REGRESSION, CLASSIFICATION), parameter="task_kinds", owner="metrics"
        )
        family = task_kinds
    else:
        overrides = check_task_kinds(task_kinds, true.names, MIXED)
    known = _known_classes(true, classes)
    kinds = []
    for task, own in zip(true.tasks, known, strict=True):
        if task.column.content == EMPTY:
            kind = overrides.get(task.name, REGRESSION)  # nothing to score
        else:
            kind = overrides.get(task.name) or column_kind(task.column, family)
        if kind == REGRESSION:
            kinds.append(TaskKind(False, own))
        else:
            kinds.append(TaskKind(True, np.unique(task.column.labels) if own is None else own))
    return kinds


def _known_classes(true: TrueLabels, classes: Any) -> Sequence[np.ndarray | None]:
    names, long = true.names, true.tasks[0].group is not None
    if classes is None:
        if not long:
            return [None] * len(names)
        # tasks of one long column have the columns of y_score in common
        parts = [task.column.labels for task in true.tasks if task.column.content != EMPTY]
        if len({part.dtype.kind for part in parts}) != 1:
            return [None] * len(names)
        return [np.unique(np.concatenate(parts))] * len(names)
    if isinstance(classes, Mapping):
        check_tasks(classes, names, "classes")
        return [np.asarray(classes[name]) if name in classes else None for name in names]
    if long or (len(names) == 1 and not _is_list_of_arrays(classes)):
        return [np.asarray(classes)] * len(names)
    if len(classes) != len(names):
        raise TaskLayoutError(
            f"classes has {len(classes)} entries for {len(names)} task(s); pass one array a task, "
            "or a dict by task name."
        )
    return [None if own is None else np.asarray(own) for own in classes]


def _is_list_of_arrays(classes: Any) -> bool:
    return isinstance(classes, (list, tuple)) and any(
        own is None or np.ndim(own) == 1 for own in classes
    )


def estimator_kinds(
    estimator: Any, layout: TaskLayout | None, true: TrueLabels, task_kinds: Any
) -> list[TaskKind]:
    """Return kinds and classes from what a fitted estimator shows, else from the labels."""
    if layout is not None and task_kinds is None:
        return _layout_kinds(layout, true)
    if task_kinds is None and has_tags(estimator):
        if is_classifier(estimator):
            task_kinds = CLASSIFICATION
        elif is_regressor(estimator):
            task_kinds = REGRESSION
    classes = getattr(estimator, "classes_", None)
    if classes is not None and len(true.names) > 1 and not _is_list_of_arrays(classes):
        # multilabel networks number their outputs there: those are no classes of a task
        classes = classes if true.tasks[0].group is not None else None
    return given_kinds(true, task_kinds, classes)


def has_tags(estimator: Any) -> bool:
    """Return whether it says what it is: a hand-written estimator need not."""
    return hasattr(estimator, "__sklearn_tags__")


def _layout_kinds(layout: TaskLayout, true: TrueLabels) -> list[TaskKind]:
    if layout.is_named and true.is_named:
        by_name = {plain(task.name): task for task in layout.tasks}
        specs = [by_name[name] for name in true.names if name in by_name]
    else:
        specs = list(layout.tasks)
    if len(specs) != len(true.names):
        raise TaskLayoutError(
            f"y has the task(s) {listing(true.names)}, but fit saw {listing(layout.names)}; score "
            "on labels of the same tasks."
        )
    union = layout.classes if layout.rows == LONG else None
    kinds = []
    for spec in specs:
        columns = None
        if union is not None and spec.classes is not None:
            # the probabilities of long form have a column for each class of any task
            columns = np.array([int(np.flatnonzero(union == label)[0]) for label in spec.classes])
        kinds.append(TaskKind(spec.is_classification, spec.classes, columns))
    return kinds
