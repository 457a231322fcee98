"""Which loss, activation and smoothing each task has, and what is known of them before training."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq

from sklearn_mtl.tasks import TaskData, TaskLayout, TaskSpec
from sklearn_mtl.tasks._activations import ACTIVATIONS
from sklearn_mtl.tasks._outputs import DEFAULT_LOSS, LossFunction, OutputGroup, OutputSpec
from sklearn_mtl.utils._validation import check_tasks, did_you_mean, listing, plain


def _mean(labels: np.ndarray, weights: np.ndarray) -> float:
    return float(np.average(labels, weights=weights))


def _median(labels: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(labels)
    below = np.cumsum(weights[order])
    return float(labels[order[np.searchsorted(below, below[-1] / 2)]])


def _huber_location(labels: np.ndarray, weights: np.ndarray) -> float:
    def slope(constant: float) -> float:
        return float(weights @ np.clip(labels - constant, -1.0, 1.0))

    return float(brentq(slope, labels.min(), labels.max()))


@dataclass(frozen=True)
class NumberLoss:
    """What is known of a loss of numbers before training.

    Attributes
    ----------
    best_constant : callable (labels (n,), weights (n,)) -> float
        The constant prediction of least mean loss.
    activations : tuple of str
        Those that fit, the default first.
    is_variance : bool
        Whether the least mean loss of a constant is the variance, which standardising makes 1.
    """

    best_constant: Callable[[np.ndarray, np.ndarray], float]
    activations: tuple[str, ...] = tuple(ACTIVATIONS)
    is_variance: bool = False


NUMBER_LOSSES = {
    "squared_error": NumberLoss(_mean, is_variance=True),
    "absolute_error": NumberLoss(_median),
    "huber": NumberLoss(_huber_location),
    "poisson": NumberLoss(_mean, ("exp", "softplus")),
}
CLASS_LOSSES = ("log_loss",)

_OWN = NumberLoss(_mean)


def number_loss(spec: OutputSpec) -> NumberLoss:
    """Return what is known of the loss of a task of numbers; of a caller's own little is."""
    return _OWN if isinstance(spec.loss, LossFunction) else NUMBER_LOSSES[spec.loss]


def output_specs(
    tasks: Sequence[TaskSpec],
    *,
    loss: Any,
    output_activation: Any,
    label_smoothing: Any,
    owner: str,
) -> list[OutputSpec]:
    """Return the loss, activation and smoothing of each task.

    A word that does not fit a task is a ValueError that lists those that do. The parameters are
    those of the estimators.
    """
    numbers = [task for task in tasks if not task.is_classification]
    classes = [task for task in tasks if task.is_classification]
    losses = by_task(loss, tasks, tasks, "loss")
    activations = by_task(output_activation, numbers, tasks, "output_activation")
    smoothings = by_task(label_smoothing, classes, tasks, "label_smoothing")
    specs = []
    for task in tasks:
        own = _loss(task, losses.get(task.name), owner)
        if task.is_classification:
            smoothing = _smoothing(task, smoothings.get(task.name), own)
            specs.append(OutputSpec(own, smoothing=smoothing))
        else:
            activation = _activation(task, activations.get(task.name), own, owner)
            specs.append(OutputSpec(own, activation))
    return specs


def by_task(
    value: Any, takers: Sequence[TaskSpec], tasks: Sequence[TaskSpec], parameter: str
) -> Mapping[Any, Any]:
    """Return a parameter's value by the name of each task that takes it.

    Parameters
    ----------
    value : object, or dict name -> object
    takers : sequence of TaskSpec
        Tasks of the kind that the parameter is for.
    tasks : sequence of TaskSpec
        All tasks.
    """
    if not isinstance(value, Mapping):
        return {task.name: value for task in takers}
    kinds = {task.name: task.kind for task in tasks}
    check_tasks(value, kinds, parameter)
    names = [task.name for task in takers]
    for name in value:
        if name not in names:
            raise ValueError(
                f"{parameter} names task {plain(name)!r}, which is {kinds[name]}; it is for "
                f"{listing(names) if names else 'tasks of another kind'}."
            )
    return value


def _loss(task: TaskSpec, loss: Any, owner: str) -> str | LossFunction:
    if loss is None:
        return DEFAULT_LOSS[task.kind]
    if isinstance(loss, type):
        raise ValueError(
            f"The 'loss' parameter of {owner}: task {plain(task.name)!r} has the class "
            f"{loss.__name__}; pass an instance, {loss.__name__}()."
        )
    if callable(loss):
        # a copy: what the caller does to a module later must not reach what was fitted
        return LossFunction(deepcopy(loss), task.name)
    fitting = CLASS_LOSSES if task.is_classification else tuple(NUMBER_LOSSES)
    if loss in fitting:
        return str(loss)
    known = loss in CLASS_LOSSES or loss in NUMBER_LOSSES
    raise ValueError(
        f"The 'loss' parameter of {owner}: task {plain(task.name)!r} is {task.kind}, which takes "
        f"{listing(fitting)}, or a function that returns one value per row. Got {loss!r} "
        f"instead{'' if known else did_you_mean(loss, fitting)}; a dict gives each task its own."
    )


def _activation(task: TaskSpec, activation: Any, loss: str | LossFunction, owner: str) -> str:
    fitting = number_loss(OutputSpec(loss)).activations
    if activation is None:
        return fitting[0]
    if activation in fitting:
        return str(activation)
    with_loss = "its own loss" if isinstance(loss, LossFunction) else f"loss {loss!r}"
    raise ValueError(
        f"The 'output_activation' parameter of {owner}: task {plain(task.name)!r} has {with_loss}, "
        f"which takes {listing(fitting)}. Got {activation!r} "
        f"instead{did_you_mean(activation, fitting)}."
    )


def _smoothing(task: TaskSpec, smoothing: Any, loss: str | LossFunction) -> float:
    if smoothing is None:
        return 0.0
    if not isinstance(smoothing, (int, float, np.number)) or not 0 <= smoothing < 1:
        raise ValueError(
            f"label_smoothing of task {plain(task.name)!r} must be a number of at least 0 and less "
            f"than 1, got {plain(smoothing)!r}."
        )
    if smoothing and isinstance(loss, LossFunction):
        raise ValueError(
            f"label_smoothing is for the loss 'log_loss', but task {plain(task.name)!r} has its "
            "own; smooth there, and give label_smoothing as a dict of the other tasks."
        )
    return float(smoothing)


def check_label_ranges(layout: TaskLayout, data: TaskData, groups: Sequence[OutputGroup]) -> None:
    """Raise a ValueError for a task with labels that its activation never predicts."""
    for group in groups:
        activation = ACTIVATIONS[group.spec.activation]
        if not activation.is_bounded:
            continue
        for t in group.tasks:
            labels = data.column(data.labels, t, data.rows(t))  # type: ignore[arg-type]
            outside = (labels < activation.least) | (labels > activation.most)
            if outside.any():
                span = "below 0" if activation.has_unit else "outside 0 to 1"
                loss = group.spec.loss
                whose = "its own loss" if isinstance(loss, LossFunction) else f"loss {loss!r}"
                raise ValueError(
                    f"Task {plain(layout.names[t])!r} has {outside.sum()} label(s) {span}, such as "
                    f"{plain(labels[outside][0])!r}, but {whose} with output activation "
                    f"{group.spec.activation!r} is for others; drop or rescale them, or choose "
                    "loss='squared_error' with output_activation='identity'."
                )
