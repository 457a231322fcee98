"""The rows of X as numbers."""

from typing import Any

import numpy as np
from scipy.sparse import issparse, vstack
from sklearn.utils.validation import _num_samples, check_array, validate_data

from sklearn_mtl.tasks._data import TaskData
from sklearn_mtl.tasks._layout import LONG, OWN, TaskLayout
from sklearn_mtl.utils._validation import plain

FLOATS = [np.float64, np.float32]


def read_rows(
    estimator: Any,
    X: Any,
    data: TaskData,
    layout: TaskLayout,
    *,
    reset: bool,
    accept_sparse: Any = False,
) -> Any:
    """Return the numbers of X, shape (n, p), after the checks scikit-learn makes.

    Parameters
    ----------
    estimator : estimator
        Gets ``n_features_in_`` and ``feature_names_in_`` where `reset`, else is compared with them.
    X : the caller's X
    data : TaskData
        What ``layout.encode`` made of it.
    layout : TaskLayout
    reset : bool
    accept_sparse : bool or str, default=False
        As in ``check_array``.
    """
    options: dict[str, Any] = {"dtype": FLOATS, "accept_sparse": accept_sparse}
    if layout.rows == OWN:
        return _read_own_rows(estimator, data.X, layout, reset=reset, options=options)
    if layout.rows == LONG:
        validate_data(estimator, X, skip_check_array=True, reset=reset)
        if data.X.shape[1] == 0:
            raise ValueError(
                f"X has 0 feature(s) beside the task column {layout.task_feature!r}, while a "
                "minimum of 1 is required."
            )
        return check_array(data.X, input_name="X", **options)
    return validate_data(estimator, X, reset=reset, **options)


def _read_own_rows(
    estimator: Any, parts: list[Any], layout: TaskLayout, *, reset: bool, options: dict[str, Any]
) -> Any:
    numbers: list[Any] = []
    least = 0 if any(_num_samples(part) for part in parts) else 1  # a task may have no row
    for name, part in zip(layout.names, parts, strict=True):
        try:
            first = reset and not numbers
            checked = validate_data(
                estimator, part, reset=first, ensure_min_samples=least, **options
            )
            numbers.append(checked)
        except ValueError as error:
            advice = (
                " Tasks that share a model need the same features; IndependentTasks takes tasks "
                "that differ."
            )
            raise ValueError(
                f"X of task {plain(name)!r}: {error}{advice if 'feature' in str(error) else ''}"
            ) from error
    if any(issparse(part) for part in numbers):
        return vstack(numbers, format="csr")
    return np.concatenate(numbers)
