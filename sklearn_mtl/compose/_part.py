"""What one task contributes to a fit: its rows, labels, weights and other metadata."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import _check_method_params

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks import TaskData, TaskLayout, TaskSpec
from sklearn_mtl.utils._validation import plain


@dataclass(frozen=True)
class Part:
    """One task of a fit.

    Attributes
    ----------
    task : TaskSpec
    number : int
        Its place among the tasks.
    data : TaskData
        Encoded with the weights that the task's estimator is given, if any.
    rows : ndarray of int
        Rows of `data` on which the task is observed.
    metadata : dict
        What else the estimator's ``fit`` is given; arrays with an entry for each row of X (in
        own-X form a dict of them by task) are cut to the task's rows.
    """

    task: TaskSpec
    number: int
    data: TaskData
    rows: np.ndarray
    metadata: dict[str, Any]

    def inputs(self) -> Any:
        """Return the task's rows of X, in the caller's type."""
        return self.data.inputs(self.number, self.rows)

    def labels(self) -> np.ndarray:
        """Return the task's labels: classes as the caller wrote them, values as float64."""
        assert self.data.labels is not None  # encoded with y
        return self.task.decode(self.data.column(self.data.labels, self.number, self.rows))

    def fit_params(self) -> dict[str, Any]:
        """Return the keyword arguments of ``fit``."""
        params = self.cut_metadata(self.metadata)
        if self.data.weights is not None:
            params["sample_weight"] = self.data.column(self.data.weights, self.number, self.rows)
        return params

    def cut_metadata(self, metadata: dict[str, Any]) -> dict[str, Any]:
        """Return metadata in which what has an entry for each row of X has the task's rows."""
        if not metadata:
            return {}
        data, name = self.data, self.task.name
        if isinstance(data.X, list) and data.task_index is not None:
            X = data.X[self.number]
            rows = self.rows - data.rows(self.number, observed=False)[0]
            metadata = {
                key: value[name] if isinstance(value, Mapping) and name in value else value
                for key, value in metadata.items()
            }
        else:
            X, rows = data.X, self.rows
        return _check_method_params(X, metadata, indices=rows)


def cut(layout: TaskLayout, X: Any, y: Any, fit_params: list[dict[str, Any]]) -> list[Part]:
    """Return the part of each task; ``fit_params[t]`` is what its estimator's fit is given."""
    encoded: dict[int, TaskData] = {}  # estimators may be given different weights
    parts = []
    for t, (task, params) in enumerate(zip(layout.tasks, fit_params, strict=True)):
        weights = params.get("sample_weight")
        if id(weights) not in encoded:
            encoded[id(weights)] = layout.encode(X, y, weights)
        data = encoded[id(weights)]
        rows = data.rows(t)
        if len(rows) == 0:
            raise TaskLayoutError(
                f"Task {plain(task.name)!r} has no label to fit: sample_weight is zero on all of "
                "its observed rows; drop the task, or give some of them weight."
            )
        metadata = {key: value for key, value in params.items() if key != "sample_weight"}
        parts.append(Part(task, t, data, rows, metadata))
    return parts


def sliceable(X: Any) -> Any:
    """Return X with what rows cannot be selected in turned into what they can be."""
    if issparse(X):  # before the mapping: scipy's dictionary of keys is a dict
        return X if X.format in ("csr", "csc") else X.tocsr()
    if isinstance(X, Mapping):
        return {name: sliceable(own) for name, own in X.items()}
    return X if hasattr(X, "__getitem__") else np.asarray(X)
