"""Small sets of tasks in every layout that statistics tell apart."""

from dataclasses import dataclass

import numpy as np

from sklearn_mtl.convex import GramStats
from sklearn_mtl.tasks import TaskData


@dataclass
class Labels:
    """One label each: its row, its task, and how often it counts."""

    X: np.ndarray
    y: np.ndarray
    task: np.ndarray
    repeats: np.ndarray
    stats: GramStats

    @property
    def n_tasks(self):
        return self.stats.n_tasks


def shared_rows(X, Y, observed=None, repeats=None):
    """Return tasks that are the columns of Y, with integer weights where there are any."""
    seen = np.ones(Y.shape, bool) if observed is None else observed
    data = TaskData(None, *Y.shape, None, None, np.where(seen, Y, 0.0), seen, repeats)
    row, task = np.nonzero(seen)
    count = np.ones(len(row), int) if repeats is None else repeats[row, task].astype(int)
    return Labels(X[row], Y[row, task], task, count, GramStats.from_data(X, data))


def own_rows(X, y, task):
    """Return tasks that have rows of their own; each of 0, ..., T - 1 has some."""
    seen = np.ones(len(y), bool)
    data = TaskData(None, len(y), task.max() + 1, task, None, y, seen, None)
    return Labels(X, y, task, np.ones(len(y), int), GramStats.from_data(X, data))


def related(n_tasks=6, n=12, p=3, noise=0.5, seed=0, offset=3.0):
    """Return features (n * T, p), labels and tasks of one population."""
    rng = np.random.default_rng(seed)
    task = np.repeat(np.arange(n_tasks), n)
    X = rng.standard_normal((len(task), p)) + offset
    root = rng.standard_normal((p, p)) / np.sqrt(p)
    W = rng.standard_normal(p) + rng.standard_normal((n_tasks, p)) @ root.T
    y = np.einsum("ij,ij->i", X, W[task]) + rng.standard_normal(n_tasks)[task]
    return X, y + noise * rng.standard_normal(len(y)), task


def layout(name, n=9, p=3, n_tasks=4, seed=0):
    """Return labels in the layout of that name."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + 2.0
    Y = X @ rng.standard_normal((p, n_tasks)) + rng.standard_normal((n, n_tasks))
    seen = rng.random((n, n_tasks)) > 0.4
    seen[0] = True
    if name == "own rows":
        return own_rows(X, Y[:, 0], np.sort(np.arange(n) % n_tasks))
    if name == "missing labels":
        return shared_rows(X, Y, seen)
    if name == "repeated labels":
        return shared_rows(X, Y, seen, rng.integers(1, 4, Y.shape).astype(float))
    if name == "more features than rows":
        return shared_rows(np.hstack([X, X**2, X**3, np.sin(X)]), Y, seen)
    if name == "many tasks of the same rows":
        more = X @ rng.standard_normal((p, 20)) + rng.standard_normal((n, 20))
        return shared_rows(X, more)
    return shared_rows(X, Y)


LAYOUTS = [
    "shared rows",
    "own rows",
    "missing labels",
    "repeated labels",
    "more features than rows",
    "many tasks of the same rows",
]
