from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_mtl.exceptions import TaskLayoutError
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
        The pandas or narwhals dtype that predictions are given back in, None for numpy's own.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl import TaskSpec
    >>> TaskSpec("good", "binary", np.array(["no", "yes"])).n_outputs
    1
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

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TaskSpec):
            return NotImplemented
        same = self.name == other.name and self.kind == other.kind
        return same and np.array_equal(_or_empty(self.classes), _or_empty(other.classes))

    def __hash__(self) -> int:
        return hash((self.name, self.kind))

    def encode(self, labels: np.ndarray) -> np.ndarray:
        """Return observed labels as floats: values, or class numbers 0 … n_classes - 1."""
        if self.classes is None:
            return np.asarray(labels, dtype=np.float64)
        if len(labels) == 0:
            return np.empty(0)
        try:
            codes = np.searchsorted(self.classes, labels)
        except TypeError:  # numbers against strings
            codes = np.zeros(len(labels), dtype=int)
        codes = np.minimum(codes, len(self.classes) - 1)
        unseen = np.asarray(self.classes[codes] != labels)
        if unseen.any():
            new = listing(sorted(set(np.asarray(labels)[unseen].tolist()), key=str))
            raise TaskLayoutError(
                f"Task {plain(self.name)!r} has classes that fit never saw: {new}. It knows "
                f"{listing(self.classes)}; drop those rows, or fit on data that has every class."
            )
        return codes.astype(np.float64)

    def decode(self, values: np.ndarray) -> np.ndarray:
        """Return the labels that `encode` was given."""
        if self.classes is None:
            return values
        return self.classes[values.astype(np.intp)]


def _or_empty(classes: np.ndarray | None) -> np.ndarray:
    return np.empty(0) if classes is None else classes
