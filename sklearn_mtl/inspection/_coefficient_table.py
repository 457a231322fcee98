"""The coefficients of any linear model of several tasks, with what their rows and columns are."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sklearn_mtl.convex import coef_rows
from sklearn_mtl.tasks import TaskLayout
from sklearn_mtl.tasks._layout import LONG
from sklearn_mtl.tasks._long import find_column
from sklearn_mtl.tasks._nested import find_owner
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
    """Return the coefficients of a fitted model, in pipelines, searches and one a task too."""
    check_is_fitted(estimator)
    model = find_owner(estimator, "coef_")
    if model is None:
        return _one_model_a_task(estimator, needed_for)
    coef = np.atleast_2d(_dense(model.coef_))
    layout = getattr(model, "layout_", None)
    names = _feature_names(estimator, model, coef.shape[1])
    if not isinstance(layout, TaskLayout):
        return CoefficientTable(coef, _class_names(model, len(coef)), names)
    rows = row_names(layout)
    shared = _shared(model)
    if shared is None:
        return CoefficientTable(coef, rows, names)
    block = coef_rows(layout.tasks).block
    firsts = [int(np.argmax(block == b)) for b in range(len(shared))]
    shared_names: list[Hashable] = (
        ["all tasks"] if len(shared) == 1 else [f"as {rows[first]}" for first in firsts]
    )
    return CoefficientTable(coef, rows, names, shared, coef - shared[block], shared_names)


def row_names(layout: TaskLayout) -> list[Hashable]:
    """Return a name for each output of each task: a task of K > 2 classes has K."""
    names: list[Hashable] = []
    for task in layout.tasks:
        if task.n_outputs == 1 or task.classes is None:
            names.append(plain(task.name))
        else:
            names += [f"{task.name} = {label}" for label in task.classes.tolist()]
    return names


def _dense(coef: Any) -> np.ndarray:
    return coef.toarray() if hasattr(coef, "toarray") else np.asarray(coef)


def _shared(model: Any) -> np.ndarray | None:
    """Return what the rows of coef_ have in common, one row for each block, None for nothing."""
    shared = getattr(model, "shared_coef_", None)
    # a population learned from labels in units of each task is not in the units of coef_
    if shared is None and getattr(model, "target_scaling", None) is None:
        shared = getattr(model, "prior_mean_", None)
    return None if shared is None or not np.any(shared) else np.atleast_2d(shared)


def _one_model_a_task(estimator: Any, needed_for: str) -> CoefficientTable:
    owner = find_owner(estimator, "estimators_")
    models = getattr(owner, "estimators_", None)
    if isinstance(models, Sequence):  # as of MultiOutputRegressor; trees of a forest have no coef_
        models = {f"task{t}": model for t, model in enumerate(models)}
    if not isinstance(models, Mapping) or not all(
        find_owner(model, "coef_") is not None for model in models.values()
    ):
        raise TypeError(
            f"{needed_for} shows coefficients of features, which {type(estimator).__name__} has "
            "not: pass a fitted linear model, without a kernel. task_permutation_importance says "
            "of any model which features matter."
        )
    tables = {name: read_coefficients(model, needed_for) for name, model in models.items()}
    first = next(iter(tables.values())).feature_names
    for name, table in tables.items():
        if table.feature_names != first:
            raise ValueError(
                f"{needed_for} shows tasks by features, but task {plain(name)!r} has other "
                "features than the tasks before it; show its own model."
            )
    rows: list[Hashable] = []
    for name, table in tables.items():
        rows += [name] if len(table.coef) == 1 else [f"{name} = {row}" for row in table.row_names]
    return CoefficientTable(np.concatenate([t.coef for t in tables.values()]), rows, first)


def _class_names(model: Any, n_rows: int) -> list[Hashable]:
    classes: Any = getattr(model, "classes_", ())
    if len(classes) == n_rows and np.ndim(classes[0]) == 0:
        return [plain(label) for label in classes]
    return [f"task{t}" for t in range(n_rows)]


def _feature_names(estimator: Any, model: Any, n_features: int) -> list[Hashable]:
    """Return names of the columns that reach the model, ``x0 …`` where nobody knows them."""
    seen = list(getattr(model, "feature_names_in_", ()))
    layout = getattr(model, "layout_", None)
    if isinstance(layout, TaskLayout) and layout.rows == LONG:
        seen = seen or [f"x{j}" for j in range(n_features + 1)]
        del seen[find_column(seen, layout.task_feature)]
    if len(seen) == n_features:
        return seen
    pipeline = find_owner(estimator, "steps")
    if isinstance(pipeline, Pipeline) and len(pipeline) > 1:
        try:
            names = list(pipeline[:-1].get_feature_names_out())
        except (AttributeError, ValueError):  # a step that names none
            names = []
        if len(names) == n_features:
            return names
    return [f"x{j}" for j in range(n_features)]
