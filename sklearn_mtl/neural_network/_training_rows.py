"""The part of the rows that a training is given."""

from dataclasses import replace
from typing import Any

import numpy as np

from sklearn_mtl.tasks import TaskData, TaskLayout
from sklearn_mtl.tasks._layout import SHARED
from sklearn_mtl.tasks._streamed import StreamedRows

TEMPERATURES = {"proportional": 1.0, "temperature": 2.0, "uniform": np.inf}


def sampling_temperature(task_sampling: Any, layout: TaskLayout) -> float:
    """Return the τ that `task_sampling` is or names.

    Anything but 1 is a ValueError where rows have labels of all tasks.
    """
    word = isinstance(task_sampling, str)
    temperature = TEMPERATURES[task_sampling] if word else float(task_sampling)
    if temperature != 1 and layout.rows == SHARED:
        raise ValueError(
            f"task_sampling={task_sampling!r} draws some tasks more often than others, which "
            "needs rows that belong to one task each: X as a dict of the tasks' own rows, or long "
            "form (task_feature). These rows have labels of all tasks; set "
            "task_sampling='proportional', or weigh tasks by task_weight."
        )
    return temperature


def task_shares(data: TaskData, temperature: float) -> np.ndarray:
    """Return p_t, the share of the rows drawn that are of task t, shape (T,).

    p_t is proportional to n_t ** (1 / τ), with n_t the labelled rows of task t.
    """
    count = data.per_task(data.observed.astype(np.float64))  # type: ignore[union-attr]
    power = np.where(count > 0, count ** (1.0 / temperature), 0.0)
    return power / power.sum()


def rows_at(data: TaskData, rows: np.ndarray) -> TaskData:
    """Return the labels of those rows, without X."""
    if len(rows) == data.n_rows:
        return data
    parts: dict[str, Any] = {
        name: None if getattr(data, name) is None else getattr(data, name)[rows]
        for name in ("labels", "observed", "weights", "task_index")
    }
    return replace(data, X=None, n_rows=len(rows), index=None, **parts)


def training_rows(
    X: np.ndarray | StreamedRows, data: TaskData, rows: np.ndarray, *, temperature: float = 1.0
) -> dict[str, Any]:
    """Return those rows as ``nn.train`` takes them, tasks to be drawn at that temperature."""
    part = rows_at(data, rows)
    return {
        "X": X if len(rows) == len(X) else X[rows],
        "labels": part.labels,
        "observed": part.observed,
        "weights": part.weights,
        "task_index": part.task_index,
        "task_share": None if temperature == 1 else task_shares(part, temperature),
    }
