"""Estimators that fit the given one, or a dict of them, task by task."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any

import numpy as np
from sklearn.utils.metadata_routing import _routing_enabled, process_routing
from sklearn.utils.parallel import Parallel, delayed

from sklearn_mtl.compose._base import BaseComposition, place, require_probabilities
from sklearn_mtl.compose._fit_one import (
    check_takes_sample_weight,
    predict_one,
    predict_proba_one,
)
from sklearn_mtl.compose._one_or_dict import OneOrDictOfEstimators
from sklearn_mtl.compose._part import Part, cut
from sklearn_mtl.compose._tags import kind_of
from sklearn_mtl.tasks import TaskData, TaskLayout, infer_layout
from sklearn_mtl.tasks._chosen import ChosenTasks
from sklearn_mtl.tasks._containers import read_labels
from sklearn_mtl.tasks._long import find_names, split_task_column
from sklearn_mtl.utils._validation import plain


class TaskwiseComposition(BaseComposition, OneOrDictOfEstimators):
    """An `estimator` for each task: its kinds, its metadata, and its answers put together."""

    task_kinds: Mapping[Hashable, str] | None
    task_feature: Any
    n_jobs: int | None
    estimators_: dict[Hashable, Any]

    def _parameters_for(self, tasks: ChosenTasks) -> dict[str, Any]:
        return super()._parameters_for(tasks) | {"task_kinds": tasks.by_task(self.task_kinds)}

    def _answering(self) -> Mapping[Hashable, Any]:
        """Return the fitted estimator that answers for each task."""
        return self.estimators_

    def _answering_parameter(self) -> str:
        """Return the parameter that holds those estimators before they are fitted."""
        return "estimator"

    def _has_probabilities(self) -> bool:
        if hasattr(self, "layout_"):
            tasks = [task for task in self.layout_.tasks if task.is_classification]
            asked = [self._answering()[task.name] for task in tasks]
        else:
            given = self._given(self._answering_parameter())
            asked = [est for _, est in given if kind_of(est) != "regression"]
        return require_probabilities(asked)

    # -- answers --------------------------------------------------------------------------------

    def _predict(self, data: TaskData) -> np.ndarray:
        return place(self._ask(data, predict_one, [True] * data.n_tasks), data)

    def _probabilities(self, data: TaskData) -> list[np.ndarray | None]:
        tasks = self.layout_.tasks
        found = self._ask(data, predict_proba_one, [task.is_classification for task in tasks])
        return [
            # a task without a row here was not asked
            found.get(t, np.empty((0, len(task.classes)))) if task.classes is not None else None
            for t, task in enumerate(tasks)
        ]

    def _ask(
        self, data: TaskData, question: Callable[..., np.ndarray], wanted: list[bool]
    ) -> dict[int, np.ndarray]:
        """Return the answers of the wanted tasks that have rows in data, by task number."""
        asked = [t for t in range(data.n_tasks) if wanted[t] and can_be_asked(data, t)]
        tasks, answering = self.layout_.tasks, self._answering()
        # threads: a process would be sent every fitted estimator
        answers = Parallel(n_jobs=self.n_jobs, prefer="threads")(
            delayed(question)(answering[tasks[t].name], features, tasks[t])
            for t, features in zip(asked, self._features(data, asked), strict=True)
        )
        return dict(zip(asked, answers, strict=True))

    def _features(self, data: TaskData, asked: list[int]) -> Iterable[Any]:
        """Return for each asked task what its answering estimator reads, at the task's rows."""
        return (data.inputs(t, data.rows(t, observed=False)) for t in asked)

    # -- before a fit ---------------------------------------------------------------------------

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
        return layout, self._cut(layout, X, y, self._fit_params(layout, sample_weight, params))

    def _cut(
        self,
        layout: TaskLayout,
        X: Any,
        y: Any,
        fit_params: list[dict[str, Any]],
        parameter: str = "estimator",
    ) -> list[Part]:
        """Return each task's part of a fit of the estimators in `parameter`."""
        parts = cut(layout, X, y, fit_params)
        for part in parts:
            if part.data.weights is not None:
                name = part.task.name
                check_takes_sample_weight(self._estimator_of(name, parameter), name)
        return parts

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
        if self._dicts():
            self._check_estimator_names(_names(X, y, self.task_feature))
        if isinstance(self.estimator, Mapping):
            of_estimators = {name: kind_of(est) for name, est in self.estimator.items()}
            kinds = {
                **(self.task_kinds or {}),
                **{name: kind for name, kind in of_estimators.items() if kind is not None},
            }
        else:
            family = kind_of(self.estimator) or family
        return infer_layout(X, y, family=family, task_kinds=kinds, task_feature=self.task_feature)

    def _fit_params(
        self,
        layout: TaskLayout,
        sample_weight: Any,
        params: dict[str, Any],
        parameter: str = "estimator",
    ) -> list[dict[str, Any]]:
        """Return for each task what its estimator's fit is to be given, not yet cut to rows."""
        if sample_weight is not None:
            params = {**params, "sample_weight": sample_weight}
        if not _routing_enabled():
            return [params] * layout.n_tasks
        routed = process_routing(self, "fit", **params)
        by_name = {name: routed[key]["fit"] for name, key, _ in self._routed_names(parameter)}
        one_for_all = not isinstance(getattr(self, parameter), Mapping)
        return [by_name[None if one_for_all else name] for name in layout.names]


def can_be_asked(data: TaskData, task: int) -> bool:
    """Return whether the task has rows in data, without which an estimator raises."""
    # where rows are shared, the estimator's error is the answer
    return data.task_index is None or len(data.rows(task, observed=False)) > 0


def _names(X: Any, y: Any, task_feature: Any) -> list[Hashable]:
    """Return the names of the tasks, before anything is known of their kinds."""
    if task_feature is not None:
        tags, _ = split_task_column(X, task_feature)
        return find_names(tags)[0]
    return [plain(name) for name in y] if isinstance(y, Mapping) else read_labels(y).names
