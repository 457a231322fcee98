"""Scores turned into errors, which relative gains are relative to."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from sklearn import metrics

from sklearn_mtl.metrics._metric import TaskMetric, resolve_metric, resolve_metrics
from sklearn_mtl.utils._validation import plain

# scores of which 1 is the best: 1 - score is an error, 0 for what cannot be improved
_BEST_IS_ONE = frozenset(
    {
        metrics.accuracy_score,
        metrics.average_precision_score,
        metrics.balanced_accuracy_score,
        metrics.d2_absolute_error_score,
        metrics.d2_log_loss_score,
        metrics.d2_pinball_score,
        metrics.d2_tweedie_score,
        metrics.explained_variance_score,
        metrics.f1_score,
        metrics.fbeta_score,
        metrics.jaccard_score,
        metrics.matthews_corrcoef,
        metrics.precision_score,
        metrics.r2_score,
        metrics.recall_score,
        metrics.roc_auc_score,
        metrics.top_k_accuracy_score,
    }
)

ROUNDING = 1e-10  # relative to labels: least squares of a condition number of 1e5 err by as much

_LOSSES = ("_error", "_loss", "_deviance")  # scikit-learn's functions that are to be minimised


def check_scoring(scoring: Any, names: Sequence[Hashable], owner: str) -> list[TaskMetric | None]:
    """Return the metric of each task, None for the default; each says what its error is."""
    resolved = resolve_metrics(scoring, names, owner, "scoring")
    for metric in resolved:
        if metric is not None:
            best_score(metric)
    return resolved


def default_metric(is_classification: bool, has_probabilities: bool) -> TaskMetric:
    """Return root mean squared error, log loss, or, without probabilities, accuracy."""
    if not is_classification:
        name = "neg_root_mean_squared_error"
    else:
        name = "neg_log_loss" if has_probabilities else "accuracy"
    metric = resolve_metric(name, "transfer_report")
    assert metric is not None
    return metric


def best_score(metric: TaskMetric) -> float:
    """Return the score without any error; ``best_score(metric) - score`` is the error."""
    function = metric.scorer._score_func
    if metric.scorer._sign < 0:
        return 0.0
    if function in _BEST_IS_ONE:
        return 1.0
    name = getattr(function, "__name__", repr(function))
    advice = (
        f"; {name} looks like a loss: pass make_scorer({name}, greater_is_better=False)"
        if name.endswith(_LOSSES)
        else ""
    )
    raise ValueError(
        f"scoring={metric.name!r} has no error that a gain could be relative to{advice}. Pass a "
        "score of which 1 is the best (such as 'r2', 'accuracy', 'roc_auc', whose error is 1 - "
        "score), a 'neg_...' score, or make_scorer(loss, greater_is_better=False)."
    )


def errors(
    scores: np.ndarray, best: np.ndarray, names: Sequence[Hashable], what: str
) -> np.ndarray:
    """Return errors (T, n_splits) of scores (T, n_splits), which must not be negative."""
    found = best[:, None] - scores
    # rounding may leave a perfect score an eps above 1
    negative = (found < -1e-9).any(axis=1)
    if negative.any():
        t = int(np.argmax(negative))
        raise ValueError(
            f"Task {plain(names[t])!r}: scoring gives the {what} an error of "
            f"{np.nanmin(found[t]):.3g}, but gains are relative to errors, which are not negative; "
            "choose another scoring."
        )
    return np.maximum(found, 0.0)


def rounding_error(metric: TaskMetric, is_classification: bool, labels: np.ndarray) -> float:
    """Return an error that is no more than rounding, for these labels."""
    if is_classification or best_score(metric) > 0:
        return ROUNDING  # of errors without units
    function, options = metric.scorer._score_func, metric.scorer._kwargs
    return float(function(labels, labels * (1.0 + ROUNDING), **options))
