"""Random multi-task problems, as data, as parts for cvxpy, and as datafits."""

import numpy as np
from convex._references_convex import Part

from sklearn_mtl.convex import GramStats
from sklearn_mtl.convex.datafits import DesignQuadratic
from sklearn_mtl.tasks import TaskData

KINDS = ["complete", "missing", "weighted", "own weights", "own rows"]


def make_data(kind, n, p, n_tasks, seed=0, correlation=0.0, offset=0.0):
    """Return X (n, p) and TaskData with few true features, by the kind of `KINDS`."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(n, 1))
    X = np.sqrt(1 - correlation) * rng.normal(size=(n, p)) + np.sqrt(correlation) * common + offset
    k = max(1, p // 4)
    Y = (X[:, :k] - offset) @ rng.normal(size=(k, n_tasks)) + 0.5 * rng.normal(size=(n, n_tasks))
    Y += 2.0 + offset
    observed, weights = np.ones(Y.shape, dtype=bool), None
    if kind == "missing":
        observed = rng.random(Y.shape) < 0.7
        observed[:3] = True
    elif kind == "weighted":
        weights = np.repeat(rng.uniform(0.2, 2.0, size=(n, 1)), n_tasks, axis=1)
    elif kind == "own weights":
        weights = rng.uniform(0.2, 2.0, size=Y.shape)
    elif kind == "own rows":
        index = rng.permutation(np.arange(n) % n_tasks)
        y = Y[np.arange(n), index]
        seen = np.ones(n, dtype=bool)
        return X, TaskData(X, n, n_tasks, task_index=index, labels=y, observed=seen)
    labels = np.where(observed, Y, 0.0)
    return X, TaskData(X, n, n_tasks, labels=labels, observed=observed, weights=weights)


def parts_of(X, data):
    """Return each task's rows for the references."""
    parts = []
    for t in range(data.n_tasks):
        rows = data.rows(t)
        weight = np.ones(len(rows))
        if data.weights is not None:
            weight = data.column(data.weights, t, rows)
        parts.append(Part(X[rows], data.column(data.labels, t, rows), weight))
    return parts


def both_datafits(X, data, task_weight, fit_intercept=True):
    """Return the loss from Gram matrices and from rows."""
    gram = GramStats.from_data(X, data).datafit(task_weight, fit_intercept=fit_intercept)
    return gram, DesignQuadratic(X, data, task_weight, fit_intercept=fit_intercept)
