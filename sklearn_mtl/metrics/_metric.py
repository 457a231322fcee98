"""What a task is scored by, and the loop over tasks that scores them."""

import copy
import warnings
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import get_scorer, get_scorer_names, make_scorer
from sklearn.metrics._scorer import _BaseScorer

from sklearn_mtl.metrics._labels import TaskLabels
from sklearn_mtl.metrics._outputs import OneTask, Outputs
from sklearn_mtl.utils._validation import check_tasks, did_you_mean, listing


@dataclass(frozen=True, eq=False)
class TaskMetric:
    """A scikit-learn scorer with the name that messages call it by."""

    name: str
    scorer: _BaseScorer

    @property
    def methods(self) -> tuple[str, ...]:
        """Estimator methods that it can use, in order of preference."""
        wanted = self.scorer._response_method
        return (wanted,) if isinstance(wanted, str) else tuple(wanted)

    def given_classes(self, classes: np.ndarray | None) -> _BaseScorer:
        """Return the scorer, told all classes: log_loss refuses a fold that lacks one."""
        if "predict" in self.methods or classes is None:
            return self.scorer
        takes, told = signature(self.scorer._score_func).parameters, dict(self.scorer._kwargs)
        if "labels" in takes:
            told.setdefault("labels", classes)
        if len(classes) == 2 and "pos_label" in takes and takes["pos_label"].default is None:
            told.setdefault("pos_label", classes[1])  # the class whose column scorers pick
        scorer = copy.copy(self.scorer)
        scorer._kwargs = told
        return scorer


@dataclass(frozen=True, eq=False)
class TaskKind:
    """Whether a task's labels are classes, which, and where their probabilities are."""

    is_classification: bool
    classes: np.ndarray | None = None
    columns: np.ndarray | None = None


def resolve_metric(metric: Any, owner: str, parameter: str = "metric") -> TaskMetric | None:
    """Return what a name, a scorer or a callable stands for; None for the default of the kind.

    Errors name the owner's parameter.
    """
    if metric is None:
        return None
    if isinstance(metric, str):
        names = get_scorer_names()
        if metric not in names:
            raise ValueError(
                f"{parameter}={metric!r} is no scikit-learn scorer name"
                f"{did_you_mean(metric, names)} sklearn.metrics.get_scorer_names() lists them; "
                f"{owner} also takes a callable metric(y_true, y_pred) or a dict {{task: metric}}."
            )
        return TaskMetric(metric, get_scorer(metric))
    if isinstance(metric, _BaseScorer):
        return TaskMetric(repr(metric), metric)
    if callable(metric):
        return TaskMetric(getattr(metric, "__name__", repr(metric)), make_scorer(metric))
    raise TypeError(
        f"{parameter} must be None, a scikit-learn scorer name, a callable metric(y_true, y_pred) "
        f"or a dict {{task: metric}}, got {type(metric).__name__}."
    )


def resolve_metrics(
    metric: Any, names: Sequence[Hashable], owner: str, parameter: str = "metric"
) -> list[TaskMetric | None]:
    """Return the metric of each task; tasks that a dict lacks get None, the default."""
    if not isinstance(metric, Mapping):
        return [resolve_metric(metric, owner, parameter)] * len(names)
    check_tasks(metric, names, parameter)
    return [resolve_metric(metric.get(name), owner, parameter) for name in names]


