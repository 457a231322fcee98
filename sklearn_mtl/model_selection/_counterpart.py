"""The single-task counterpart of a multi-task estimator: everything equal but the sharing."""

import copy
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection._search import BaseSearchCV

from sklearn_mtl.compose import IndependentTasks
from sklearn_mtl.compose._base import BaseComposition
from sklearn_mtl.model_selection._search_space import search_space
from sklearn_mtl.tasks._nested import Nested, innermost, levels, own_parameters
from sklearn_mtl.tasks._weights import resolve_task_weight
from sklearn_mtl.utils._validation import listing

_PASS_BASELINE = "pass baseline=, such as IndependentTasks(<an estimator of one task>)"


def single_task_counterpart(
    estimator: Any, names: Sequence[Hashable], n_observed: np.ndarray
) -> Any:
    """Return the baseline that `transfer_report` documents for ``baseline=None``.

    Parameters
    ----------
    estimator : estimator
        Of several tasks, or a pipeline that ends with one, or a search over either.
    names : sequence of T names
    n_observed : ndarray of shape (T,)
        Observed labels.
    """
    inner = innermost(estimator)
    if "sharing" in own_parameters(inner.estimator) and not _searches_sharing(estimator):
        if inner.parameter("sharing") == "separate":
            raise ValueError(
                f"{type(inner.estimator).__name__} has sharing='separate', which shares nothing to "
                f"gain from; set another scheme, or {_PASS_BASELINE}."
            )
        return clone(estimator).set_params(**{f"{inner.prefix}sharing": "separate"})
    if isinstance(inner.estimator, BaseComposition):
        return inner.set_in(clone(estimator), _of_composition(inner))
    outer = next(
        (level for level in levels(estimator) if isinstance(level.estimator, BaseSearchCV)), inner
    )
    return outer.set_in(clone(estimator), _task_by_task(outer.estimator, names, n_observed))


def _searches_sharing(estimator: Any) -> bool:
    """Return whether a search tries sharing schemes, or parameters of one."""
    tail = f"{innermost(estimator).prefix}sharing"
    for level in levels(estimator):
        if isinstance(level.estimator, BaseSearchCV):
            key = tail.removeprefix(f"{level.prefix}estimator__")
            tried = {name for space in search_space(level.estimator) for name in space}
            return any(name == key or name.startswith(f"{key}__") for name in tried)
    return False


def _of_composition(inner: Nested) -> IndependentTasks:
    """Return what a composition is made of, one for each task and nothing between them."""
    wrapped = inner.parameter("estimator")
    if isinstance(inner.estimator, IndependentTasks) or wrapped is None:
        raise ValueError(
            f"{type(inner.estimator).__name__} has no single-task counterpart of its own; "
            f"{_PASS_BASELINE}."
        )
    options = {key: inner.parameter(key) for key in ("task_kinds", "task_feature", "n_jobs")}
    wrapped = wrapped if isinstance(wrapped, Mapping) else clone(wrapped)
    return IndependentTasks(wrapped, **options)


def _task_by_task(
    estimator: Any, names: Sequence[Hashable], n_observed: np.ndarray
) -> IndependentTasks:
    """Return IndependentTasks of an estimator, or of a search over it, told of no other task."""
    inner = innermost(estimator)
    _check_says_nothing_of_tasks(inner, names)
    of_tasks = {
        key: inner.parameter(key)
        for key in ("task_feature", "task_kinds")
        if inner.parameter(key) is not None
    }
    if "task_feature" in of_tasks and inner.in_pipeline:
        raise ValueError(
            "A search over a pipeline in long form has no single-task counterpart: its steps see "
            f"a task column that single tasks do not have; {_PASS_BASELINE}."
        )
    single = clone(estimator).set_params(**{f"{inner.prefix}{key}": None for key in of_tasks})
    if getattr(getattr(single, "cv", None), "task_feature", None) is not None:
        single.cv = copy.copy(single.cv)
        single.cv.task_feature = None
    weight = inner.parameter("task_weight")
    if weight is None:
        return IndependentTasks(single, **of_tasks)
    # λ_t loss_t + penalty: the weight says how strong the penalty is for the task
    weights = resolve_task_weight(weight, names, n_observed)
    key = f"{inner.prefix}task_weight"
    by_task = {
        name: clone(single).set_params(**{key: [value]})
        for name, value in zip(names, weights, strict=True)
    }
    return IndependentTasks(by_task, **of_tasks)


def _check_says_nothing_of_tasks(inner: Nested, names: Sequence[Hashable]) -> None:
    """Raise a ValueError where a parameter is about several tasks, so that none can have it."""
    params = inner.estimator.get_params() if hasattr(inner.estimator, "get_params") else {}
    about = [
        key
        for key, value in params.items()
        if key not in ("task_weight", "task_kinds")
        and (
            (isinstance(value, Mapping) and any(name in value for name in names))
            or (key.rpartition("__")[2] == "graph" and value is not None)
        )
    ]
    if about:
        raise ValueError(
            f"{type(inner.estimator).__name__} has no single-task counterpart: {listing(about)} "
            f"says something of several tasks; {_PASS_BASELINE}."
        )
