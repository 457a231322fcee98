from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from sklearn_mtl.inspection._task_labels import LINE, SMALLEST, AxisNames, pitch_of, short_names

SIZE = SMALLEST + 1.0  # points: a few names may be larger than many


def name_some_tasks(
    axis: Any, names: Sequence[Hashable], importance: np.ndarray, most: int
) -> np.ndarray:
    """Name the most important of too many tasks along an axis so that no two names overlap.

    Parameters
    ----------
    axis : matplotlib YAxis
        On which tasks stand at 0, 1, ..., T - 1.
    names : sequence of T names
    importance : ndarray of shape (T,)
        A name is left out if it would touch that of a more important task.
    most : int
        So many names are shown, where they have room.

    Returns
    -------
    shown : ndarray of int
        The places of the names that are shown.
    """
    apart = int(np.ceil(LINE * SIZE / pitch_of(AxisNames(axis, names))))
    free = np.ones(len(names), dtype=bool)
    chosen: list[int] = []
    for place in np.argsort(-importance, kind="stable"):
        if free[place] and len(chosen) < most:
            chosen.append(int(place))
            free[max(0, place - apart + 1) : place + apart] = False
    shown = np.sort(chosen)
    texts = short_names(names)
    axis.set_ticks(shown, labels=[texts[place] for place in shown], fontsize=SIZE)
    axis.set_label_text(f"{len(shown)} of {len(names)} named")
    return shown
