from typing import Any

from scipy.sparse import issparse

from sklearn_mtl.convex import Penalty, PenaltySum, QuadraticPenalty, Ridge
from sklearn_mtl.convex._collect import group_tasks
from sklearn_mtl.convex._reduce import Coordinates, is_rotation_invariant, row_space
from sklearn_mtl.convex.datafits import prefers_design
from sklearn_mtl.tasks import TaskData

MOST_NUMBERS = 2**28  # of all Gram matrices together: 2 GiB


def choose_form(
    rows: Any,
    data: TaskData,
    penalty: Penalty,
    precompute: Any,
    *,
    centre: bool,
    n_fits: int = 1,
) -> tuple[Coordinates, bool]:
    """Return the coordinates to work in, and whether on rows rather than on Gram matrices.

    Under a penalty that rotations do not change, wide rows take fewer coordinates, in which Gram
    matrices are small. Under others (sums over features), methods that use few features at a time
    work on the rows, where `prefers_design` says that costs less. And rows are what is left where
    Gram matrices would not fit in memory.

    Parameters
    ----------
    rows : ndarray or sparse matrix of shape (n, p)
    data : TaskData
    penalty : Penalty
    precompute : "auto" or bool
        True asks for Gram matrices of the features, False for rows wherever they serve.
    centre : bool
        Whether there are intercepts.
    n_fits : int, default=1
        Problems on these rows: values of alpha.
    """
    if precompute not in (False, "auto"):
        return Coordinates(rows), False
    if is_rotation_invariant(penalty):
        space = row_space(rows, centre=centre)
        r = space.rows.shape[1]
        return space, precompute == "auto" and n_groups(data) * r * r > MOST_NUMBERS
    if precompute != "auto":
        return Coordinates(rows), True
    n, p = rows.shape
    k = n_groups(data)
    own = n if data.task_index is None else -(-n // data.n_tasks)
    if ties_tasks(penalty):
        # left to first-order methods: a step is 2 n p operations a task on rows, p^2 on a Gram
        cheaper = p > 2 * own
    else:
        density = rows.nnz / (n * p) if issparse(rows) else 1.0
        cheaper = prefers_design(own, p, data.n_tasks, k, density=density, n_fits=n_fits)
    return Coordinates(rows), cheaper or k * p * p > MOST_NUMBERS


def ties_tasks(penalty: Penalty) -> bool:
    """Return whether a quadratic penalty ties tasks; Ridge does not."""
    terms = penalty.terms if isinstance(penalty, PenaltySum) else [penalty]
    return any(isinstance(t, QuadraticPenalty) and not isinstance(t, Ridge) for t in terms)


def n_groups(data: TaskData) -> int:
    """Return how many Gram matrices the tasks have."""
    if data.task_index is not None:
        return data.n_tasks
    return int(group_tasks(data)[0].max()) + 1
