"""What one fitted member of an ensemble says, as encoded labels and probabilities of tasks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_mtl.compose._tags import kind_of
from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks import TaskData, TaskLayout
from sklearn_mtl.tasks._layout import LONG
from sklearn_mtl.utils._validation import listing, plain


@dataclass(frozen=True)
class Member:
    """One of several estimators of the same tasks.

    Attributes
    ----------
    name : str
    estimator : fitted estimator
        It may be one of scikit-learn's own, whose outputs are arrays whatever y was.
    """

    name: str
    estimator: Any

    @property
    def title(self) -> str:
        """How messages call it."""
        return f"{self.name!r} ({type(self.estimator).__name__})"

    def predict(self, X: Any, layout: TaskLayout) -> np.ndarray:
        """Return encoded predictions in the shape of labels."""
        predicted = self.estimator.predict(X)
        if isinstance(predicted, np.ndarray) and layout.is_named:
            if predicted.shape != (len(predicted), layout.n_tasks):
                raise self._wrong("predict", f"shape {predicted.shape}", layout)
            predicted = dict(zip(layout.names, predicted.T, strict=True))
        try:
            data = layout.encode(X, predicted)
        except TaskLayoutError as error:
            raise self._wrong("predict", str(error), layout) from error
        assert data.observed is not None  # encoded with y
        if not data.observed.all():
            raise ValueError(
                f"Estimator {self.title} predicted NaN in {(~data.observed).sum()} place(s); look "
                "for a fit that diverged."
            )
        return data.labels  # type: ignore[return-value]

    def probabilities(self, X: Any, layout: TaskLayout, data: TaskData) -> list[np.ndarray | None]:
        """Return an array (n_t, n_classes_t) for each classification task, None for others."""
        found = self.estimator.predict_proba(X)
        tasks = layout.tasks
        blocks: list[Any]
        if layout.rows == LONG:
            blocks = self._columns_by_task(np.asarray(found), layout, data)
        elif isinstance(found, Mapping):
            blocks = [found.get(task.name) for task in tasks]
        else:
            blocks = list(found) if isinstance(found, (list, tuple)) else [found]
        expected = [
            (len(data.rows(t, observed=False)), len(task.classes))
            if task.classes is not None
            else None
            for t, task in enumerate(tasks)
        ]
        shapes = [None if block is None else np.shape(block) for block in blocks]
        if shapes != expected:
            raise self._wrong("predict_proba", f"arrays of shapes {shapes}", layout)
        return [None if block is None else np.asarray(block) for block in blocks]

    def _columns_by_task(
        self, found: np.ndarray, layout: TaskLayout, data: TaskData
    ) -> list[np.ndarray | None]:
        """Take the columns of the tasks' classes out of those of the union."""
        union = layout.classes.tolist()
        if found.shape != (data.n_rows, len(union)):
            raise self._wrong("predict_proba", f"shape {found.shape}", layout)
        place = {label: column for column, label in enumerate(union)}
        return [
            None
            if task.classes is None
            else found[rows][:, [place[label] for label in task.classes.tolist()]]
            for task, rows in zip(layout.tasks, data.groups, strict=True)
        ]

    def _wrong(self, method: str, found: str, layout: TaskLayout) -> TaskLayoutError:
        return TaskLayoutError(
            f"Estimator {self.title} does not fit the tasks {listing(layout.names)}: its {method} "
            f"returned {found}."
        )


def check_same_tasks(first: Member, layout: TaskLayout, other: Member, others: TaskLayout) -> None:
    """Raise a TaskLayoutError that tells how the tasks of two members differ."""
    where = f"Estimators {first.title} and {other.title} do not fit together: "
    if layout.rows != others.rows:
        raise TaskLayoutError(
            f"{where}tasks have {_ROWS[layout.rows]} in the first and {_ROWS[others.rows]} in the "
            "second; give both the same task_feature."
        )
    if layout.names != others.names:
        raise TaskLayoutError(
            f"{where}the tasks of the first are {listing(layout.names)}, those of the second "
            f"{listing(others.names)}."
        )
    for mine, theirs in zip(layout.tasks, others.tasks, strict=True):
        if mine != theirs:
            raise TaskLayoutError(
                f"{where}task {plain(mine.name)!r} is {_told(mine)} for the first and "
                f"{_told(theirs)} for the second; set task_kinds, or choose estimators of one kind."
            )


def check_kind(member: Member, layout: TaskLayout) -> None:
    """Raise unless a member that knows of no tasks is for labels of their kind."""
    kind = kind_of(member.estimator)
    for task in layout.tasks:
        if kind is not None and (kind == "classification") != task.is_classification:
            raise TaskLayoutError(
                f"Estimator {member.title} is for {kind}, but task {plain(task.name)!r} is "
                f"{task.kind} for the other estimators; choose estimators of one kind."
            )


_ROWS = {"shared": "the same rows", "own": "rows of their own", "long": "a task column"}


def _told(task: Any) -> str:
    return task.kind if task.classes is None else f"{task.kind} (classes {listing(task.classes)})"
