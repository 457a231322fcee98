"""One figure of several panels: a new one, one inside axes that exist, or axes of the caller."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sklearn_mtl.utils._validation import check_count

# four by four panels are the most that a page shows legibly
MAX_PANELS = 16
LEAST_PANEL = 1.8  # inches: less room for a panel and its names is not legible


def has_panel_per_task(n_tasks: int, max_panels: Any, owner: str, ax: Any = None) -> bool:
    """Return whether each task has a panel of its own, or all of them share one summary.

    They do where there are too many, and where panels in the place of one Axes would be too small.
    """
    from matplotlib.axes import Axes

    check_most(max_panels, "max_panels", owner)
    if n_tasks > max_panels or n_tasks == 1 or not isinstance(ax, Axes):
        return n_tasks <= max_panels
    n_columns = _n_columns(n_tasks)
    inches = np.array(ax.get_window_extent().size) / ax.figure.dpi
    return bool((inches >= LEAST_PANEL * np.array([n_columns, -(-n_tasks // n_columns)])).all())


def _n_columns(n_panels: int) -> int:
    """Return the width of an almost square grid of at most four columns."""
    return min(4, int(np.ceil(np.sqrt(n_panels))))


def check_most(value: Any, parameter: str, owner: str) -> None:
    """Raise a ValueError unless `value` can be the most tasks that are drawn one by one."""
    advice = "; 0 always draws the summary of all tasks"
    check_count(value, 0, parameter=parameter, owner=owner, advice=advice)


def axes_grid(
    n_panels: int,
    ax: Any = None,
    *,
    n_columns: int | None = None,
    panel_size: tuple[float, float] = (3.0, 2.7),
    height_ratios: Sequence[float] | None = None,
) -> tuple[Any, np.ndarray]:
    """Return a figure and its panels, laid out row by row.

    Parameters
    ----------
    n_panels : int
    ax : None, matplotlib Axes or array of n_panels Axes, default=None
        None makes a figure with constrained layout. One Axes is used as it is for one panel, and
        replaced by a grid in its place for several. An array of Axes is used as it is.
    n_columns : int, default=None
        None for an almost square grid of at most four columns.
    panel_size : (width, height) in inches, default=(3.0, 2.7)
        The size of a panel in a new figure.
    height_ratios : sequence of n_rows floats, default=None
        The relative heights of rows in a grid made here.

    Returns
    -------
    figure : matplotlib Figure
    axes : ndarray of shape (n_rows, n_columns), dtype object
        The panels; None in cells that are left over. An array that the caller gave keeps its
        shape, with one row if it was one-dimensional.
    """
    from matplotlib import pyplot
    from matplotlib.axes import Axes

    if ax is not None and not isinstance(ax, Axes):
        axes = np.atleast_2d(np.asarray(ax, dtype=object))
        if axes.size != n_panels:
            raise ValueError(
                f"ax holds {axes.size} Axes, but {n_panels} panel(s) are drawn; pass one Axes, "
                "whose place they share, or one for each panel."
            )
        return axes.flat[0].figure, axes
    if n_columns is None:
        n_columns = _n_columns(n_panels)
    n_rows = -(-n_panels // n_columns)
    grid = np.full((n_rows, n_columns), None, dtype=object)
    if ax is None:
        width, height = panel_size
        figure: Any = pyplot.figure(
            figsize=(width * n_columns, height * n_rows), layout="constrained"
        )
        cells = figure.add_gridspec(n_rows, n_columns, height_ratios=height_ratios)
    else:
        figure = ax.figure
        if n_panels == 1:
            grid[0, 0] = ax
            return figure, grid
        cells = _cells_in_place_of(ax, n_rows, n_columns, height_ratios)
    for place in range(n_panels):
        grid.flat[place] = figure.add_subplot(cells[place])
    return figure, grid


def _cells_in_place_of(
    ax: Any, n_rows: int, n_columns: int, height_ratios: Sequence[float] | None
) -> Any:
    """Hide an Axes and return a grid of cells where it stood."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    if not ax.axison:
        raise ValueError(
            "ax has been replaced by the panels of another display; pass ax=display.axes_ to draw "
            "in those panels."
        )
    ax.set_axis_off()
    spec = ax.get_subplotspec()
    # of layouts, only the constrained one makes room between the panels of a grid within a grid
    engine = ax.figure.canvas.figure.get_layout_engine()
    constrained = isinstance(engine, ConstrainedLayoutEngine)
    space = {} if constrained else {"hspace": 1.1, "wspace": 0.6}
    if spec is not None:
        return spec.subgridspec(n_rows, n_columns, height_ratios=height_ratios, **space)
    # axes placed by hand belong to no grid
    box = ax.get_position()
    return ax.figure.add_gridspec(
        n_rows,
        n_columns,
        height_ratios=height_ratios,
        left=box.x0,
        right=box.x1,
        bottom=box.y0,
        top=box.y1,
        **space,
    )


def is_laid_out(ax: Any) -> bool:
    """Return whether the figure of an Axes makes room for what stands around it."""
    return ax.figure.canvas.figure.get_layout_engine() is not None


def panels_of(axes: np.ndarray) -> list[Any]:
    """Return the panels of a grid in order, without the cells left over."""
    return [panel for panel in axes.flat if panel is not None]


def label_edges(axes: np.ndarray, *, xlabel: str, ylabel: str) -> None:
    """Label the lowest panel of each column and the first panel of each row."""
    for row in axes:
        row[0].set_ylabel(ylabel)
    for column in axes.T:
        lowest = [panel for panel in column if panel is not None][-1:]
        for panel in lowest:
            panel.set_xlabel(xlabel)
