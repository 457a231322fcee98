"""Columns of numbers after those of X, in the caller's type."""

from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from scipy.sparse import hstack, issparse

from sklearn_mtl.tasks._column import column_names, is_frame
from sklearn_mtl.utils._validation import listing


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
        return hstack([X, columns.astype(_number_type(X.dtype), copy=False)], format="csr")
    X = np.asarray(X)
    if X.ndim != 2:
        raise ValueError(
            f"Expected 2D array, got {X.ndim}D array instead: predictions of other tasks are read "
            "beside the columns of X. Reshape your data, or leave X out with passthrough=False."
        )
    if X.dtype.kind not in "fiub":
        return np.hstack([X.astype(object), columns])  # numpy would write the numbers as text
    return np.hstack([X, columns.astype(_number_type(X.dtype), copy=False)])


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
