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
from sklearn_mtl.metrics._metric import TaskMetric, score_tasks
from sklearn_mtl.metrics._outputs import METHODS, EstimatorOutputs
from sklearn_mtl.model_selection._comparison_rows import ComparisonRows
from sklearn_mtl.model_selection._task_errors import default_metric
from sklearn_mtl.tasks._nested import find_layout
from sklearn_mtl.utils._validation import listing


@dataclass(frozen=True, eq=False)
class SplitResult:
    """What one split tells; the sides are baseline and multi-task, in that order.

    Attributes
    ----------
    scores : ndarray of shape (2, T)
        NaN for tasks without a label in the test part.
    seconds : ndarray of shape (2,)
        Spent in ``fit``.
    metrics : list of T TaskMetric
    """

    scores: np.ndarray
    seconds: np.ndarray
    metrics: list[TaskMetric]


def compare_on_split(
    sides: Sequence[Any],
    rows: ComparisonRows,
    split: tuple[np.ndarray, np.ndarray],
    seed: int,
    metrics: Sequence[TaskMetric | None],
) -> SplitResult:
    """Fit clones of both sides on the training part, and score them on the test part."""
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
            # tasks without a label here have been told of, for all splits at once
            warnings.filterwarnings("ignore", "No label of the task", UndefinedMetricWarning)
            scores.append(list(score_tasks(outputs, kind, used).values()))
    return SplitResult(np.array(scores), np.array(seconds), used)


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
