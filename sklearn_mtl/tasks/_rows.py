"""The rows of X as numbers."""

from typing import Any

import numpy as np
from scipy.sparse import issparse, vstack
from sklearn.utils.validation import _num_samples, check_array, validate_data

from sklearn_mtl.tasks._data import TaskData
from sklearn_mtl.tasks._layout import LONG, OWN, TaskLayout
from sklearn_mtl.tasks._streamed import StreamedRows
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
    allow_nd: bool = False,
    input_shape: tuple[int, ...] | None = None,
) -> Any:
    """Return the numbers of X, shape (n, p) or (n, ...), after the checks scikit-learn makes.

    Rows of a Dataset, which are checked as they are read, are returned as they are.

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
    allow_nd : bool, default=False
        Whether inputs may have any shape, as images have. ``n_features_in_`` is their first length,
        the number of channels. Integers and floats of at most 16 bits become float32, which holds
        them exactly, else float64.
    input_shape : tuple of int, default=None
        Shape of one input that rows must have, where `allow_nd`.
    """
    if isinstance(X, StreamedRows):
        if reset:
            estimator.n_features_in_ = X.shape[1]
            vars(estimator).pop("feature_names_in_", None)  # of an earlier fit
        return X
    options: dict[str, Any] = {"accept_sparse": accept_sparse, "allow_nd": allow_nd}
    if layout.rows == OWN:
        return _read_own_rows(estimator, data.X, layout, input_shape, reset=reset, options=options)
    if layout.rows == LONG:
        validate_data(estimator, X, skip_check_array=True, reset=reset)
        if data.X.shape[1] == 0:
            raise ValueError(
                f"X has 0 feature(s) beside the task column {layout.task_feature!r}, while a "
                "minimum of 1 is required."
            )
        return check_array(data.X, input_name="X", dtype=FLOATS, **options)
    return _validated(estimator, X, input_shape, reset=reset, **options)


def _validated(
    estimator: Any, X: Any, input_shape: tuple[int, ...] | None, *, reset: bool, **options: Any
) -> Any:
    if not options["allow_nd"]:
        return validate_data(estimator, X, reset=reset, dtype=FLOATS, **options)
    found = np.shape(X)[1:]
    tables = input_shape is None or len(found) == len(input_shape) == 1  # told of as features
    if not tables and found != input_shape:
        raise ValueError(
            f"X has inputs of shape {found}, but {type(estimator).__name__} was fitted on inputs "
            f"of shape {input_shape}; pass such inputs, with the rows first."
        )
    dtype = getattr(X, "dtype", None)
    narrow = isinstance(dtype, np.dtype) and dtype.kind in "biuf" and dtype.itemsize <= 2
    return validate_data(
        estimator, X, reset=reset, dtype=np.float32 if narrow else FLOATS, **options
    )


def _read_own_rows(
    estimator: Any,
    parts: list[Any],
    layout: TaskLayout,
    input_shape: tuple[int, ...] | None,
    *,
    reset: bool,
    options: dict[str, Any],
) -> Any:
    numbers: list[Any] = []
    least = 0 if any(_num_samples(part) for part in parts) else 1  # a task may have no row
    for name, part in zip(layout.names, parts, strict=True):
        try:
            first = reset and not numbers
            shape = numbers[0].shape[1:] if numbers and reset else input_shape
            checked = _validated(
                estimator, part, shape, reset=first, ensure_min_samples=least, **options
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
