"""What was predicted, task by task: the caller's arrays, or an estimator asked when needed."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.utils import Tags, TargetTags
from sklearn.utils.metaestimators import available_if

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.metrics._labels import (
    TrueLabels,
    match_names,
    predictions,
    read_predicted,
)
from sklearn_mtl.utils._validation import plain

METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function")


class Outputs(ABC):
    """Predictions of every task; `get` gives those of one task at the rows that count."""

    def __init__(self, true: TrueLabels) -> None:
        self.true = true

    @abstractmethod
    def has(self, method: str, task: int) -> bool:
        """Return whether `get` can answer."""

    @abstractmethod
    def get(self, method: str, task: int) -> np.ndarray:
        """Return labels (m,), class probabilities (m, n_classes) or decision values."""


class GivenOutputs(Outputs):
    """The y_pred and y_score of a caller."""

    def __init__(self, true: TrueLabels, y_pred: Any, y_score: Any) -> None:
        super().__init__(true)
        self._columns = None if y_pred is None else read_predicted(y_pred, true)
        self._blocks = None if y_score is None else split_blocks(y_score, true, "y_score")

    def has(self, method: str, task: int) -> bool:
        if method == "predict":
            return self._columns is not None
        block = None if self._blocks is None else self._blocks[task]
        if block is None:
            return False
        # one number a row may be any score; a column a class is a probability
        return method == ("decision_function" if block.ndim == 1 else "predict_proba")

    def get(self, method: str, task: int) -> np.ndarray:
        labels = self.true.tasks[task]
        if method == "predict":
            return predictions(labels, self._columns[task])  # type: ignore[index]
        return self._blocks[task][labels.rows]  # type: ignore[index]


class EstimatorOutputs(Outputs):
    """A fitted estimator: each method is called once, when a metric first needs it.

    Parameters
    ----------
    call : callable(method name) -> what the estimator's method returns for X
    methods : set of str
        The methods that the estimator has.
    """

    def __init__(self, true: TrueLabels, call: Any, methods: set[str]) -> None:
        super().__init__(true)
        self._call, self._methods = call, methods
        self._cache: dict[str, Sequence[Any]] = {}

    def has(self, method: str, task: int) -> bool:
        return method in self._methods

    def get(self, method: str, task: int) -> np.ndarray:
        labels, where = self.true.tasks[task], f"the estimator's {method}"
        if method not in self._cache:
            read = read_predicted if method == "predict" else split_blocks
            self._cache[method] = read(self._call(method), self.true, where)
        found = self._cache[method][task]
        if method == "predict":
            return predictions(labels, found, where)
        if found is None:
            raise TaskLayoutError(
                f"Task {labels.name!r} has nothing in {where}; give it a metric of predictions, "
                "as metric={task: metric}."
            )
        return found[labels.rows]


def split_blocks(values: Any, true: TrueLabels, what: str) -> list[np.ndarray | None]:
    """Take probabilities or decision values apart: an array a task over the task's own rows.

    `values` is an array for one column of labels, a list over tasks, a dict by task name (tasks
    may be absent: None), or an array (n, T) of decision values.
    """
    tasks = true.tasks
    blocks: list[np.ndarray | None]
    if isinstance(values, Mapping):
        absent = [task.name for task in tasks if task.name not in values]
        match_names([*values, *absent], true.names, what)
        blocks = [np.asarray(values[task.name]) if task.name in values else None for task in tasks]
    elif tasks[0].group is not None:
        array = np.asarray(values)
        n_rows = sum(len(task.column) for task in tasks)
        _check_length(array, n_rows, "all tasks", what)
        return [array[task.group] for task in tasks]
    elif isinstance(values, (list, tuple)) and len(values) and np.ndim(values[0]) > 0:
        if len(values) != len(tasks):
            raise TaskLayoutError(
                f"{what} is a list of {len(values)} array(s), but there are {len(tasks)} task(s); "
                "pass one array a task."
            )
        blocks = [None if block is None else np.asarray(block) for block in values]
    elif len(tasks) == 1:
        blocks = [np.asarray(values)]
    else:
        array = np.asarray(values)
        if array.ndim != 2 or array.shape[1] != len(tasks):
            raise TaskLayoutError(
                f"{what} has shape {array.shape}, but there are {len(tasks)} tasks; pass a list "
                "with one array a task, a dict by task name, or one column a task."
            )
        blocks = list(array.T)
    for task, block in zip(tasks, blocks, strict=True):
        if block is not None:
            _check_length(block, len(task.column), f"task {plain(task.name)!r}", what)
    return blocks


def _check_length(array: np.ndarray, n_rows: int, whose: str, what: str) -> None:
    if array.ndim not in (1, 2) or len(array) != n_rows:
        raise TaskLayoutError(
            f"{what} of {whose} has shape {array.shape}, but there are {n_rows} rows; pass "
            f"({n_rows},) scores or ({n_rows}, n_classes) probabilities."
        )


def _offers(method: str) -> Any:
    return lambda self: self.method == method


class OneTask:
    """One task seen as a fitted single-output estimator, for scikit-learn's scorers to ask.

    Parameters
    ----------
    method : str
        The one method that it has.
    values : ndarray
        What that method returns for the rows that count.
    classes : ndarray or None
        All classes of the task, sorted; None for regression.
    columns : ndarray or None
        The columns of the probabilities that are this task's classes; None for all of them.
    """

    def __init__(
        self,
        method: str,
        values: np.ndarray,
        classes: np.ndarray | None,
        columns: np.ndarray | None = None,
    ) -> None:
        self.method, self.values, self.columns = method, values, columns
        if classes is not None:
            self.classes_ = classes

    def __sklearn_tags__(self) -> Tags:
        kind = "classifier" if hasattr(self, "classes_") else "regressor"
        return Tags(estimator_type=kind, target_tags=TargetTags(required=True))

    @available_if(_offers("predict"))
    def predict(self, X: Any) -> np.ndarray:
        """Return labels, shape (m,)."""
        return self.values if hasattr(self, "classes_") else self.values.astype(np.float64)

    @available_if(_offers("predict_proba"))
    def predict_proba(self, X: Any) -> np.ndarray:
        """Return class probabilities, shape (m, n_classes)."""
        return self._per_class()

    @available_if(_offers("predict_log_proba"))
    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return their logarithms."""
        return self._per_class()

    @available_if(_offers("decision_function"))
    def decision_function(self, X: Any) -> np.ndarray:
        """Return decision values, shape (m,) or (m, n_classes)."""
        is_column = self.values.ndim == 2 and self.values.shape[1] == 1
        return self.values[:, 0] if is_column else self.values

    def _per_class(self) -> np.ndarray:
        values = self.values
        if values.ndim == 2 and self.columns is not None:
            values = values[:, self.columns]
        n_classes = len(self.classes_) if hasattr(self, "classes_") else 0
        if values.ndim == 1 and n_classes == 2 and self.method == "predict_proba":
            values = np.column_stack([1 - values, values])  # multilabel networks: P(second class)
        if values.ndim != 2 or values.shape[1] != n_classes:
            raise ValueError(
                f"probabilities must have a column for each of its {n_classes} classes, found "
                f"shape {values.shape}"
            )
        return values
