from collections.abc import Hashable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks._plain_state import plain_dtype, restored
from sklearn_mtl.utils._validation import listing, plain

REGRESSION = "regression"
BINARY = "binary"
MULTICLASS = "multiclass"


@dataclass(frozen=True, eq=False)
class TaskSpec:
    """What one task is: its name, its kind and, for classification, its classes.

    Parameters
    ----------
    name : hashable
        The caller's name: a column name, a dict key, a value of the task column.
    kind : {"regression", "binary", "multiclass"}
    classes : ndarray of shape (n_classes,), default=None
        Sorted class labels; None for regression.
    dtype : object, default=None
        The pandas, polars or arrow dtype that predictions are given back in, None for numpy's own.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl import TaskSpec
    >>> TaskSpec("good", "binary", np.array(["no", "yes"])).n_outputs
    1
    >>> TaskSpec("good", "binary", np.array(["no", "yes"])).encode(["yes", "no"])
    array([1., 0.])
    """

    name: Hashable
    kind: str
    classes: np.ndarray | None = None
    dtype: Any = None

    def __post_init__(self) -> None:
        if self.kind not in (REGRESSION, BINARY, MULTICLASS):
            raise ValueError(f"kind must be one of {listing((REGRESSION, BINARY, MULTICLASS))}.")
        if (self.classes is None) != (self.kind == REGRESSION):
            raise ValueError("classes belong to classification tasks, and to all of them.")

    @property
    def is_classification(self) -> bool:
        """Whether labels are classes."""
        return self.kind != REGRESSION

    @property
    def n_outputs(self) -> int:
        """Number of real outputs a linear head needs: 1, or one a class for multiclass."""
        return len(self.classes) if self.kind == MULTICLASS else 1  # type: ignore[arg-type]

    @cached_property
    def _is_run(self) -> bool:
        """Whether classes are consecutive integers, so that encoding is a subtraction."""
        if self.classes is None or self.classes.dtype.kind not in "iu":
            return False
        small = int(self.classes[0]) > -(2**62) and int(self.classes[-1]) < 2**62
        return small and int(self.classes[-1]) - int(self.classes[0]) == len(self.classes) - 1

    def __getstate__(self) -> dict[str, Any]:
        state = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**state, "dtype": plain_dtype(self.dtype)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, dtype=restored(state["dtype"]))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TaskSpec):
            return NotImplemented
        same = self.name == other.name and self.kind == other.kind
        return same and np.array_equal(_or_empty(self.classes), _or_empty(other.classes))

    def __hash__(self) -> int:
        return hash((self.name, self.kind))

    def encode(self, labels: np.ndarray) -> np.ndarray:
        """Return observed labels as floats: values, or class numbers 0 … n_classes - 1.

        Labels are equal to classes as Python compares them: 1.0 is the class 1, "1" is not. A
        label that is no class is a TaskLayoutError that names it.
        """
        if self.classes is None:
            return np.asarray(labels, dtype=np.float64)
        labels = np.asarray(labels)
        if len(labels) == 0:
            return np.empty(0)
        if self._is_run and labels.dtype.kind in "iu":
            codes = labels.astype(np.int64) - self.classes[0]
            unseen = (codes < 0) | (codes >= len(self.classes))
        elif self.classes.dtype.kind in "fiub" and labels.dtype.kind in "fiub":
            codes = np.searchsorted(self.classes, labels)
            codes = np.minimum(codes, len(self.classes) - 1)
            unseen = self.classes[codes] != labels
        else:
            # hashing tells 1 from "1", which numpy would compare as strings
            number = {label: code for code, label in enumerate(self.classes.tolist())}
            get = number.get
            codes = np.fromiter((get(v, -1) for v in labels.tolist()), np.intp, len(labels))
            unseen = codes < 0
        if unseen.any():
            new = listing(sorted(set(labels[unseen].tolist()), key=str))
            raise TaskLayoutError(
                f"Task {plain(self.name)!r} has classes that fit never saw: {new}. It knows "
                f"{listing(self.classes)}; drop those rows, or fit on data that has every class."
            )
        return codes.astype(np.float64)

    def decode(self, values: np.ndarray) -> np.ndarray:
        """Return the labels that `encode` was given: float64 values, or classes."""
        if self.classes is None:
            return np.asarray(values, dtype=np.float64)
        return self.classes[values.astype(np.intp)]


def _or_empty(classes: np.ndarray | None) -> np.ndarray:
    return np.empty(0) if classes is None else classes


def union_of_classes(tasks: Sequence[TaskSpec]) -> np.ndarray | None:
    """Return the sorted classes of all classification tasks, None where there are none."""
    sets = [task.classes for task in tasks if task.classes is not None]
    if not sets:
        return None
    kinds = {classes.dtype.kind for classes in sets}
    if len(kinds) == 1 or kinds <= set("fiu"):
        return np.unique(np.concatenate(sets))
    labels = {label for classes in sets for label in classes.tolist()}
    union = np.empty(len(labels), dtype=object)
    union[:] = sorted(labels, key=lambda label: (type(label).__name__, label))
    return union
