"""Weights of classes, which multiply those of labels."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np

from sklearn_mtl.neural_network._losses import by_task
from sklearn_mtl.tasks import TaskData, TaskLayout, TaskSpec
from sklearn_mtl.utils._validation import did_you_mean, listing, plain

BALANCED = "balanced"


def resolve_class_weight(
    class_weight: Any, layout: TaskLayout, data: TaskData
) -> dict[int, np.ndarray]:
    """Return the weight of each class, by the number of each task that weighs its classes.

    Parameters
    ----------
    class_weight : None, "balanced", dict class -> float, or dict name -> one of these
        "balanced" is n / (K n_k), with n_k the sum of the sample weights of the task's labels of
        class k, n that of all and K the number of classes among them. Classes that a dict leaves
        out have 1.
    layout : TaskLayout
    data : TaskData
        Whose labels "balanced" counts.
    """
    if class_weight is None:
        return {}
    classified = [task for task in layout.tasks if task.is_classification]
    if weighs_classes_of_all(class_weight):
        _check_classes(class_weight, classified, "class_weight")
        class_weight = {
            task.name: {k: w for k, w in class_weight.items() if k in task.classes.tolist()}  # type: ignore[union-attr]
            for task in classified
        }
    weights = by_task(class_weight, classified, layout.tasks, "class_weight")
    return {
        t: _of_task(task, weights[task.name], t, data)
        for t, task in enumerate(layout.tasks)
        if weights.get(task.name) is not None
    }


def weighs_classes_of_all(class_weight: Any) -> bool:
    """Return whether a class_weight is a dict class -> float, for all tasks."""
    return isinstance(class_weight, Mapping) and all(
        isinstance(weight, Real) for weight in class_weight.values()
    )


def _of_task(task: TaskSpec, weight: Any, t: int, data: TaskData) -> np.ndarray:
    assert task.classes is not None
    if isinstance(weight, str) and weight == BALANCED:
        return _balanced(t, len(task.classes), data)
    where = f"class_weight of task {plain(task.name)!r}"
    if not isinstance(weight, Mapping):
        raise ValueError(f"{where} must be 'balanced' or a dict class -> float, got {weight!r}.")
    _check_classes(weight, [task], where)
    number = {label: code for code, label in enumerate(task.classes.tolist())}
    result = np.ones(len(number))
    for label, value in weight.items():
        if not isinstance(value, Real) or not 0 <= float(value) < np.inf:
            raise ValueError(
                f"{where} must hold finite numbers that are not negative, got {plain(value)!r} "
                f"for class {plain(label)!r}."
            )
        result[number[label]] = value
    return result


def _balanced(t: int, n_classes: int, data: TaskData) -> np.ndarray:
    rows = data.rows(t)
    codes = data.column(data.labels, t, rows).astype(int)  # type: ignore[arg-type]
    mass = None if data.weights is None else data.column(data.weights, t, rows)
    count = np.bincount(codes, mass, minlength=n_classes).astype(np.float64)
    seen = count > 0
    # a class that only later calls have labels of counts as they come
    return np.divide(count.sum() / seen.sum(), count, out=np.ones(n_classes), where=seen)


def _check_classes(given: Mapping[Any, Any], tasks: Sequence[TaskSpec], where: str) -> None:
    known = {label: None for task in tasks for label in task.classes.tolist()}  # type: ignore[union-attr]
    for label in given:
        if label not in known:
            raise ValueError(
                f"{where} names {plain(label)!r}, which is no class; the classes are "
                f"{listing(known)}{did_you_mean(label, known)}."
            )


def weigh_classes(data: TaskData, class_weight: Mapping[int, np.ndarray]) -> TaskData:
    """Return the labels with weights multiplied by those of their classes.

    A label of weight 0 is one not observed.
    """
    if not class_weight:
        return data
    labels: np.ndarray = data.labels  # type: ignore[assignment]
    observed: np.ndarray = data.observed  # type: ignore[assignment]
    weights = np.ones(labels.shape) if data.weights is None else data.weights.copy()
    for t, weight in class_weight.items():
        rows = data.rows(t)
        here = rows if labels.ndim == 1 else (rows, t)
        weights[here] *= weight[labels[here].astype(int)]
    return replace(data, observed=observed & (weights > 0), weights=weights)