def score_tasks(
    outputs: Outputs, kinds: Sequence[TaskKind], metrics: Sequence[TaskMetric | None]
) -> dict[Hashable, float]:
    """Score every task on the labels that count; NaN, and one warning, where none do."""
    default = {kind: resolve_metric(name, "") for kind, name in _DEFAULT.items()}
    scores: dict[Hashable, float] = {}
    unlabelled: list[Hashable] = []
    noted: dict[tuple[type[Warning], str], list[Hashable]] = {}
    for t, (task, kind) in enumerate(zip(outputs.true.tasks, kinds, strict=True)):
        if len(task.rows) == 0:
            unlabelled.append(task.name)
            scores[task.name] = float("nan")
            continue
        metric = metrics[t] or default[kind.is_classification]
        assert metric is not None
        method = next((m for m in metric.methods if outputs.has(m, t)), None)
        if method is None:
            raise ValueError(_lacks_method(task, metric))
        values = outputs.get(method, t)  # may call an estimator, whose errors are its own
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            scores[task.name] = _score_task(
                task, kind, metric, method, values, is_default=metrics[t] is None
            )
        for warning in caught:
            key = (warning.category, str(warning.message))
            noted.setdefault(key, []).append(task.name)
    if unlabelled:
        warnings.warn(
            f"No label of the task(s) {listing(unlabelled)} is observed in y_true, so their score "
            "is NaN; score on rows where they are known.",
            UndefinedMetricWarning,
            stacklevel=4,
        )
    for (category, message), names in noted.items():
        warnings.warn(f"Task(s) {listing(names)}: {message}", category, stacklevel=4)
    return scores


_DEFAULT = {True: "accuracy", False: "r2"}  # is_classification -> scorer name


def _score_task(
    task: TaskLabels,
    kind: TaskKind,
    metric: TaskMetric,
    method: str,
    values: np.ndarray,
    *,
    is_default: bool,
) -> float:
    weights = {}
    if task.weights is not None:
        if not metric.scorer._accept_sample_weight():
            raise ValueError(
                f"Task {task.name!r}: the metric {metric.name!r} takes no sample_weight; leave "
                "sample_weight=None or choose another metric."
            )
        weights = {"sample_weight": task.weights}
    labels, classes = task.labels, kind.classes
    if not kind.is_classification:
        classes = None
        if "predict" not in metric.methods and task.column.content != "text":
            # a metric of probabilities says that the labels are classes
            classes = np.unique(task.column.labels) if kind.classes is None else kind.classes
    one = OneTask(method, values, classes, kind.columns)
    scorer = metric.given_classes(classes)
    try:
        return float(scorer(one, None, labels, **weights))
    except (ValueError, TypeError) as error:
        hint = (
            "Integer, boolean and text labels are classes; task_kinds={task: 'regression'} makes "
            "a regression task of one."
            if is_default and kind.is_classification
            else "metric={task: metric} gives tasks different metrics."
        )
        reason = str(error).rstrip(". ")
        raise ValueError(
            f"Task {task.name!r} cannot be scored by {metric.name!r}: {reason}. {hint}"
        ) from error


def _lacks_method(task: TaskLabels, metric: TaskMetric) -> str:
    if "predict" in metric.methods:
        return (
            f"Task {task.name!r}: the metric {metric.name!r} scores predicted labels, but "
            "only y_score was given; pass y_pred."
        )
    return (
        f"Task {task.name!r}: the metric {metric.name!r} needs {' or '.join(metric.methods)}, "
        "which predicted labels are not; pass what the estimator's method returned as y_score=, "
        "or score an estimator that has the method by make_task_scorer."
    )


def average_scores(scores: Mapping[Hashable, float], weights: np.ndarray | None = None) -> float:
    """Return the mean of the scores that are not NaN, which must be some.

    Parameters
    ----------
    scores : mapping name -> float
    weights : ndarray of shape (T,), default=None
        Weights of the mean; None for equal ones.
    """
    values = defined_scores(scores)
    known = ~np.isnan(values)
    return float(np.average(values[known], weights=None if weights is None else weights[known]))


def defined_scores(scores: Mapping[Hashable, float]) -> np.ndarray:
    """Return the scores, of which at least one must not be NaN."""
    values = np.array(list(scores.values()))
    if np.isnan(values).all():
        raise ValueError(
            f"No task has a score: that of {listing(scores)} is NaN; score on rows whose labels "
            "are observed (R² needs two)."
        )
    return values
