"""Tasks with an X of their own whose rows one estimator reads."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks._column import column_names, is_frame
from sklearn_mtl.utils._validation import listing, plain


def check_same_features(X: Mapping[Any, Any]) -> None:
    """Raise a TaskLayoutError unless the X of all tasks have one type and the same features."""
    for name, own in X.items():
        first = next(iter(X))
        if _features(own) != _features(X[first]):
            raise TaskLayoutError(
                f"X of task {plain(name)!r} has {_told(own)}, X of task {plain(first)!r} has "
                f"{_told(X[first])}. One estimator reads the rows of several tasks, so all need "
                "the same features; IndependentTasks takes tasks that differ."
            )


def _features(X: Any) -> Any:
    """Return what the X of two tasks have in common where one estimator can read both."""
    if is_frame(X):
        return type(X), column_names(X)
    # a list of texts has no features, and an array of texts neither
    return tuple(X.shape[1:] if hasattr(X, "shape") else np.shape(X[:1])[1:])


def _told(X: Any) -> str:
    if is_frame(X):
        library = type(X).__module__.partition(".")[0]
        return f"the column(s) {listing(column_names(X))} in a frame of {library}"
    return f"{listing(_features(X))} feature(s)" if _features(X) else "no columns"
