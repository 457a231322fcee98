"""The part of the rows that a training is given."""

from dataclasses import replace
from typing import Any

import numpy as np

from sklearn_mtl.tasks import TaskData


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
