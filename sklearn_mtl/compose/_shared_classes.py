"""One classifier for several tasks: the classes of all, and from these back to each task's own."""

from typing import Any

import numpy as np

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks import TaskLayout
from sklearn_mtl.utils._validation import listing, plain


class SharedClasses:
    """The K classes that some task has, and which of them each task has.

    Parameters
    ----------
    layout : TaskLayout
        Tasks that are all classification.

    Attributes
    ----------
    union : ndarray of shape (K,)
        Sorted.
    own : list of T ndarray of shape (n_classes_t,)
        The places in the union of each task's classes.
    frequencies : ndarray of shape (T, K)
        Shares of the classes among each task's labels.
    """

    frequencies: np.ndarray

    def __init__(self, layout: TaskLayout) -> None:
        self.union = _union(layout)
        self.own = [np.searchsorted(self.union, t.classes) for t in layout.tasks]  # type: ignore[arg-type]
        # the number of each class within each task; both are sorted
        self._number = np.full((layout.n_tasks, len(self.union)), -1)
        for number, own in zip(self._number, self.own, strict=True):
            number[own] = np.arange(len(own))

    def read(
        self, codes: np.ndarray, task_index: np.ndarray, weights: np.ndarray | None
    ) -> np.ndarray:
        """Return the classes that class numbers of tasks stand for, and learn their frequencies.

        Parameters
        ----------
        codes, task_index : ndarray of shape (N,)
            A class number within a task, and the task.
        weights : ndarray of shape (N,) or None
        """
        starts = np.cumsum([0, *(len(own) for own in self.own[:-1])])
        places = np.concatenate(self.own)[starts[task_index] + codes.astype(np.intp)]
        shape = self._number.shape
        cells = np.ravel_multi_index((task_index, places), shape)
        counts = np.bincount(cells, weights, minlength=self._number.size).reshape(shape)
        self.frequencies = counts / counts.sum(axis=1, keepdims=True)
        return self.union[places]

    def numbers(self, predicted: np.ndarray, task_index: np.ndarray) -> np.ndarray:
        """Return each row's class number within its task, -1 where the task has no such class."""
        places = np.searchsorted(self.union, predicted).clip(max=len(self.union) - 1)
        if (self.union[places] != predicted).any():
            raise ValueError(
                f"The model predicted {listing(np.unique(predicted))}, which are not all among the "
                f"classes {listing(self.union)}; pass a classifier."
            )
        return self._number[task_index, places]

    def most_probable(self, probabilities: np.ndarray, task_index: np.ndarray) -> np.ndarray:
        """Return the class number within the row's task of its greatest probability."""
        return self._number[task_index, probabilities.argmax(axis=1)]

    def restricted(
        self, estimator: Any, probabilities: np.ndarray, task_index: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return P(class | it is one of the task's), 0 for other tasks' classes.

        Returns
        -------
        shares : ndarray of shape (n, K)
        lost : ndarray of shape (n,), bool
            Where a task's classes have no probability at all; their frequencies stand in.
        """
        known = getattr(estimator, "classes_", self.union)
        full = np.zeros((len(probabilities), len(self.union)))
        full[:, np.searchsorted(self.union, known)] = probabilities
        full[self._number[task_index] < 0] = 0.0
        total = full.sum(axis=1)
        lost = total == 0
        full[~lost] /= total[~lost, None]
        full[lost] = self.frequencies[task_index[lost]]
        return full, lost


def _union(layout: TaskLayout) -> np.ndarray:
    sets = [task.classes for task in layout.tasks if task.classes is not None]
    families = [_family(classes) for classes in sets]
    for task, family in zip(layout.tasks, families, strict=True):
        if family != families[0]:
            first = layout.tasks[0]
            raise TaskLayoutError(
                "One classifier learns the classes of all tasks, so they must be all numbers, all "
                f"booleans or all strings; task {plain(first.name)!r} has {listing(sets[0], 2)}, "
                f"task {plain(task.name)!r} has {listing(task.classes, 2)}. "  # type: ignore[arg-type]
                "Convert them to strings, or use IndependentTasks."
            )
    return np.unique(np.concatenate(sets))


def _family(classes: np.ndarray) -> str:
    return {"b": "boolean", "O": "text", "U": "text"}.get(classes.dtype.kind, "number")
