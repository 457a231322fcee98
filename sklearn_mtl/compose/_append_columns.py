"""Columns of numbers after those of X, in the caller's type."""

from collections.abc import Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from scipy.sparse import hstack, issparse
from sklearn.utils import check_array

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks._column import column_names, is_frame
from sklearn_mtl.utils._validation import listing


def append_columns(X: Any, columns: Any, names: Sequence[str]) -> Any:
    """Return X with columns of numbers after its own, in the caller's type.

    Parameters
    ----------
    X : array-like, frame or sparse matrix of shape (n, p)
    columns : ndarray or sparse matrix of shape (n, q)
        The result has the narrowest dtype that holds those of X and of `columns`; beside text
        that is object.
    names : sequence of q names
        For frames whose own columns have names; others continue in numbers.
    """
    if columns.shape[1] == 0:
        return X
    if is_frame(X):
        return _append_to_frame(X, columns, names)
    X = check_array(
        X,
        accept_sparse=True,
        dtype=None,
        ensure_2d=False,
        ensure_all_finite=False,
        ensure_min_samples=0,
    )
    if X.ndim != 2:
        raise ValueError(
            f"Expected 2D array, got {X.ndim}D array instead: the column(s) {listing(names)} are "
            "to stand beside those of X. Reshape your data, or leave X out where an estimator of "
            "tasks can (passthrough=False)."
        )
    if issparse(X):
        return hstack([X, columns], format="csr")
    # numpy would write the numbers as text
    dtype = np.result_type(X.dtype, columns.dtype) if X.dtype.kind in "fiub" else np.dtype(object)
    # one allocation, which is most of the memory where columns are many
    whole = np.zeros((len(X), X.shape[1] + columns.shape[1]), dtype)
    whole[:, : X.shape[1]] = X
    if issparse(columns):
        entries = columns.tocoo()
        whole[entries.row, X.shape[1] + entries.col] = entries.data
    else:
        whole[:, X.shape[1] :] = columns
    return whole


def _append_to_frame(X: Any, columns: Any, names: Sequence[str]) -> Any:
    values = columns.toarray() if issparse(columns) else columns
    labels = _labels(column_names(X), names)
    if hasattr(X, "iloc"):
        import pandas as pd

        return pd.concat([X, pd.DataFrame(values, index=X.index, columns=labels)], axis=1)
    frame = nw.from_native(X, eager_only=True)
    new = [
        nw.new_series(name, column.copy(), backend=frame.implementation)
        for name, column in zip(labels, values.T, strict=True)
    ]
    return frame.with_columns(*new).to_native()


def _labels(own: Sequence[Any], names: Sequence[str]) -> Any:
    """Return what the columns after a frame's own are called."""
    # scikit-learn wants names that are all strings, or none of them
    if not all(isinstance(name, str) for name in own):
        numbers = [name for name in own if isinstance(name, (int, np.integer))]
        start = max([*numbers, len(own) - 1]) + 1
        return range(start, start + len(names))
    taken = [name for name in names if name in own]
    if taken:
        raise TaskLayoutError(
            f"X already has the column(s) {listing(taken)}, which are to be written beside its "
            "own; rename them."
        )
    return list(names)
