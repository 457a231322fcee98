"""How the predictions of one task enter the features of another."""

from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from scipy.sparse import hstack, issparse

from sklearn_mtl.compose._fit_one import predict_one, predict_proba_one
from sklearn_mtl.tasks import TaskSpec
from sklearn_mtl.tasks._column import column_names, is_frame
from sklearn_mtl.utils._validation import listing, plain


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


def append_columns(X: Any, columns: np.ndarray, names: list[str]) -> Any:
    """Return X with columns of numbers after its own, in the caller's type.

    Parameters
    ----------
    X : array-like, frame or sparse matrix of shape (n, p)
    columns : ndarray of shape (n, q)
    names : list of q names
        For frames whose own columns have names; others continue in numbers.
    """
    if columns.shape[1] == 0:
        return X
    if is_frame(X):
        own = column_names(X)
        if all(isinstance(name, str) for name in own):
            _check_free(names, own)
        if hasattr(X, "iloc"):
            return _append_to_pandas(X, columns, names)
        frame = nw.from_native(X, eager_only=True)
        new = [
            nw.new_series(name, column.copy(), backend=frame.implementation)
            for name, column in zip(names, columns.T, strict=True)
        ]
        return frame.with_columns(*new).to_native()
    if issparse(X):
        return hstack([X, columns.astype(_number_type(X.dtype))], format="csr")
    X = np.asarray(X)
    if X.ndim != 2:
        raise ValueError(
            f"Expected 2D array, got {X.ndim}D array instead: predictions of other tasks are read "
            "beside the columns of X. Reshape your data, or leave X out with passthrough=False."
        )
    if X.dtype.kind not in "fiub":
        return np.hstack([X.astype(object), columns])  # numpy would write the numbers as text
    return np.hstack([X, columns.astype(_number_type(X.dtype))])


def _append_to_pandas(X: Any, columns: np.ndarray, names: list[str]) -> Any:
    import pandas as pd

    labels: Any = names
    if not all(isinstance(name, str) for name in X.columns):
        # scikit-learn refuses names of which only some are strings
        numbers = [name for name in X.columns if isinstance(name, (int, np.integer))]
        start = max([*numbers, X.shape[1] - 1]) + 1
        labels = range(start, start + len(names))
    return pd.concat([X, pd.DataFrame(columns, index=X.index, columns=labels)], axis=1)


def _number_type(dtype: np.dtype) -> np.dtype:
    """Return the type of appended numbers: float32 beside float32, else float64."""
    return dtype if dtype == np.float32 else np.dtype(np.float64)


def _check_free(names: list[str], own: list[Any]) -> None:
    taken = [name for name in names if name in own]
    if taken:
        raise ValueError(
            f"X already has the column(s) {listing(taken)}, in which the predictions of tasks are "
            "to be read; rename them."
        )
