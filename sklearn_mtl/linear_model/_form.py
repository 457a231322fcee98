from typing import Any

from sklearn_mtl.convex import Penalty
from sklearn_mtl.convex._collect import group_tasks
from sklearn_mtl.convex._reduce import Coordinates, is_rotation_invariant, row_space
from sklearn_mtl.tasks import TaskData

MOST_NUMBERS = 2**28  # of all Gram matrices together: 2 GiB


def choose_form(
    rows: Any, data: TaskData, penalty: Penalty, precompute: Any, *, centre: bool
) -> tuple[Coordinates, bool]:
    """Return the coordinates to work in, and whether on rows rather than on Gram matrices.

    Under a penalty that rotations do not change, wide rows take fewer coordinates, in which Gram
    matrices are small. Under others (sums over features), methods that use few features at a time
    work on the rows. And rows are what is left where
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
    """
    if precompute not in (False, "auto"):
        return Coordinates(rows), False
    if is_rotation_invariant(penalty):
        space = row_space(rows, centre=centre)
        r = space.rows.shape[1]
        return space, precompute == "auto" and n_groups(data) * r * r > MOST_NUMBERS
    if precompute is False:
        return Coordinates(rows), True
    return Coordinates(rows), n_groups(data) * rows.shape[1] ** 2 > MOST_NUMBERS


def n_groups(data: TaskData) -> int:
    """Return how many Gram matrices the tasks have."""
    if data.task_index is not None:
        return data.n_tasks
    return int(group_tasks(data)[0].max()) + 1
