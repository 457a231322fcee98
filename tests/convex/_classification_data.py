"""Small problems of classification and mixed tasks, in every form that rows come in.

Each comes twice: as the engine wants it, and as a list of `Part` for the references.
"""

from dataclasses import dataclass, field

import numpy as np
from convex._references_convex import Part

from sklearn_mtl import TaskSpec
from sklearn_mtl.convex import coef_rows
from sklearn_mtl.convex.datafits import classification_datafit
from sklearn_mtl.tasks import TaskData

LAYOUTS = ["complete", "missing", "few", "own"]
MIXED = ("binary", "multiclass", "regression", "binary")


@dataclass
class Case:
    X: np.ndarray
    data: TaskData
    tasks: list
    parts: list
    task_weight: np.ndarray
    fit_intercept: bool = True
    rows: object = field(init=False)

    def __post_init__(self):
        self.rows = coef_rows(self.tasks)

    @property
    def n_rows(self):
        return self.rows.n_rows

    def datafit(self, X=None):
        X = self.X if X is None else X
        return classification_datafit(
            X, self.data, self.tasks, self.task_weight, fit_intercept=self.fit_intercept
        )


def spec(name, kind, n_classes=3):
    if kind == "regression":
        return TaskSpec(name, kind)
    return TaskSpec(name, kind, np.arange(2 if kind == "binary" else n_classes))


def make_case(
    seed=0,
    *,
    n=40,
    p=4,
    kinds=("binary", "binary", "binary"),
    layout="complete",
    weighted=False,
    fit_intercept=True,
    separable=False,
    scales=1.0,
    n_classes=3,
):
    """Return a case; for layout "own", `n` is the number of rows of each task."""
    rng = np.random.default_rng(seed)
    tasks = [spec(f"task{t}", kind, n_classes) for t, kind in enumerate(kinds)]
    T = len(tasks)
    scales = np.broadcast_to(scales, p)
    count = n * T if layout == "own" else n
    X = rng.standard_normal((count, p)) * scales + rng.standard_normal(p) * scales
    labels = np.empty((count, T))
    noise = 0.0 if separable else 1.0
    for t, task in enumerate(tasks):
        width = task.n_outputs
        z = (X / scales) @ rng.standard_normal((p, width)) + rng.standard_normal(width)
        if task.kind == "regression":
            labels[:, t] = z[:, 0] + rng.standard_normal(count)
        elif task.kind == "binary":
            z = z[:, 0] - np.median(z[:, 0]) + 1e-9
            labels[:, t] = z + noise * rng.logistic(size=count) > 0
        else:
            z = z - np.median(z, axis=0)
            labels[:, t] = np.argmax(z + noise * rng.gumbel(size=z.shape), axis=1)
    weights = rng.uniform(0.2, 2.0, (count, T)) if weighted else np.ones((count, T))
    task_index = None
    if layout == "own":
        task_index = rng.permutation(np.repeat(np.arange(T), n))
        observed = task_index[:, None] == np.arange(T)
        for t, task in enumerate(tasks):
            if task.is_classification and not separable:  # every class is there
                mine = np.flatnonzero(observed[:, t])
                labels[mine[: task.classes.size], t] = task.classes
    else:
        share = {"complete": 1.0, "missing": 0.7, "few": 0.2}[layout]
        observed = rng.random((count, T)) < share
        observed[: 2 * n_classes] = True
        for t, task in enumerate(tasks):
            if task.is_classification and not separable:
                labels[: task.classes.size, t] = task.classes
    parts = []
    for t, task in enumerate(tasks):
        known = observed[:, t]
        parts.append(Part(X[known], labels[known, t], weights[known, t], task.classes))
    if layout == "own":
        pick = (np.arange(count), task_index)
        labels, weights, observed = labels[pick], weights[pick], np.ones(count, bool)
    data = TaskData(
        X,
        count,
        T,
        task_index=task_index,
        labels=np.where(observed, labels, 0.0),
        observed=observed,
        weights=np.where(observed, weights, 0.0) if weighted else None,
    )
    return Case(X, data, tasks, parts, rng.uniform(0.5, 2.0, T), fit_intercept)
