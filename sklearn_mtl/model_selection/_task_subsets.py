"""Estimators fitted to some of the tasks."""

import warnings
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning

from sklearn_mtl.metrics._kinds import estimator_kinds
from sklearn_mtl.metrics._labels import read_true
from sklearn_mtl.metrics._metric import TaskMetric, score_tasks
from sklearn_mtl.metrics._outputs import METHODS, EstimatorOutputs
from sklearn_mtl.model_selection._comparison_rows import ComparisonRows
from sklearn_mtl.model_selection._paired_fits import seeded
from sklearn_mtl.model_selection._task_errors import best_score, default_metric, errors
from sklearn_mtl.tasks._chosen import ChosenTasks, parameters_for
from sklearn_mtl.tasks._long import split_task_column
from sklearn_mtl.tasks._nested import find_layout
from sklearn_mtl.tasks._select import select_tasks
from sklearn_mtl.utils._errors import told_of
from sklearn_mtl.utils._validation import listing

Subset = tuple[int, ...]  # numbers of tasks, ascending


@dataclass(frozen=True, eq=False)
class TaskSubsets:
    """Fits of one estimator to subsets of the tasks of one X and y.

    Attributes
    ----------
    estimator : estimator
    rows : ComparisonRows
    """

    estimator: Any
    rows: ComparisonRows

    def names(self, subset: Subset) -> list[Hashable]:
        """Return the names of the tasks."""
        return [self.rows.names[t] for t in subset]

    def fit(self, subset: Subset, seed: int, train: np.ndarray | None = None) -> Any:
        """Return a clone fitted to those tasks, on the rows `train` or on all.

        What draws at random without a seed of its own has `seed`.
        """
        X, y, sample_weight = self._part(subset, train)
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        model = seeded(self.estimator, seed)
        if len(subset) < len(self.rows.names):
            model.set_params(**parameters_for(model, self._chosen(subset)))
        try:
            return model.fit(X, y, **weights)
        except (TypeError, ValueError) as error:
            if len(subset) == len(self.rows.names):
                raise
            tasks = listing(self.names(subset))
            what = f"Fitting {type(model).__name__} to the task(s) {tasks} alone"
            raise told_of(what, error) from error

    def errors(
        self,
        subset: Subset,
        seed: int,
        split: tuple[np.ndarray, np.ndarray],
        metrics: Sequence[TaskMetric | None],
    ) -> np.ndarray:
        """Return the test errors (len(subset),) of a fit on the training part; NaN without labels.

        Parameters
        ----------
        metrics : sequence of T TaskMetric or None
            None for the default, that of `transfer_report`.
        """
        train, test = split
        model = self.fit(subset, seed, train)
        X, y, sample_weight = self._part(subset, test)
        tags, names = None, None
        if self.rows.task_feature is not None:
            tags, names = split_task_column(X, self.rows.task_feature)[0], self.names(subset)
        true = read_true(y, sample_weight, tags, names)
        kinds = estimator_kinds(model, find_layout(model)[0], true, None)
        methods = {method for method in METHODS if hasattr(model, method)}
        used = [
            metrics[t] or default_metric(kind.is_classification, "predict_proba" in methods)
            for t, kind in zip(subset, kinds, strict=True)
        ]
        outputs = EstimatorOutputs(true, lambda method: getattr(model, method)(X), methods)
        with warnings.catch_warnings():
            # tasks without a label in a test part are told of where splits are made
            warnings.filterwarnings("ignore", "No label of the task", UndefinedMetricWarning)
            scores = score_tasks(outputs, kinds, used)
        best = np.array([best_score(metric) for metric in used])
        columns = np.array(list(scores.values()))[:, None]
        return errors(columns, best, self.names(subset), "estimator")[:, 0]

    def _part(self, subset: Subset, rows: np.ndarray | None) -> tuple[Any, Any, Any]:
        table = self.rows
        X, y, weights = (
            (table.X, table.y, table.sample_weight) if rows is None else table.part(rows)
        )
        if len(subset) == len(table.names):
            return X, y, weights
        return select_tasks(
            X, y, self.names(subset), sample_weight=weights, task_feature=table.task_feature
        )

    def _chosen(self, subset: Subset) -> ChosenTasks:
        table = self.rows
        named = table.labels.is_named or table.is_own or table.task_feature is not None
        # the columns of an array are numbered anew
        new: list[Hashable] = [f"task{k}" for k in range(len(subset))]
        new = self.names(subset) if named else new
        return ChosenTasks(table.names, list(subset), new)
