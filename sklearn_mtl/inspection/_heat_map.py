"""A matrix of signed numbers as colours, 0 in the middle."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from sklearn_mtl.inspection._palette import DIVERGING, MISSING
from sklearn_mtl.inspection._task_labels import CHARACTER, POINTS, short_names

WIDTHS, HEIGHTS = (2.4, 8.5), (0.8, 9.5)  # inches: the least and the most that cells take


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


def size_of_panel(rows: Sequence[Hashable], columns: Sequence[Hashable]) -> tuple[float, float]:
    """Return width and height in inches of cells that numbers fit in, with room for names."""
    width = np.clip(0.5 * len(columns), *WIDTHS) + _room(rows)
    height = np.clip(0.25 * len(rows), *HEIGHTS) + _room(columns) + 0.5
    return float(width), float(height)


def _room(names: Sequence[Hashable]) -> float:
    return max(map(len, short_names(names))) * CHARACTER * 10.0 / POINTS  # in letters of 10 points


def two_digits(value: float) -> str:
    """Return a number as cells show it."""
    return f"{value:.2g}"
