"""The coefficients of any linear model of several tasks, with what their rows and columns are."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_mtl.convex import coef_rows
from sklearn_mtl.tasks import TaskLayout
from sklearn_mtl.tasks._linear_models import LinearModel, common_features, linear_models
from sklearn_mtl.utils._validation import plain


@dataclass(frozen=True, eq=False)
class CoefficientTable:
    """Coefficients with M rows, one for each output: a task of K > 2 classes has K.

    Attributes
    ----------
    coef : ndarray of shape (M, p)
    row_names : list of M names
    feature_names : list of p names
    shared : ndarray of shape (n_shared, p) or None
        What all rows have in common; several where classes have parts of their own.
    specific : ndarray of shape (M, p) or None
        ``coef`` less the shared part of its row.
    shared_names : list of n_shared names, or None
    """

    coef: np.ndarray
    row_names: list[Hashable]
    feature_names: list[Hashable]
    shared: np.ndarray | None = None
    specific: np.ndarray | None = None
    shared_names: list[Hashable] | None = None


def read_coefficients(estimator: Any, needed_for: str) -> CoefficientTable:
    """Return the coefficients of a fitted model, in pipelines, searches and compositions too."""
    check_is_fitted(estimator)
    models = linear_models(estimator)
    if not models:
        raise TypeError(
            f"{needed_for} shows coefficients of features, which {type(estimator).__name__} has "
            "not: pass a fitted linear model, without a kernel, or IndependentTasks of some. "
            "task_permutation_importance says of any model which features matter."
        )
    features = common_features(models, f"{needed_for} shows tasks by features")
    coef = np.concatenate([block for model in models for block in model.coef])
    rows = [name for model in models for name in _names_of_rows(model)]
    # models side by side share nothing
    shared = _shared(models[0].model) if len(models) == 1 else None
    if shared is None:
        return CoefficientTable(coef, rows, features)
    block = coef_rows(models[0].model.layout_.tasks).block
    firsts = [int(np.argmax(block == b)) for b in range(len(shared))]
    shared_names: list[Hashable] = (
        ["all tasks"] if len(shared) == 1 else [f"as {rows[first]}" for first in firsts]
    )
    return CoefficientTable(coef, rows, features, shared, coef - shared[block], shared_names)


def row_names(layout: TaskLayout) -> list[Hashable]:
    """Return a name for each output of each task: a task of K > 2 classes has K."""
    names: list[Hashable] = []
    for task in layout.tasks:
        if task.n_outputs == 1 or task.classes is None:
            names.append(plain(task.name))
        else:
            names += [f"{task.name} = {label}" for label in task.classes.tolist()]
    return names


def _shared(model: Any) -> np.ndarray | None:
    """Return what the rows of coef_ have in common, one row for each block, None for nothing."""
    shared = getattr(model, "shared_coef_", None)
    # a population learned from labels in units of each task is not in the units of coef_
    if shared is None and getattr(model, "target_scaling", None) is None:
        shared = getattr(model, "prior_mean_", None)
    return None if shared is None or not np.any(shared) else np.atleast_2d(shared)


def _names_of_rows(model: LinearModel) -> list[Hashable]:
    names: list[Hashable] = []
    for name, coef, classes in zip(model.names, model.coef, model.classes, strict=True):
        if len(coef) == 1:
            names.append("task0" if name is None else plain(name))
        elif name is None:
            names += [plain(label) for label in classes]
        else:
            names += [f"{name} = {plain(label)}" for label in classes]
    return names
