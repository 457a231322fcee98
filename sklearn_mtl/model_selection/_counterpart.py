"""The single-task counterpart of a multi-task estimator: everything equal but the sharing."""

import copy
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import get_tags

from sklearn_mtl.compose import IndependentTasks
from sklearn_mtl.compose._base import BaseComposition
from sklearn_mtl.compose._tags import is_tagged
from sklearn_mtl.model_selection._decoupled import Decoupled, decoupled
from sklearn_mtl.model_selection._grouping import TaskGrouping
from sklearn_mtl.model_selection._search_space import rename_space, search_space
from sklearn_mtl.tasks._chosen import ChosenTasks, parameters_for
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
    searches = [one for one in levels(estimator) if isinstance(one.estimator, BaseSearchCV)]
    if isinstance(inner.estimator, BaseComposition):
        if isinstance(inner.estimator, TaskGrouping):
            _refuse_searches(inner, searches)
            made = single_task_counterpart(inner.parameter("estimator"), names, n_observed)
        else:
            made = _of_composition(inner)
        found = inner.set_in(clone(estimator), made)
        _check_candidates(inner, searches, found)
        return found
    outer = searches[0] if searches else inner
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


def _refuse_searches(inner: Nested, searches: Sequence[Nested]) -> None:
    if searches:
        raise ValueError(
            f"A search over {type(inner.estimator).__name__} tries what single tasks have not; "
            f"search inside it instead, or {_PASS_BASELINE}, a search over as many candidates."
        )


def _check_candidates(inner: Nested, searches: Sequence[Nested], found: Any) -> None:
    """Raise a ValueError where a search tries parameters that the counterpart has not."""
    known = found.get_params(deep=True)
    for search in searches:
        tried = [name for space in search_space(search.estimator) for name in space]
        absent = [name for name in tried if f"{search.prefix}estimator__{name}" not in known]
        if absent:
            raise ValueError(
                f"The search tries {listing(dict.fromkeys(absent))}, which "
                f"{type(inner.estimator).__name__} has and single tasks have not; {_PASS_BASELINE}"
                ", a search over as many candidates."
            )


def _task_by_task(
    estimator: Any, names: Sequence[Hashable], n_observed: np.ndarray
) -> IndependentTasks:
    """Return IndependentTasks of an estimator, or of a search over it, told of no other task."""
    inner = innermost(estimator)
    _check_takes_one_task(inner)
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
    if weight is not None:
        # λ_t loss_t + penalty: the weight says how strong the penalty is for the task
        weight = resolve_task_weight(weight, names, n_observed)
    by_task = {}
    for t, name in enumerate(names):
        own = clone(single)
        if weight is not None:
            own.set_params(**{f"{inner.prefix}task_weight": [weight[t]]})
        by_task[name] = _decouple(own, name, names)
    if len({repr(own) for own in by_task.values()}) == 1:
        return IndependentTasks(by_task[names[0]], **of_tasks)
    return IndependentTasks(by_task, **of_tasks)


def _decouple(estimator: Any, task: Hashable, names: Sequence[Hashable]) -> Any:
    """Return the estimator, or search, of one task where tasks share nothing."""
    inner = innermost(estimator)
    alone = decoupled(inner.estimator, task, names)
    _check_says_nothing_of_tasks(alone, task, names)
    searches = [one for one in levels(estimator) if isinstance(one.estimator, BaseSearchCV)]
    if not hasattr(inner.estimator, "decoupled") or not searches:
        return inner.set_in(estimator, alone)
    for search in searches:
        path = inner.prefix.removeprefix(f"{search.prefix}estimator__")
        rename_space(
            search.estimator,
            path,
            f"{path}estimator__",
            lambda candidate: Decoupled(candidate, task, names),
        )
    # what it is depends on the candidate
    return inner.set_in(estimator, Decoupled(inner.estimator, task, names))


def _check_takes_one_task(inner: Nested) -> None:
    """Raise a ValueError where the estimator says that it takes no single column of labels."""
    if is_tagged(inner.estimator) and not get_tags(inner.estimator).target_tags.single_output:
        raise ValueError(
            f"{type(inner.estimator).__name__} has no single-task counterpart of its own: it takes "
            f"several columns of labels only; {_PASS_BASELINE}."
        )


def _check_says_nothing_of_tasks(alone: Any, task: Hashable, names: Sequence[Hashable]) -> None:
    """Raise a ValueError where a parameter names tasks, which a single column of labels has not."""
    if hasattr(alone, "_parameters_for"):
        chosen = ChosenTasks(list(names), [names.index(task)], [task])
        said = parameters_for(alone, chosen)
    else:  # of others, a dict with a task's name in it is taken for one by task
        params = alone.get_params() if hasattr(alone, "get_params") else {}
        said = {
            key: value
            for key, value in params.items()
            if isinstance(value, Mapping) and any(name in value for name in names)
        }
    about = [key for key, value in said.items() if isinstance(value, Mapping)]
    if about:
        raise ValueError(
            f"{type(alone).__name__} has no single-task counterpart: {listing(about)} says "
            f"something of several tasks; {_PASS_BASELINE}."
        )
