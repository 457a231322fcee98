"""Estimators that fit the given one, or a dict of them, task by task."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
from sklearn.utils.metadata_routing import _routing_enabled, process_routing

from sklearn_mtl.compose._base import BaseComposition
from sklearn_mtl.compose._fit_one import check_takes_sample_weight
from sklearn_mtl.compose._one_or_dict import OneOrDictOfEstimators
from sklearn_mtl.compose._part import Part, cut
from sklearn_mtl.compose._tags import kind_of
from sklearn_mtl.tasks import TaskData, TaskLayout, infer_layout
from sklearn_mtl.tasks._containers import read_labels
from sklearn_mtl.tasks._long import find_names, split_task_column
from sklearn_mtl.utils._validation import plain


class TaskwiseComposition(BaseComposition, OneOrDictOfEstimators):
    """An `estimator` for each task: its kinds, its metadata, and its answers put together."""

    task_kinds: Mapping[Hashable, str] | None
    task_feature: Any
    n_jobs: int | None
    estimators_: dict[Hashable, Any]

    def _answering(self) -> Mapping[Hashable, Any]:
        """Return the fitted estimator that answers for each task."""
        return self.estimators_

    def _has_probabilities(self) -> bool:
        if hasattr(self, "layout_"):
            tasks = [task for task in self.layout_.tasks if task.is_classification]
            asked = [self._answering()[task.name] for task in tasks]
        else:
            asked = [est for _, est in self._given() if kind_of(est) != "regression"]
        for estimator in asked:
            # its AttributeError says which estimator lacks it
            estimator.predict_proba  # noqa: B018
        return bool(asked)

    def _prepare(
        self, X: Any, y: Any, sample_weight: Any, params: dict[str, Any]
    ) -> tuple[TaskLayout, list[Part]]:
        """Return the layout and each task's part of a fit, after all checks and a fresh start."""
        self._check_estimators()
        # workers are sent self, which must not carry an old fit
        for attribute in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, attribute)
        layout = self._infer(X, y)
        self._check_X(X, reset=True)
        parts = cut(layout, X, y, self._fit_params(layout, sample_weight, params))
        for part in parts:
            if part.data.weights is not None:
                check_takes_sample_weight(self._estimator_of(part.task.name), part.task.name)
        return layout, parts

    def _infer(self, X: Any, y: Any) -> TaskLayout:
        """Return the layout in which a task has the kind of its estimator."""
        for name, kind in dict(self.task_kinds or {}).items():
            estimator = self.estimator
            if isinstance(estimator, Mapping):
                estimator = estimator.get(name)
            own = kind_of(estimator)
            if own is not None and own != kind:
                raise ValueError(
                    f"task_kinds says that task {plain(name)!r} is {kind!r}, but its estimator "
                    f"{type(estimator).__name__} is for {own}; change one of them."
                )
        kinds, family = self.task_kinds, "mixed"
        if isinstance(self.estimator, Mapping):
            self._check_estimator_names(_names(X, y, self.task_feature))
            of_estimators = {name: kind_of(est) for name, est in self.estimator.items()}
            kinds = {
                **(self.task_kinds or {}),
                **{name: kind for name, kind in of_estimators.items() if kind is not None},
            }
        else:
            family = kind_of(self.estimator) or family
        return infer_layout(X, y, family=family, task_kinds=kinds, task_feature=self.task_feature)

    def _fit_params(
        self, layout: TaskLayout, sample_weight: Any, params: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Return for each task what its estimator's fit is to be given, not yet cut to rows."""
        if sample_weight is not None:
            params = {**params, "sample_weight": sample_weight}
        if not _routing_enabled():
            return [params] * layout.n_tasks
        routed = process_routing(self, "fit", **params)
        by_name = {name: routed[key]["fit"] for name, key, _ in self._routed_names()}
        one_for_all = not isinstance(self.estimator, Mapping)
        return [by_name[None if one_for_all else name] for name in layout.names]


def place(found: Mapping[int, np.ndarray], data: TaskData) -> np.ndarray:
    """Put each task's predictions where labels are: (n, T), or (n,) for tagged rows.

    Parameters
    ----------
    found : dict from task number to ndarray
        Encoded predictions for all of the task's rows in data; 0 for tasks that it lacks.
    data : TaskData
    """
    shape = (data.n_rows, data.n_tasks) if data.task_index is None else (data.n_rows,)
    values = np.zeros(shape)
    for t, block in found.items():
        rows = data.rows(t, observed=False)
        values[(rows, t) if values.ndim == 2 else rows] = block
    return values


def _names(X: Any, y: Any, task_feature: Any) -> list[Hashable]:
    """Return the names of the tasks, before anything is known of their kinds."""
    if task_feature is not None:
        tags, _ = split_task_column(X, task_feature)
        return find_names(tags)[0]
    return [plain(name) for name in y] if isinstance(y, Mapping) else read_labels(y).names
