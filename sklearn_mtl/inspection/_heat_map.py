"""A matrix of signed numbers as colours, 0 in the middle."""

from typing import Any

import numpy as np

from sklearn_mtl.inspection._palette import DIVERGING

MISSING = "#d9d9d9"  # grey, which no number has


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


def two_digits(value: float) -> str:
    """Return a number as cells show it."""
    return f"{value:.2g}"
