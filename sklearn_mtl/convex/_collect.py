"""The moments of every group of tasks, from rows that tasks share or have of their own."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from scipy import sparse

from sklearn_mtl.convex._moments import (
    Moments,
    Sums,
    chunk_rows,
    deviations,
    is_thin,
    keeps_digits,
    mean_of_few,
    moments,
    spread,
    take,
    two_sum,
)
from sklearn_mtl.tasks import TaskData


@dataclass(eq=False)
class Collected:
    """Arrays of the statistics, to be filled in: zeros where a task has no label."""

    group: np.ndarray
    count: np.ndarray
    mass: np.ndarray
    x_mean: np.ndarray
    gram: np.ndarray
    y_mean: np.ndarray
    cross: np.ndarray
    energy: np.ndarray
    x_mean_low: np.ndarray
    y_mean_low: np.ndarray

    @classmethod
    def zeros(cls, group: np.ndarray, count: np.ndarray, p: int) -> "Collected":
        """Return empty statistics of these groups."""
        n_tasks, n_groups = len(group), int(group.max()) + 1
        shapes = [
            (n_groups,),
            (n_groups, p),
            (n_groups, p, p),
            (n_tasks,),
            (n_tasks, p),
            (n_tasks,),
            (n_groups, p),
            (n_tasks,),
        ]
        return cls(group, count.astype(np.int64), *map(np.zeros, shapes))

    def put(self, k: int, tasks: np.ndarray, found: Moments) -> None:
        """Write the moments of one group."""
        self.mass[k] = found.mass
        if len(self.gram) == 1:
            self.gram = found.gram[None]
        else:
            self.gram[k] = found.gram
        self.x_mean[k], self.x_mean_low[k] = found.x_mean, found.x_mean_low
        self.y_mean[tasks], self.y_mean_low[tasks] = found.y_mean, found.y_mean_low
        self.cross[tasks], self.energy[tasks] = found.cross, found.energy


def collect(X: Any, data: TaskData) -> Collected:
    """Return the statistics of labelled rows.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n, p)
    data : TaskData
    """
    X = X.tocsr().astype(np.float64, copy=False) if sparse.issparse(X) else np.asarray(X)
    return _shared_rows(X, data) if data.task_index is None else _own_rows(X, data)


def group_tasks(data: TaskData) -> tuple[np.ndarray, bool]:
    """Return the group of each task of shared rows, and whether a row's labels weigh the same.

    Tasks are of one group where they are observed on the same rows with the same weights. Groups
    are numbered by their first task.
    """
    observed, weights = data.observed, data.weights
    assert observed is not None
    complete = bool(observed.all())
    if complete and (weights is None or bool((weights == weights[:, :1]).all())):
        return np.zeros(data.n_tasks, dtype=np.intp), True
    common = weights is None
    if weights is not None:
        row_weight = np.where(observed, weights, 0.0).max(axis=1, keepdims=True, initial=0.0)
        common = bool(((weights == row_weight) | ~observed).all())
    first: dict[bytes, int] = {}
    group = np.empty(data.n_tasks, dtype=np.intp)
    for start in range(0, data.n_tasks, 8):  # 8 columns: what one cache line holds of weights
        block = slice(start, start + 8)
        columns = np.packbits(observed[:, block], axis=0).T
        if not common:
            masked = np.where(observed[:, block], weights[:, block], 0.0)  # type: ignore[index]
        for i, bits in enumerate(columns):
            content = bits.tobytes() if common else masked[:, i].tobytes()
            # a digest of 512 bits: columns that differ never share one
            group[start + i] = first.setdefault(blake2b(content).digest(), len(first))
    return group, common


def _shared_rows(X: Any, data: TaskData) -> Collected:
    group, common = group_tasks(data)
    labels, observed, weights = data.labels, data.observed, data.weights
    assert labels is not None
    assert observed is not None
    members = [np.flatnonzero(group == k) for k in range(int(group.max()) + 1)]
    n_groups = len(members)
    present = np.array([np.count_nonzero(observed[:, tasks[0]]) for tasks in members])
    out = Collected.zeros(group, present[group], X.shape[1])
    left = set(range(n_groups))
    if n_groups > 1 and common and not is_thin(X):
        left -= _down_date(X, data, out, members)
    for k in sorted(left):
        tasks = members[k]
        rows = data.rows(tasks[0])
        if len(rows):
            weight = None if weights is None else weights[rows, tasks[0]]
            columns = slice(None) if n_groups == 1 else tasks

            def chosen(part: np.ndarray, columns: Any = columns) -> np.ndarray:
                return take(labels, part)[:, columns]

            out.put(k, tasks, moments(X, rows, weight, chosen))
    return out


def _down_date(X: Any, data: TaskData, out: Collected, members: list[np.ndarray]) -> set[int]:
    """Fill in groups that lack few of the rows, and return them.

    The Gram of a group is that of all rows less that of the rows it lacks, both about the same
    reference. It is formed that way where a group lacks fewer rows than it has, if the groups
    together save more rows than there are. (A sparse X is cheap to multiply without.) A group is
    left out where the subtraction costs digits: where a sum of squares of a feature or label falls
    below a tenth of what it is subtracted from, as with an outlier in a row that is taken away.
    """
    labels, observed = data.labels, data.observed
    assert labels is not None
    assert observed is not None
    rows = np.flatnonzero(observed.any(axis=1))
    present = out.count[[tasks[0] for tasks in members]]
    lacking = len(rows) - present
    chosen = np.flatnonzero((present > 0) & (lacking < present))
    if (present - lacking)[chosen].sum() <= len(rows):
        return set()
    row_weight = None
    if data.weights is not None:
        row_weight = np.where(observed, data.weights, 0.0).max(axis=1)
    tasks = np.flatnonzero(np.isin(out.group, chosen))
    columns = slice(None) if len(tasks) == data.n_tasks else tasks
    sample = spread(rows)
    x_reference = mean_of_few(take(X, sample))
    first = labels[observed[:, tasks].argmax(axis=0), tasks]
    known = observed[np.ix_(sample, tasks)]
    steps = np.where(known, labels[np.ix_(sample, tasks)] - first, 0.0)
    y_reference = first + steps.sum(axis=0) / np.maximum(known.sum(axis=0), 1)

    whole = Sums.zeros(X.shape[1], len(tasks))
    for part, x, root in _chunks(X, rows, row_weight, x_reference, len(tasks)):
        known, y = take(observed, part)[:, columns], take(labels, part)[:, columns]
        y = np.where(known, y - y_reference, 0.0)
        whole.add(x, y if root is None else y * root[:, None], root)

    before, done = whole.square.diagonal(), set()
    place = np.empty(data.n_tasks, dtype=np.intp)
    place[tasks] = np.arange(len(tasks))
    for k in chosen.tolist():
        away = Sums.zeros(X.shape[1], 0)
        here = observed[:, members[k][0]]
        for _, x, root in _chunks(X, rows[~here[rows]], row_weight, x_reference):
            away.add(x, np.empty((len(x), 0)), root)
        mine = place[members[k]]
        mass = float(here.sum() if row_weight is None else row_weight[here].sum())
        square, x_sum = whole.square - away.square, whole.x - away.x
        rest = Sums(mass, square, x_sum, whole.y[mine], whole.cross[mine], whole.energy[mine])
        found, accurate = rest.finish(x_reference, y_reference[mine])
        if accurate and keeps_digits(found.gram.diagonal(), before):
            out.put(k, members[k], found)
            done.add(k)
    return done


def _chunks(
    X: Any,
    rows: np.ndarray,
    row_weight: np.ndarray | None,
    reference: np.ndarray,
    n_labels: int = 0,
) -> Any:
    """Yield rows, their weighted deviations and the roots of their weights, chunk by chunk."""
    step = max(min(chunk_rows(X.shape[1] + n_labels), len(rows)), 1)
    buffer = np.empty((step, X.shape[1]))
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        root = None if row_weight is None else np.sqrt(row_weight[part])
        yield part, deviations(X, part, reference, root, buffer), root


def _own_rows(X: Any, data: TaskData) -> Collected:
    """Return statistics of tagged rows: tasks of few rows many at a time."""
    labels, weights = data.labels, data.weights
    assert labels is not None
    rows = [data.rows(t) for t in range(data.n_tasks)]
    count = np.array([len(own) for own in rows])
    out = Collected.zeros(np.arange(data.n_tasks), count, X.shape[1])
    limit = chunk_rows(X.shape[1])
    for t in np.flatnonzero(count > limit).tolist():
        weight = None if weights is None else weights[rows[t]]
        found = moments(X, rows[t], weight, lambda part: take(labels, part)[:, None])
        out.put(t, np.array([t]), found)
    few = np.flatnonzero((count > 0) & (count <= limit))
    batch = np.cumsum(count[few]) // limit
    for tasks in np.split(few, np.flatnonzero(np.diff(batch)) + 1):
        if len(tasks):
            _batch(X, data, out, tasks, [rows[t] for t in tasks])
    return out


def _batch(
    X: Any, data: TaskData, out: Collected, tasks: np.ndarray, rows: list[np.ndarray]
) -> None:
    """Fill in tasks with rows of their own, which are dense together."""
    size = np.array([len(own) for own in rows])
    ends = np.cumsum(size)
    starts, number = ends - size, np.repeat(np.arange(len(tasks)), size)
    joined = np.concatenate(rows)
    weight = np.ones(len(joined)) if data.weights is None else data.weights[joined]
    mass = np.add.reduceat(weight, starts)

    def sums(factor: np.ndarray, values: np.ndarray) -> np.ndarray:
        # one row a task: a sparse product adds up segments faster than numpy's reduceat
        pick = sparse.csr_array(
            (factor, np.arange(len(joined)), np.append(0, ends)), shape=(len(tasks), len(joined))
        )
        return pick @ values

    def centre(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        # the mean from the task's first row on: exactly that row where all are equal
        first = values[starts].astype(np.float64)
        mean = first + sums(weight, values - first[number]) / mass[:, None]
        values = values - mean[number]
        return values, *two_sum(mean, sums(weight, values) / mass[:, None])

    x, out.x_mean[tasks], out.x_mean_low[tasks] = centre(_gather(X, joined))
    y, y_mean, y_low = centre(data.labels[joined, None])  # type: ignore[index]
    out.mass[tasks] = mass
    out.y_mean[tasks], out.y_mean_low[tasks] = y_mean[:, 0], y_low[:, 0]
    out.energy[tasks] = sums(weight, np.square(y))[:, 0]
    out.cross[tasks] = sums(weight * y[:, 0], x)
    if data.weights is not None:
        x *= np.sqrt(weight)[:, None]
    for t, start, end in zip(tasks.tolist(), starts.tolist(), ends.tolist(), strict=True):
        own = x[start:end]
        np.matmul(own.T, own, out=out.gram[t])


def _gather(X: Any, rows: np.ndarray) -> np.ndarray:
    if sparse.issparse(X):
        return X[rows].toarray()
    return np.ascontiguousarray(X[rows])
