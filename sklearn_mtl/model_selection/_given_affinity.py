from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.model_selection._affinity import TaskAffinity
from sklearn_mtl.tasks._column import column_names, is_frame
from sklearn_mtl.utils._validation import listing, plain


def given_affinity(given: Any, names: Sequence[Hashable]) -> TaskAffinity:
    """Return a caller's affinities in the order of the tasks; those with names go by name.

    Parameters
    ----------
    given : TaskAffinity, frame or array-like of shape (T, T)
    names : sequence of T names

    Raises
    ------
    TaskLayoutError
        Affinities of other tasks, or of another number of them.
    """
    if isinstance(given, TaskAffinity):
        order = _order(given.task_names, names, "affinity")
        return TaskAffinity(given.matrix[np.ix_(order, order)], list(names), given.method)
    matrix = np.asarray(given, dtype=np.float64)
    if is_frame(given):
        columns = _order(column_names(given), names, "The columns of affinity")
        # a frame without an index has its rows in the order of its columns
        index = getattr(given, "index", None)
        rows = columns if index is None else _order(list(index), names, "The index of affinity")
        matrix = matrix[np.ix_(rows, columns)] if len(matrix) == len(names) else matrix
    if matrix.shape != (len(names), len(names)):
        raise TaskLayoutError(
            f"affinity must have shape ({len(names)}, {len(names)}), an entry for each pair of "
            f"the tasks {listing(names)}; found {matrix.shape}."
        )
    return TaskAffinity(matrix, list(names), "given")


def _order(found: Sequence[Hashable], names: Sequence[Hashable], what: str) -> list[int]:
    """Return where each task stands among the names found."""
    found = [plain(name) for name in found]
    if len(found) != len(names) or set(found) != set(names):
        raise TaskLayoutError(
            f"{what} names the tasks {listing(found)}, but y has {listing(names)}; measure it on "
            "the same tasks, or pass a plain array in the order of y's."
        )
    return [found.index(name) for name in names]
