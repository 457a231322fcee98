"""A matrix of signed numbers as colours, 0 in the middle, with its rows and columns named."""

from typing import Any

import numpy as np

from sklearn_mtl.inspection._palette import DIVERGING
from sklearn_mtl.inspection._task_labels import CHARACTER, GAP, LINE, POINTS

MISSING = "#d9d9d9"  # grey, which no number has
DIGITS = 7.0  # points: the size of numbers in cells
DARK = 0.45  # below this luminance, white is easier to read than black


def draw_heat_map(ax: Any, values: np.ndarray, limit: float) -> Any:
    """Draw numbers from ``-limit`` to `limit` as colours; NaN is grey. Return the image."""
    from matplotlib import colormaps

    image = ax.imshow(
        np.ma.masked_invalid(values),
        cmap=colormaps[DIVERGING].with_extremes(bad=MISSING),
        vmin=-limit,
        vmax=limit,
        aspect="auto",
        interpolation="nearest",
    )
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    return image


def largest(*values: np.ndarray | None) -> float:
    """Return the largest absolute number, 1 where all are 0 or NaN: a scale for colours."""
    found = [np.abs(part[np.isfinite(part)]) for part in values if part is not None]
    return float(np.max(np.concatenate([part.ravel() for part in found]), initial=0.0)) or 1.0


def write_values(ax: Any, image: Any) -> list[Any]:
    """Write each number in its cell, if all fit; return the texts. Call it last."""
    values = image.get_array()
    n_rows, n_columns = values.shape
    box, dpi = ax.get_window_extent(), ax.figure.dpi
    words = [[f"{value:.2g}" if np.isfinite(value) else "" for value in row] for row in values.data]
    widest = max(len(word) for row in words for word in row) * CHARACTER * DIGITS + GAP
    if widest > box.width / dpi * POINTS / n_columns:
        return []
    if box.height / dpi * POINTS / n_rows < LINE * DIGITS:
        return []
    colors = image.cmap(image.norm(values))
    luminance = colors[..., :3] @ [0.2126, 0.7152, 0.0722]
    return [
        ax.text(
            column,
            row,
            words[row][column],
            ha="center",
            va="center",
            fontsize=DIGITS,
            color="white" if luminance[row, column] < DARK else "black",
        )
        for row in range(n_rows)
        for column in range(n_columns)
    ]
