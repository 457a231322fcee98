from collections.abc import Callable
from typing import Any

import numpy as np

from sklearn_mtl.inspection._task_labels import CHARACTER, LINE, POINTS

LARGEST, SMALLEST = 9.0, 6.0  # points


def count_or_share(value: float) -> str:
    """Return a whole number as it is, and others with two decimals."""
    return f"{value:.0f}" if value.is_integer() else f"{value:.2f}"


def write_values(
    panel: Any, image: Any, word: Callable[[float], str] = count_or_share
) -> list[Any]:
    """Write each number of an image in its cell; return the texts, none if they do not fit.

    Call it when the figure has been laid out.
    """
    values: np.ndarray = np.ma.filled(np.ma.asarray(image.get_array(), dtype=float), np.nan)
    words = [["" if np.isnan(value) else word(value) for value in row] for row in values.tolist()]
    box = panel.get_window_extent()
    height, width = box.height / values.shape[0], box.width / values.shape[1]
    longest = max(len(word) for row in words for word in row) + 1  # one for space between
    points = POINTS / panel.figure.dpi
    size = min(LARGEST, height * points / LINE, width * points / (CHARACTER * longest))
    if size < SMALLEST:
        return []
    # luminance of the cell (Rec. 709) decides between black and white
    dark = image.cmap(image.norm(values))[..., :3] @ [0.2126, 0.7152, 0.0722] < 0.45
    return [
        panel.text(
            column,
            row,
            word,
            ha="center",
            va="center",
            fontsize=size,
            color="white" if dark[row, column] else "black",
        )
        for row, line in enumerate(words)
        for column, word in enumerate(line)
        if word
    ]
