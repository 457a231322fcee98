from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from sklearn_mtl.inspection._palette import MISSING
from sklearn_mtl.inspection._panels import axes_grid
from sklearn_mtl.inspection._task_labels import AxisNames, label_axes

# more columns than these could not be named legibly
MAX_CLASSES = 12


def plot_recalls(
    ax: Any,
    matrices: Sequence[np.ndarray],
    classes: Sequence[np.ndarray],
    names: Sequence[Hashable],
    accuracy: np.ndarray,
    cmap: Any,
) -> tuple[Any, np.ndarray, Any]:
    """Draw a table of tasks: accuracy, mean recall, and the recall of each class.

    Where the tasks have more than twelve classes between them, the least recall of a task stands
    for those of its classes. Grey cells: a class that a task does not have, or has no label of.

    Returns
    -------
    figure : Figure
    axes : ndarray of Axes of shape (1, 1)
    image : AxesImage
    """
    from matplotlib import colormaps

    table, columns = recall_table(matrices, classes, accuracy)
    # lowest accuracy on top, tasks without labels below
    order = np.argsort(np.nan_to_num(accuracy, nan=np.inf), kind="stable")
    height = float(np.clip(0.16 * len(names), 4.0, 11.0))
    figure, axes = axes_grid(1, ax, panel_size=(max(5.0, 1.5 + 0.6 * len(columns)), height))
    panel = axes.flat[0]
    image = panel.imshow(
        np.ma.masked_invalid(table[order]),
        cmap=colormaps.get_cmap(cmap).with_extremes(bad=MISSING),
        vmin=0.0,
        vmax=1.0,
        aspect="auto",
        interpolation="nearest",
    )
    panel.set_title(f"{len(names)} tasks, lowest accuracy on top", fontsize=10)
    label_axes(
        [
            AxisNames(panel.yaxis, [names[t] for t in order], title="task"),
            AxisNames(panel.xaxis, columns),
        ]
    )
    return figure, axes, image


def recall_table(
    matrices: Sequence[np.ndarray], classes: Sequence[np.ndarray], accuracy: np.ndarray
) -> tuple[np.ndarray, list[str]]:
    """Return scores of shape (T, n_columns) and the names of the columns."""
    recalls = [_recalls(matrix) for matrix in matrices]
    means = [_over(recall, np.mean) for recall in recalls]
    words = list(dict.fromkeys(str(label) for own in classes for label in own))
    if len(words) > MAX_CLASSES:
        least = [_over(recall, np.min) for recall in recalls]
        return np.column_stack([accuracy, means, least]), [
            "accuracy",
            "mean recall",
            "least recall",
        ]
    table = np.full((len(matrices), len(words)), np.nan)
    place = {word: column for column, word in enumerate(words)}
    for t, own in enumerate(classes):
        table[t, [place[str(label)] for label in own]] = recalls[t]
    return np.column_stack([accuracy, means, table]), [
        "accuracy",
        "mean recall",
        *(f"recall: {word}" for word in words),
    ]


def _recalls(counts: np.ndarray) -> np.ndarray:
    """Return the recall of each class; NaN for a class without labels."""
    totals = counts.sum(axis=1)
    return np.divide(np.diag(counts), totals, out=np.full(len(counts), np.nan), where=totals > 0)


def _over(recall: np.ndarray, summary: Any) -> float:
    known = recall[~np.isnan(recall)]
    return float(summary(known)) if len(known) else float("nan")
