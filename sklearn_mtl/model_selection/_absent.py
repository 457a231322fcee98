"""The one warning of splitters: tasks and classes that a part of a split lacks."""

import warnings

import numpy as np

from sklearn_mtl.model_selection._items import Items
from sklearn_mtl.utils._validation import listing


def warn_absent(items: Items, training: np.ndarray, test: np.ndarray) -> None:
    """Warn of classes and tasks that training rows lack, and of tasks that test rows lack.

    Parameters
    ----------
    items : Items
    training, test : ndarray of shape (n_splits, n), bool
        The rows of each part.
    """
    cells = items.cells
    rows, columns = np.nonzero(cells.table >= 0)
    labels = cells.table[rows, columns]
    total = np.bincount(labels, minlength=len(cells.names))
    trained = _least(labels, training[:, rows], len(total))
    absent = [
        f"{cells.names[cell]} ({total[cell]} row(s))"
        for cell in np.flatnonzero((trained == 0) & (total > 0))
        if cells.names[cell] is not None
    ]
    lines = []
    if absent:
        lines.append(
            f"The training rows of a split lack {listing(absent)}: too few {items.what}s have them "
            "to leave some in every training part; add rows, or leave them out."
            + (
                " If these labels are numbers rather than classes, pass task_kinds='regression'."
                if any(entry.startswith("class ") for entry in absent)
                else ""
            )
        )
    # rows of a task in long form are in a cell too, labelled or not
    is_label = cells.tasks[labels] >= 0
    tasks = cells.tasks[labels[is_label]]
    observed = np.bincount(tasks, minlength=len(cells.task_names))
    tested = _least(tasks, test[:, rows[is_label]], len(observed))
    untested = [
        f"task {cells.task_names[task]!r} ({observed[task]} row(s))"
        for task in np.flatnonzero((tested == 0) & (observed > 0))
    ]
    if untested:
        lines.append(
            f"The test rows of a split have no label of {listing(untested)}, which cannot be "
            "scored there; make test parts larger, or add rows."
        )
    unlabelled = [cells.task_names[task] for task in np.flatnonzero(observed == 0)]
    if unlabelled:
        lines.append(f"No label of task(s) {listing(unlabelled)} is observed.")
    if lines:
        warnings.warn(" ".join(lines), UserWarning, stacklevel=4)


def _least(labels: np.ndarray, is_in: np.ndarray, n_labels: int) -> np.ndarray:
    """Return the fewest rows with each label, of all splits."""
    counts = [np.bincount(labels[rows], minlength=n_labels) for rows in is_in]
    return np.min(counts, axis=0)
