"""The columns of X, in whatever holds them."""

from collections.abc import Hashable
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array

from sklearn_mtl.tasks._column import column_names, is_frame


def as_table(X: Any) -> Any:
    """Return frames as they are, and everything else as a matrix, whose entries may be missing."""
    if is_frame(X):
        return X
    return check_array(X, dtype=None, accept_sparse=True, ensure_all_finite="allow-nan")


def feature_names(X: Any, estimator: Any = None) -> list[Hashable]:
    """Return the names in a frame, else those that `estimator` saw, else ``x0 …``."""
    if is_frame(X):
        return column_names(X)
    seen = getattr(estimator, "feature_names_in_", None)
    if seen is not None and len(seen) == X.shape[1]:
        return list(seen)
    return [f"x{j}" for j in range(X.shape[1])]


def with_reordered_column(X: Any, column: int, order: np.ndarray) -> Any:
    """Return a copy of X whose row i has, in one column, the entry of row ``order[i]``."""
    if hasattr(X, "iloc"):
        copy = X.copy()
        copy.isetitem(column, X.iloc[order, column].array)
        return copy
    if is_frame(X):
        frame = nw.from_native(X, eager_only=True)
        return frame.with_columns(frame[frame.columns[column]][order]).to_native()
    if issparse(X):
        copy = X.tocsc(copy=True)
        entries = slice(*copy.indptr[column : column + 2])
        # the entry of row order[i] comes to row i
        copy.indices[entries] = np.argsort(order)[copy.indices[entries]]
        copy.has_sorted_indices = False
        copy.sort_indices()
        return copy.asformat(X.format)
    copy = X.copy()
    copy[:, column] = X[order, column]
    return copy
