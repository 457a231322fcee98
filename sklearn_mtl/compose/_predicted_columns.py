"""How the predictions of one task enter the features of another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_mtl.compose._append_columns import append_columns
from sklearn_mtl.compose._fit_one import predict_one, predict_proba_one
from sklearn_mtl.tasks import TaskData, TaskSpec
from sklearn_mtl.utils._validation import plain


@dataclass(frozen=True)
class PredictedColumns:
    """The columns in which other tasks read one task: values, probabilities or classes.

    Attributes
    ----------
    task : TaskSpec
    probable : bool
        Whether a classification task enters as its probabilities, else as indicators of the
        predicted class. Of two classes only the second has a column, for the first follows.
    """

    task: TaskSpec
    probable: bool

    @property
    def n_columns(self) -> int:
        """1 for values and for two classes (or one), else the number of classes."""
        classes = self.task.classes
        return 1 if classes is None or len(classes) < 3 else len(classes)

    @property
    def names(self) -> list[str]:
        """Names for the columns of a frame."""
        classes = self.task.classes
        if classes is None:
            return [f"predicted_{plain(self.task.name)}"]
        return [f"predicted_{plain(self.task.name)}_{plain(c)}" for c in classes[self._kept]]

    @property
    def _kept(self) -> slice:
        return slice(-self.n_columns, None)

    def ask(self, estimator: Any, X: Any) -> np.ndarray:
        """Return what a fitted estimator predicts, shape (n, n_columns)."""
        if self.probable and self.task.is_classification:
            return predict_proba_one(estimator, X, self.task)[:, self._kept]
        return self.of_labels(predict_one(estimator, X, self.task))

    def of_labels(self, labels: np.ndarray) -> np.ndarray:
        """Return encoded labels as columns: values, or indicators of classes."""
        classes = self.task.classes
        if classes is None:
            return labels[:, np.newaxis]
        numbers = np.arange(len(classes))[self._kept]
        return (labels[:, np.newaxis] == numbers).astype(np.float64)


class PredictionTable:
    """What every task was predicted to be on every row of some data, as other tasks read it.

    Parameters
    ----------
    predicted : sequence of T PredictedColumns
    n_rows : int
    """

    def __init__(self, predicted: Sequence[PredictedColumns], n_rows: int) -> None:
        self.predicted = predicted
        stops = np.cumsum([one.n_columns for one in predicted])
        self._places = np.split(np.arange(stops[-1]), stops[:-1])
        self._values = np.full((n_rows, stops[-1]), np.nan)

    def write(self, task: int, rows: np.ndarray, columns: np.ndarray) -> None:
        """Set the columns of a task at some rows, an array (n_rows, n_columns)."""
        self._values[np.ix_(rows, self._places[task])] = columns

    def read(self, tasks: Sequence[int], rows: np.ndarray) -> np.ndarray:
        """Return the columns of some tasks one after another, at those rows."""
        places = [place for task in tasks for place in self._places[task]]
        return self._values[np.ix_(rows, np.array(places, dtype=np.intp))]

    def names(self, tasks: Sequence[int]) -> list[str]:
        """Return the names of those columns."""
        return [name for task in tasks for name in self.predicted[task].names]


@dataclass(frozen=True)
class Beside:
    """The tasks whose predictions an estimator reads beside X, or in place of it.

    Attributes
    ----------
    table : PredictionTable
    tasks : sequence of int
        In the order of the columns.
    passthrough : bool, default=True
        Whether X is read too.
    """

    table: PredictionTable
    tasks: Sequence[int]
    passthrough: bool = True

    def features(self, data: TaskData, task: int, rows: np.ndarray) -> Any:
        """Return what the estimator reads at those rows, which are in the X of `task`."""
        columns = self.table.read(self.tasks, rows)
        if not self.passthrough:
            return columns
        X = data.inputs(task, rows)
        if getattr(X, "dtype", None) == np.float32:
            columns = columns.astype(np.float32)  # which keeps X as it is
        return append_columns(X, columns, self.table.names(self.tasks))
