from collections.abc import Mapping
from typing import Any

import numpy as np

from sklearn_mtl.convex._rows import CoefRows
from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.utils._validation import check_tasks, listing, plain

ROUNDING = 1e-10  # by how much entries s, t and t, s may differ, relative to the largest entry
LEAST = 1e-8  # of the largest eigenvalue: smaller ones are raised to it


def row_covariance(prior: Any, rows: CoefRows) -> tuple[np.ndarray, int]:
    """Return the prior covariance of the rows of W, shape (M, M), and its rank as it was given.

    It has trace 1 and is positive definite: eigenvalues are raised to `LEAST` of the largest, since
    an inverse is taken of them. Rows of tasks of several classes covary, class by class, as their
    tasks do; those of different classes do not.

    Parameters
    ----------
    prior : None, array of shape (T, T), data frame or dict of dicts by the names of tasks
        None is the identity.
    rows : CoefRows

    Raises
    ------
    TaskLayoutError
        Where the size or a name is not that of the tasks.
    ValueError
        Where entries are not finite numbers, or make no covariance.
    """
    if prior is None:
        return np.eye(rows.n_rows) / rows.n_rows, rows.n_rows
    covariance = _symmetric(_numbers(prior, rows), rows)
    _check_eigenvalues(np.linalg.eigvalsh(covariance))
    if rows.n_rows > rows.n_tasks:
        same = rows.block[:, None] == rows.block[None, :]
        covariance = np.where(same, covariance[np.ix_(rows.task, rows.task)], 0.0)
    values, vectors = np.linalg.eigh(covariance)
    small = values < LEAST * values[-1]
    rank = len(values) - int(small.sum())
    if small.any():
        half = vectors * np.sqrt(np.maximum(values, LEAST * values[-1]))
        covariance = half @ half.T
    return covariance / covariance.trace(), rank


def _numbers(prior: Any, rows: CoefRows) -> np.ndarray:
    """Return the entries in the order of the tasks."""
    n_tasks = rows.n_tasks
    if isinstance(prior, Mapping):
        _check_names(prior, rows, "prior_covariance")
        for name, row in prior.items():
            if not isinstance(row, Mapping):
                raise ValueError(
                    f"prior_covariance has {type(row).__name__} for task {plain(name)!r}; a dict "
                    "must hold a dict of covariances by task for each task."
                )
            _check_names(row, rows, f"The row of task {plain(name)!r} in prior_covariance")
        entries = [[prior[s][t] for t in rows.names] for s in rows.names]
    elif hasattr(prior, "columns") and hasattr(prior, "index"):
        for names, what in ((list(prior.index), "index"), (list(prior.columns), "columns")):
            _check_names(names, rows, f"The {what} of prior_covariance")
        entries = prior.loc[rows.names, rows.names].to_numpy()
    else:
        entries = prior
    try:
        if np.iscomplexobj(entries):
            raise TypeError("they are complex")
        numbers = np.array(entries, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"prior_covariance must hold real numbers: {error}.") from error
    if numbers.shape != (n_tasks, n_tasks):
        raise TaskLayoutError(
            f"prior_covariance has shape {numbers.shape}, but there are {n_tasks} tasks: it needs "
            f"shape {(n_tasks, n_tasks)}, in the order {listing(rows.names)}."
        )
    return numbers


def _check_names(names: Any, rows: CoefRows, what: str) -> None:
    names = list(names)
    check_tasks(names, rows.names, what)
    missing = [name for name in rows.names if name not in names]
    if missing or len(names) != rows.n_tasks:
        raise TaskLayoutError(
            f"{what} must name every task once; it has {len(names)} names for {rows.n_tasks} tasks"
            + (f", and none for {listing(missing)}." if missing else ".")
        )


def _symmetric(covariance: np.ndarray, rows: CoefRows) -> np.ndarray:
    for s, t in np.argwhere(~np.isfinite(covariance))[:1]:
        raise ValueError(
            f"prior_covariance of task {plain(rows.names[s])!r} and task {plain(rows.names[t])!r} "
            f"is {plain(covariance[s, t])}; covariances must be finite."
        )
    uneven = np.abs(covariance - covariance.T) > ROUNDING * np.abs(covariance).max()
    for s, t in np.argwhere(uneven)[:1]:
        raise ValueError(
            f"prior_covariance is not symmetric: of task {plain(rows.names[s])!r} and task "
            f"{plain(rows.names[t])!r} it is {plain(covariance[s, t])}, the other way round "
            f"{plain(covariance[t, s])}. (C + C.T) / 2 is symmetric."
        )
    return 0.5 * (covariance + covariance.T)


def _check_eigenvalues(values: np.ndarray) -> None:
    if values[0] < -ROUNDING * max(values[-1], 0.0) or not values[-1] > 0:
        raise ValueError(
            "prior_covariance must be positive semi-definite and not 0, but its eigenvalues go "
            f"from {values[0]:.3g} to {values[-1]:.3g}. Correlations are at most 1 in size, and "
            "those of three tasks must fit together."
        )
