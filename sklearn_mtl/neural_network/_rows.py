"""The rows of X as numbers, and the part of them that a training is given."""

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.utils.validation import _num_samples, check_array, validate_data

from sklearn_mtl.tasks import TaskData, TaskLayout
from sklearn_mtl.tasks._layout import LONG, OWN
from sklearn_mtl.utils._validation import plain

FLOATS = [np.float64, np.float32]


def read_rows(
    estimator: Any, X: Any, data: TaskData, layout: TaskLayout, *, reset: bool
) -> np.ndarray:
    """Return the numbers of X, shape (n, p), after the checks scikit-learn makes."""
    if layout.rows == OWN:
        return _read_own_rows(estimator, data.X, layout, reset=reset)
    if layout.rows == LONG:
        validate_data(estimator, X, skip_check_array=True, reset=reset)
        if data.X.shape[1] == 0:
            raise ValueError(
                f"X has 0 feature(s) beside the task column {layout.task_feature!r}, while a "
                "minimum of 1 is required."
            )
        return check_array(data.X, dtype=FLOATS, input_name="X")
    return validate_data(estimator, X, dtype=FLOATS, reset=reset)


def _read_own_rows(
    estimator: Any, parts: list[Any], layout: TaskLayout, *, reset: bool
) -> np.ndarray:
    numbers: list[np.ndarray] = []
    least = 0 if any(_num_samples(part) for part in parts) else 1  # a task may have no row
    for name, part in zip(layout.names, parts, strict=True):
        try:
            first = reset and not numbers
            checked = validate_data(
                estimator, part, dtype=FLOATS, reset=first, ensure_min_samples=least
            )
            numbers.append(checked)
        except ValueError as error:
            advice = (
                " A shared network needs the same features for each task; IndependentTasks "
                "takes tasks that differ."
            )
            raise ValueError(
                f"X of task {plain(name)!r}: {error}{advice if 'feature' in str(error) else ''}"
            ) from error
    return np.concatenate(numbers)


def rows_at(data: TaskData, rows: np.ndarray) -> TaskData:
    """Return the labels of those rows, without X."""
    if len(rows) == data.n_rows:
        return data
    parts: dict[str, Any] = {
        name: None if getattr(data, name) is None else getattr(data, name)[rows]
        for name in ("labels", "observed", "weights", "task_index")
    }
    return replace(data, X=None, n_rows=len(rows), index=None, **parts)


def training_rows(X: np.ndarray, data: TaskData, rows: np.ndarray) -> dict[str, Any]:
    """Return those rows as ``nn.train`` takes them."""
    part = rows_at(data, rows)
    return {
        "X": X if len(rows) == len(X) else X[rows],
        "labels": part.labels,
        "observed": part.observed,
        "weights": part.weights,
        "task_index": part.task_index,
    }
