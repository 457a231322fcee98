from collections.abc import Callable, Hashable, Mapping
from typing import Any, Self

import numpy as np
from sklearn.utils import metadata_routing
from sklearn.utils.metadata_routing import _raise_for_params
from sklearn.utils.parallel import Parallel, delayed

from sklearn_mtl.compose._cross_fitted import CrossFittedComposition, check_same_features
from sklearn_mtl.compose._fit_one import predict_one, predict_proba_one
from sklearn_mtl.compose._out_of_fold import (
    Beside,
    Learner,
    ask_everywhere,
    fit_all,
    fit_out_of_fold,
)
from sklearn_mtl.compose._part import sliceable
from sklearn_mtl.compose._taskwise import place
from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks import TaskData
from sklearn_mtl.utils._validation import check_option

_READS = ("others", "all")


class StackedTasks(CrossFittedComposition):
    """Two estimators a task, of which the second reads what the first predict of other tasks.

    Parameters
    ----------
    estimator : estimator, or dict from task name to estimator
    """

    # its own `fit` hands sample_weight on to the estimators, who request it
    __metadata_request__fit = {"sample_weight": metadata_routing.UNUSED}

    def __init__(
        self,
        estimator: Any,
        final_estimator: Any = None,
        *,
        cv: Any = 5,
        reads: str = "others",
        passthrough: bool = True,
        stack_method: str = "auto",
        task_kinds: Mapping[Hashable, str] | None = None,
        task_feature: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.final_estimator = final_estimator
        self.cv = cv
        self.reads = reads
        self.passthrough = passthrough
        self.stack_method = stack_method
        self.task_kinds = task_kinds
        self.task_feature = task_feature
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self:
        """Fit both estimators of each task.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n, p), or dict name -> (n_t, p)
        y : array-like of shape (n,) or (n, T), frame, dict name -> labels, or MultiTaskTarget
            NaN, None and NA mark labels that nobody observed.
        sample_weight : array-like of shape (n,) or (n, T), frame or dict by task, default=None
        **params : dict
            ``groups`` for the splitter `cv`; other metadata with metadata routing enabled.

        Returns
        -------
        self : StackedTasks
        """
        _raise_for_params(params, self, "fit", allow=["groups"])
        check_option(self.reads, _READS, parameter="reads", owner=type(self).__name__)
        self._check_cv()
        X = sliceable(X)
        layout, parts = self._prepare(X, y, sample_weight, params)
        data = parts[0].data
        check_same_features(layout, data)
        predicted = self._predicted_columns(layout, self.stack_method, parameter="stack_method")
        read = [self._read_by(t, layout.n_tasks) for t in range(layout.n_tasks)]
        if not self.passthrough and not all(read):
            raise TaskLayoutError(
                "With passthrough=False and reads='others' the second estimator of the only task "
                "has nothing to read; pass passthrough=True, reads='all', or more tasks."
            )
        nothing = Beside(np.empty((data.n_rows, 0)), [])
        learners = [
            Learner(self._estimator_of(task.name), part, nothing)
            for task, part in zip(layout.tasks, parts, strict=True)
        ]
        if any(read):
            folds = self._folds(parts, self._groups(sample_weight, params))
            fitted, columns = fit_out_of_fold(learners, predicted, folds, self.n_jobs)
        else:
            fitted, columns = fit_all(learners, self.n_jobs), []
        self._predicted = predicted
        finals = [
            Learner(
                self._final_of(task.name),
                part,
                self._beside({s: columns[s] for s in own}, data.n_rows),
            )
            for task, part, own in zip(layout.tasks, parts, read, strict=True)
        ]
        self.final_estimators_ = dict(zip(layout.names, fit_all(finals, self.n_jobs), strict=True))
        self.estimators_ = dict(zip(layout.names, fitted, strict=True))
        self._set_layout(layout)
        return self

    # -- how ------------------------------------------------------------------------------------

    def _final_of(self, name: Hashable) -> Any:
        if self.final_estimator is None:
            return self._estimator_of(name)
        if isinstance(self.final_estimator, Mapping):
            return self.final_estimator[name]
        return self.final_estimator

    def _answering(self) -> Mapping[Hashable, Any]:
        return self.final_estimators_

    def _read_by(self, task: int, n_tasks: int) -> list[int]:
        """Return the tasks whose predictions the second estimator of a task reads."""
        return [s for s in range(n_tasks) if self.reads == "all" or s != task]

    def _beside(self, columns: Mapping[int, np.ndarray], n_rows: int) -> Beside:
        beside = Beside(np.empty((n_rows, 0)), [], self.passthrough)
        for s, own in columns.items():
            beside = beside.and_then(own, self._predicted[s])
        return beside

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
        check_same_features(self.layout_, data)
        tasks = self.layout_.tasks
        rows = [data.rows(t, observed=False) for t in range(data.n_tasks)]
        # without a single row an estimator raises; where rows are shared, its error is the answer
        asked = [
            t
            for t in range(data.n_tasks)
            if wanted[t] and (len(rows[t]) or data.task_index is None)
        ]
        read = {t: self._read_by(t, data.n_tasks) for t in asked}
        sources = sorted({s for own in read.values() for s in own})
        everywhere = np.arange(data.n_rows)
        nothing = Beside(np.empty((data.n_rows, 0)), [])
        # threads: a process would be sent every fitted estimator
        parallel = Parallel(n_jobs=self.n_jobs, prefer="threads")
        found = parallel(
            delayed(ask_everywhere)(
                self.estimators_[tasks[s].name], self._predicted[s], data, everywhere, nothing
            )
            for s in sources
        )
        columns = dict(zip(sources, found, strict=True))
        answers = parallel(
            delayed(question)(
                self.final_estimators_[tasks[t].name],
                self._beside({s: columns[s] for s in read[t]}, data.n_rows).features(
                    data, t, rows[t]
                ),
                tasks[t],
            )
            for t in asked
        )
        return dict(zip(asked, answers, strict=True))
