import numpy as np

from sklearn_mtl.tasks import TaskData, TaskLayout


def hold_out(
    layout: TaskLayout, data: TaskData, rows: np.ndarray, fraction: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Split rows at random into training and validation rows.

    One labelled row of every task, and of every class of it, stays in training.

    Parameters
    ----------
    rows : ndarray
        Rows with at least one observed label.
    fraction : float in (0, 1)
        Share of rows held out, rounded to at least one.

    Returns
    -------
    training, validation : ndarray
        Sorted row numbers; validation is empty where every row is needed for training.
    """
    order = rng.permutation(rows)
    keep = np.zeros(data.n_rows, dtype=bool)
    observed, labels = data.observed[order], data.labels[order]  # type: ignore[index]
    if data.task_index is not None:
        is_class = np.array([task.is_classification for task in layout.tasks])
        tags = data.task_index[order]
        keys = np.column_stack([tags, np.where(is_class[tags], labels, 0.0)])
        _, first = np.unique(keys, axis=0, return_index=True)
        keep[order[first]] = True
    else:
        for t, task in enumerate(layout.tasks):
            seen = np.flatnonzero(observed[:, t])
            if task.is_classification:
                _, first = np.unique(labels[seen, t], return_index=True)
                keep[order[seen[first]]] = True
            else:
                keep[order[seen[0]]] = True
    candidates = order[~keep[order]]
    n_validation = min(max(1, round(fraction * len(rows))), len(candidates))
    validation = np.sort(candidates[:n_validation])
    return np.setdiff1d(rows, validation, assume_unique=True), validation
