"""Predictions of rows that the predicting estimator did not see, for other tasks to read.

A row on which task t is labelled is predicted by t's estimator fitted without the fold that holds
the row; every other row by t's estimator fitted on all of t's labels, none of which is that row's.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import _safe_indexing
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _check_method_params

from sklearn_mtl.compose._fit_one import fit_alone
from sklearn_mtl.compose._folds import Fold
from sklearn_mtl.compose._part import Part
from sklearn_mtl.compose._predicted_columns import Beside, PredictedColumns
from sklearn_mtl.tasks import TaskData, TaskSpec


@dataclass(frozen=True)
class Learner:
    """An estimator to be fitted on the labelled rows of one task.

    Attributes
    ----------
    estimator : estimator
        Cloned for every fit.
    part : Part
    beside : Beside
    read_at : ndarray of int, default=None
        Rows of the data on which other estimators read this one's task; None is all.
    """

    estimator: Any
    part: Part
    beside: Beside
    read_at: np.ndarray | None = None

    @property
    def predicted(self) -> PredictedColumns:
        """How other tasks read this one."""
        return self.beside.table.predicted[self.part.number]

    def fit_data(self) -> tuple[Any, np.ndarray, dict[str, Any]]:
        """Return features, labels and other arguments of ``fit``."""
        part = self.part
        features = self.beside.features(part.data, part.number, part.rows)
        return features, part.labels(), part.fit_params()


def fit_all(learners: Iterable[Learner], n_jobs: int | None) -> list[Any]:
    """Return the fitted estimators."""
    return Parallel(n_jobs=n_jobs)(
        delayed(_fit)(learner.estimator, *learner.fit_data(), learner.part.task)
        for learner in learners
    )


def fit_out_of_fold(
    learners: Sequence[Learner], folds: Sequence[Sequence[Fold] | None], n_jobs: int | None
) -> tuple[list[Any], list[np.ndarray]]:
    """Fit every learner, and predict every row by an estimator that did not see its label.

    Parameters
    ----------
    learners : sequence of Learner
    folds : sequence of (list of (train, test), or None)
        Numbers among the learner's labelled rows. None puts the labels themselves in place of
        predictions.
    n_jobs : int or None

    Returns
    -------
    fitted : list of estimators
        Each fitted on all labelled rows of its task.
    columns : list of ndarray of shape (n_rows, n_columns)
        What other tasks read of each learner's task, NaN where none does.
    """
    results = iter(Parallel(n_jobs=n_jobs)(_jobs(learners, folds)))
    fitted, known = [], []
    for learner, own in zip(learners, folds, strict=True):
        fitted.append(next(results))
        known.append(_known(learner, own, results))
    columns = Parallel(n_jobs=n_jobs, prefer="threads")(
        delayed(_complete)(estimator, learner, here)
        for estimator, learner, here in zip(fitted, learners, known, strict=True)
    )
    return fitted, columns


def _jobs(learners: Sequence[Learner], folds: Sequence[Sequence[Fold] | None]) -> Iterator[Any]:
    """Yield for each learner the fit on all of its labels, then those that leave a fold out."""
    for learner, own in zip(learners, folds, strict=True):
        data = (learner.estimator, *learner.fit_data())
        yield delayed(_fit)(*data, learner.part.task)
        for train, test in own or ():
            yield delayed(_fit_and_ask)(*data, learner.predicted, train, test)


def ask_everywhere(
    estimator: Any, predicted: PredictedColumns, data: TaskData, rows: np.ndarray, beside: Beside
) -> np.ndarray:
    """Return a fitted estimator's predictions of rows of any task, (n_rows, n_columns)."""
    answers = [
        predicted.ask(estimator, beside.features(data, task, here))
        for task, here in _blocks(data, rows)
    ]
    return np.concatenate(answers) if answers else np.empty((0, predicted.n_columns))


def _blocks(data: TaskData, rows: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield ascending rows in runs that stand in one X, with a task of that X."""
    if data.task_index is None:
        yield 0, rows
    elif not isinstance(data.X, list):
        if len(rows):
            yield 0, rows
    else:
        for task in np.unique(data.task_index[rows]):
            yield int(task), rows[data.task_index[rows] == task]


def _known(
    learner: Learner, folds: Sequence[Fold] | None, answers: Iterator[np.ndarray]
) -> np.ndarray:
    """Return the columns of the labelled rows: as predicted in the folds, or the labels."""
    part, predicted = learner.part, learner.predicted
    if folds is None:
        assert part.data.labels is not None  # encoded with y
        return predicted.of_labels(part.data.column(part.data.labels, part.number, part.rows))
    columns = np.empty((len(part.rows), predicted.n_columns))
    for _, test in folds:
        columns[test] = next(answers)
    return columns


def _complete(estimator: Any, learner: Learner, known: np.ndarray) -> np.ndarray:
    """Return the columns of all rows that are read, given those of the labelled ones."""
    part, predicted = learner.part, learner.predicted
    columns = np.full((part.data.n_rows, predicted.n_columns), np.nan)
    columns[part.rows] = known
    read_at = np.arange(part.data.n_rows) if learner.read_at is None else learner.read_at
    others = np.setdiff1d(read_at, part.rows, assume_unique=True)
    if len(others):
        columns[others] = ask_everywhere(estimator, predicted, part.data, others, learner.beside)
    return columns


def _fit(estimator: Any, X: Any, y: np.ndarray, params: dict[str, Any], task: TaskSpec) -> Any:
    return fit_alone(clone(estimator), X, y, params, task)


def _fit_and_ask(
    estimator: Any,
    X: Any,
    y: np.ndarray,
    params: dict[str, Any],
    predicted: PredictedColumns,
    train: np.ndarray,
    test: np.ndarray,
) -> np.ndarray:
    """Fit on one part of a task's labelled rows and predict the other."""
    own = _check_method_params(X, params, indices=train)
    fitted = _fit(estimator, _safe_indexing(X, train), y[train], own, predicted.task)
    return predicted.ask(fitted, _safe_indexing(X, test))
