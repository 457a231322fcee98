"""Room for what is written around panels, in figures whose layout makes none."""

from collections.abc import Sequence
from typing import Any

import numpy as np

LEAST = 0.35  # of its width and height is what a panel keeps


def settle(figure: Any, groups: Sequence[Sequence[Any]]) -> None:
    """Lay a figure out; without a layout of its own, keep panels off what stands beside them.

    What is written to the left of panels and below is kept off all other axes; what is written to
    the right and above is kept off axes that are in no group, so that each pair makes room once.

    Parameters
    ----------
    figure : matplotlib Figure
    groups : sequence of sequences of Axes
        Those of a group, as a panel and its scale of colours, move together.
    """
    figure = figure.canvas.figure  # a part of a figure is laid out with the whole
    figure.draw_without_rendering()
    if figure.get_layout_engine() is not None:
        return
    own = {id(ax) for group in groups for ax in group}
    others = [ax for ax in figure.axes if id(ax) not in own and ax.axison]
    for group in groups:
        siblings = [ax for other in groups if other is not group for ax in other]
        _shrink(group, [*others, *siblings], others, figure.bbox.get_points())


def _shrink(
    group: Sequence[Any], before: Sequence[Any], after: Sequence[Any], page: np.ndarray
) -> None:
    """Move the sides of a group inwards by what is written beyond its place."""
    panels, written = _panels(group), _written(group)
    moved = panels.copy()
    for side in (0, 1):  # x, y
        lows = [_written([ax])[1, side] for ax in before if _is_before(_panels([ax]), panels, side)]
        highs = [_written([ax])[0, side] for ax in after if _is_before(panels, _panels([ax]), side)]
        moved[0, side] += max(0.0, max([page[0, side], *lows]) - written[0, side])
        moved[1, side] -= max(0.0, written[1, side] - min([page[1, side], *highs]))
    size, left = np.ptp(panels, axis=0), moved[1] - moved[0]
    if (left < LEAST * size).any() or np.array_equal(moved, panels):
        return
    for ax in group:
        box = moved[0] + (_panels([ax]) - panels[0]) * left / size
        ax.set_position([*(box[0] - page[0]) / page[1], *np.ptp(box, axis=0) / page[1]])


def _panels(group: Sequence[Any]) -> np.ndarray:
    """Return the lower left and the upper right corner of the axes alone, in pixels."""
    return _union([ax.get_window_extent() for ax in group])


def _written(group: Sequence[Any]) -> np.ndarray:
    """Return the corners of the axes with all that is written around them."""
    return _union([ax.get_tightbbox() for ax in group])


def _union(boxes: Sequence[Any]) -> np.ndarray:
    corners = np.array([box.get_points() for box in boxes])
    return np.array([corners[:, 0].min(axis=0), corners[:, 1].max(axis=0)])


def _is_before(one: np.ndarray, other: np.ndarray, side: int) -> bool:
    """Return whether one box ends where another, at the same height or width, has not begun."""
    across = 1 - side
    shared = min(one[1, across], other[1, across]) - max(one[0, across], other[0, across])
    return bool(shared > 0 and one[1, side] <= other[0, side])
