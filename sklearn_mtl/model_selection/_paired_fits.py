"""Both sides of a comparison, fitted and scored on the same split from the same seed."""

import copy
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import UndefinedMetricWarning

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.metrics._kinds import estimator_kinds
from sklearn_mtl.metrics._metric import TaskKind, TaskMetric, score_tasks
from sklearn_mtl.metrics._outputs import METHODS, EstimatorOutputs
from sklearn_mtl.model_selection._comparison_rows import ComparisonRows
from sklearn_mtl.model_selection._task_errors import default_metric, rounding_error
from sklearn_mtl.tasks._nested import find_layout
from sklearn_mtl.utils._validation import listing, plain


@dataclass(frozen=True, eq=False)
class SplitResult:
    """What one split tells; the sides are baseline and multi-task, in that order.

    Attributes
    ----------
    scores : ndarray of shape (2, T)
        NaN for tasks without a label in the test part, or whose labels leave the score undefined.
    seconds : ndarray of shape (2,)
        Spent in ``fit``.
    metrics : list of T TaskMetric
    rounding : ndarray of shape (T,)
        Errors that are no more than rounding; NaN for tasks without a label.
    """

    scores: np.ndarray
    seconds: np.ndarray
    metrics: list[TaskMetric]
    rounding: np.ndarray


def compare_on_split(
    sides: Sequence[Any],
    rows: ComparisonRows,
    split: tuple[np.ndarray, np.ndarray],
    seed: int,
    metrics: Sequence[TaskMetric | None],
    number: int,
) -> SplitResult:
    """Fit clones of both sides on the training part, and score them on the test part."""
    try:
        return _compare(sides, rows, split, seed, metrics)
    except Exception as error:
        error.add_note(f"This was in split {number} of cv, which counts from 0.")
        raise


def _compare(
    sides: Sequence[Any],
    rows: ComparisonRows,
    split: tuple[np.ndarray, np.ndarray],
    seed: int,
    metrics: Sequence[TaskMetric | None],
) -> SplitResult:
    train, test = split
    X, y, sample_weight = rows.part(train)
    weights = {} if sample_weight is None else {"sample_weight": sample_weight}
    models, seconds = [], []
    for side in sides:
        model = seeded(side, seed)
        begin = perf_counter()
        models.append(model.fit(X, y, **weights))
        seconds.append(perf_counter() - begin)
    X, y, sample_weight = rows.part(test)
    true = rows.read_part(X, y, sample_weight)
    kinds = []
    for model in models:
        layout = find_layout(model)[0]
        if layout is not None and set(layout.names) != set(true.names) and layout.is_named:
            raise TaskLayoutError(
                f"{type(model).__name__} was fitted to the task(s) {listing(layout.names)}, but y "
                f"has {listing(true.names)}; give both sides the same tasks."
            )
        kinds.append(estimator_kinds(model, layout, true, None))
    has_probabilities = all(hasattr(model, "predict_proba") for model in models)
    used = [
        metric or default_metric(kind.is_classification, has_probabilities)
        for metric, kind in zip(metrics, kinds[1], strict=True)
    ]
    scores = []
    for model, kind in zip(models, kinds, strict=True):
        methods = {method for method in METHODS if hasattr(model, method)}
        outputs = EstimatorOutputs(true, lambda method, m=model: getattr(m, method)(X), methods)
        with warnings.catch_warnings():
            # tasks without labels or scores here are told of for all splits at once
            warnings.simplefilter("ignore", UndefinedMetricWarning)
            try:
                scores.append(list(score_tasks(outputs, kind, used).values()))
            except ValueError as error:
                _explain_by_absent_classes(rows, split, kind, error)
                raise
    rounding = [
        rounding_error(metric, kind.is_classification, task.labels) if len(task.rows) else np.nan
        for metric, kind, task in zip(used, kinds[1], true.tasks, strict=True)
    ]
    return SplitResult(np.array(scores), np.array(seconds), used, np.array(rounding))


def _explain_by_absent_classes(
    rows: ComparisonRows,
    split: tuple[np.ndarray, np.ndarray],
    kinds: Sequence[TaskKind],
    error: ValueError,
) -> None:
    """Raise a TaskLayoutError where a test part has classes that its training part lacks."""
    learned, asked = (rows.read_part(*rows.part(part)).tasks for part in split)
    for kind, ours, theirs in zip(kinds, learned, asked, strict=True):
        if not kind.is_classification:
            continue
        known = set(ours.labels.tolist())
        unknown = [label for label in np.unique(theirs.labels).tolist() if label not in known]
        if unknown:
            raise TaskLayoutError(
                f"Task {plain(ours.name)!r} has labels of class(es) {listing(unknown)} in a test "
                "part, but none in the training part of that split, so no model can know them; "
                "add rows of them, leave them out, or choose a scoring of predicted labels such as "
                "'accuracy'."
            ) from error


def seeded(estimator: Any, seed: int) -> Any:
    """Return a clone in which whatever draws at random without a seed has this one."""
    model = clone(estimator)
    unset = {
        name: seed
        for name, value in model.get_params(deep=True).items()
        if value is None and (name == "random_state" or name.endswith("__random_state"))
    }
    for name, value in model.get_params(deep=True).items():
        draws = hasattr(value, "split") and getattr(value, "shuffle", True)
        if draws and getattr(value, "random_state", 0) is None:  # an inner splitter
            splitter = copy.copy(value)
            splitter.random_state = seed
            unset[name] = splitter
    return model.set_params(**unset)
