"""The coefficients of linear models, task by task, in pipelines, searches and compositions."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.multioutput import _MultiOutputEstimator
from sklearn.pipeline import Pipeline

from sklearn_mtl.tasks._column import is_dict_of_rows
from sklearn_mtl.tasks._layout import LONG, TaskLayout
from sklearn_mtl.tasks._long import find_column, split_task_column
from sklearn_mtl.tasks._nested import levels
from sklearn_mtl.utils._validation import plain


@dataclass(frozen=True, eq=False)
class LinearModel:
    """A fitted model with ``coef_``, and what its rows are of.

    Attributes
    ----------
    model : fitted estimator
    names : list of T_m task names
        None stands for the one task of an estimator that knows of no tasks.
    coef : list over tasks of ndarray of shape (K_t, p)
        One row, or one for each class of a task of K_t > 2 classes.
    classes : list over tasks of ndarray or None
        None for regression, and where nobody knows them.
    path : tuple of fitted Pipeline and TaskLayout
        What X goes through on its way to the model, outermost first: the steps of a pipeline
        before its last, and a long form that leaves out its task column.
    """

    model: Any
    names: list[Hashable]
    coef: list[np.ndarray]
    classes: list[Any]
    path: tuple[Pipeline | TaskLayout, ...]

    def inputs(self, X: Any) -> Any:
        """Return what the model sees of X: of its tasks, where X is a dict by task."""
        if is_dict_of_rows(X):
            return {name: self.inputs(X[name]) for name in self.names}
        for step in self.path:
            if isinstance(step, TaskLayout):
                X = split_task_column(X, step.task_feature)[1]
            else:
                X = step[:-1].transform(X)
        return X

    def feature_names(self) -> list[Hashable]:
        """Return names of the columns that reach the model, ``x0 …`` where nobody knows them."""
        n_features = self.coef[0].shape[1]
        seen = list(getattr(self.model, "feature_names_in_", ()))
        names = seen if len(seen) == n_features else self._names_on_the_path(seen, n_features)
        return names if len(names) == n_features else [f"x{j}" for j in range(n_features)]

    def _names_on_the_path(self, seen: list[Hashable], n_features: int) -> list[Hashable]:
        """Return names from pipelines, or from what the model saw with the task column in it."""
        names: list[Hashable] = []
        for step in self.path:
            if isinstance(step, TaskLayout):
                # columns without names keep the numbers that they have beside the task's
                names = seen or names or [f"x{j}" for j in range(n_features + 1)]
                names.pop(find_column(names, step.task_feature))
                continue
            try:
                names = list(step[:-1].get_feature_names_out(names or None))
            except (AttributeError, ValueError):  # a step that names none
                names = []
        return names


def linear_models(estimator: Any) -> list[LinearModel]:
    """Return the linear models that answer for the tasks of a fitted estimator, all of them.

    Pipelines and searches are seen through. Compositions tell by ``_models_of_tasks`` which models
    they consist of; those in which models read more than X, or several answer for a task, do not.

    Returns
    -------
    models : list of LinearModel
        Empty where some task has no coefficients of features of its own.
    """
    return _models(estimator, None, ())


def common_features(models: Sequence[LinearModel], needed_for: str) -> list[Hashable]:
    """Return the features of all models, which must be the same; `needed_for` begins an error."""
    features = models[0].feature_names()
    for model in models:
        if model.feature_names() != features:
            raise ValueError(
                f"{needed_for}, but task {plain(model.names[0])!r} has other features than the "
                "tasks before it; let all tasks have the same."
            )
    return features


def _models(
    estimator: Any,
    names: list[Hashable] | None,
    outer: tuple[Pipeline | TaskLayout, ...],
) -> list[LinearModel]:
    """Return the models of an estimator whose tasks are called `names` from outside."""
    path = [level.estimator for level in levels(estimator, fitted=True)]
    fitted = path[-1]
    outer += tuple(one for one in path if isinstance(one, Pipeline) and len(one) > 1)
    layout = getattr(fitted, "layout_", None)
    layout = layout if isinstance(layout, TaskLayout) else None
    if layout is not None and layout.rows == LONG:
        # one that is further out left the task column for this one to read
        outer = (*(step for step in outer if isinstance(step, Pipeline)), layout)
    if hasattr(fitted, "coef_"):
        return _own(fitted, layout, names, outer)
    parts = _parts(fitted)
    if layout is not None and names is not None:
        # the columns of a part of an array have been numbered anew
        called = dict(zip(layout.names, names, strict=True))
        parts = [([called[name] for name in own], part) for own, part in parts]
    found = [_models(part, own, outer) for own, part in parts]
    return [one for models in found for one in models] if all(found) else []


def _parts(fitted: Any) -> Sequence[tuple[list[Hashable], Any]]:
    """Return (task names, fitted estimator) of the estimators that answer for them."""
    if hasattr(fitted, "_models_of_tasks"):
        return fitted._models_of_tasks()
    if isinstance(fitted, _MultiOutputEstimator):
        return [([f"task{t}"], part) for t, part in enumerate(fitted.estimators_)]
    return []


def _own(
    fitted: Any,
    layout: TaskLayout | None,
    names: list[Hashable] | None,
    path: tuple[Pipeline | TaskLayout, ...],
) -> list[LinearModel]:
    coef: Any = fitted.coef_
    coef = np.atleast_2d(coef.toarray() if hasattr(coef, "toarray") else np.asarray(coef))
    if layout is not None:
        counts = [task.n_outputs for task in layout.tasks]
        classes: list[Any] = [task.classes for task in layout.tasks]
        names = names or list(layout.names)
    else:
        own: Any = getattr(fitted, "classes_", None)
        # a list is the classes of several tasks
        is_one = own is not None and np.ndim(own[0]) == 0
        if names is None:
            names = [None] if is_one else [f"task{t}" for t in range(len(coef))]
        counts = [len(coef)] if len(names) == 1 else [1] * len(names)
        classes = [own if is_one else None] * len(names)
    if sum(counts) != len(coef):
        return []
    blocks = np.split(coef, np.cumsum(counts)[:-1])
    return [LinearModel(fitted, names, blocks, classes, path)]
