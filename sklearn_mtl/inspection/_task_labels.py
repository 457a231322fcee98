"""Names of tasks on axes and above panels, legible for two tasks and for a hundred."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

SMALLEST = 6.0  # points; smaller print is not read
LINE = 1.35  # height of a line of text over its font size, with room for accents
CHARACTER = 0.62  # width of an average character over its font size
GAP = 4.0  # points between two names side by side
POINTS = 72.0  # an inch


def short_name(name: Hashable, most: int = 24) -> str:
    """Return a task's name as matplotlib shows it literally, cut in its middle after `most`.

    Names of related things often share their beginning, so both ends are kept.
    """
    text = " ".join(str(name).split())
    if len(text) > most:
        head = most // 2
        text = f"{text[:head]}…{text[len(text) - (most - 1 - head) :]}"
    return text.replace("$", r"\$")  # two dollar signs would begin a formula


def panel_title(panel: Any, name: Hashable, note: str = "", *, size: float = 9.0) -> None:
    """Title a panel with a task's name, cut to the panel's width, over a line of results."""
    points = panel.get_window_extent().width * POINTS / panel.figure.dpi
    text = short_name(name, max(6, int(points / (CHARACTER * size))))
    panel.set_title(f"{text}\n{note}" if note else text, fontsize=size)


def label_tasks(
    axis: Any,
    names: Sequence[Hashable],
    positions: Any = None,
    *,
    title: str = "",
    most: int = 24,
) -> np.ndarray:
    """Name tasks along an axis so that no two names overlap.

    Names that do not fit are turned (x axis), then printed smaller, then thinned: every second,
    third, … is shown, and the axis label says so. Call it when everything else is drawn: it
    lays the figure out to measure the room that there is.

    Parameters
    ----------
    axis : matplotlib XAxis or YAxis
        Linear, with limits set.
    names : sequence of T names
    positions : array of shape (T,), default=None
        Where they stand, evenly spaced; None for 0, 1, ..., T - 1.
    title : str, default=""
        The label of the axis.
    most : int, default=24
        Longer names are cut.

    Returns
    -------
    shown : ndarray of int
        The places of the names that are shown.
    """
    positions = np.arange(len(names)) if positions is None else np.asarray(positions)
    texts = [short_name(name, most) for name in names]
    is_x = axis.axis_name == "x"
    size = _font_size(axis)
    chosen = None
    # names change the room that the layout leaves; it settles at once, or after a second look
    for _ in range(3):
        axis.axes.figure.canvas.figure.draw_without_rendering()
        pitch = _pitch(axis, positions)
        choice = _arrange(texts, pitch, size, is_x)
        if choice == chosen:
            break
        chosen = choice
        fitted, step, is_turned = choice
        shown = np.arange(0, len(names), step)
        axis.set_ticks(
            positions[shown],
            labels=[texts[place] for place in shown],
            fontsize=fitted,
            rotation=90 if is_turned else 0,
        )
        axis.set_label_text(_title(title, len(names), step))
    return shown


def _title(title: str, n_names: int, step: int) -> str:
    if step == 1:
        return title
    note = f"{-(-n_names // step)} of {n_names} named"
    return f"{title} ({note})" if title else note


def _font_size(axis: Any) -> float:
    from matplotlib import rcParams
    from matplotlib.font_manager import FontProperties

    return FontProperties(size=rcParams[f"{axis.axis_name}tick.labelsize"]).get_size_in_points()


def _pitch(axis: Any, positions: np.ndarray) -> float:
    """Return the distance of neighbouring positions in points."""
    side = 0 if axis.axis_name == "x" else 1
    if len(positions) < 2:
        return np.inf
    places = np.zeros((2, 2))
    places[:, side] = positions[[0, -1]]
    first, last = axis.axes.transData.transform(places)[:, side]
    return abs(last - first) / (len(positions) - 1) * POINTS / axis.axes.figure.dpi


def _arrange(
    texts: Sequence[str], pitch: float, size: float, is_x: bool
) -> tuple[float, int, bool]:
    """Return the font size, the step between names shown, and whether they are turned."""
    if is_x:
        widest = max(map(len, texts)) * CHARACTER * size
        if widest + GAP <= pitch:
            return size, 1, False
    smallest = min(size, SMALLEST)
    fitted = float(np.clip(pitch / LINE, smallest, size))
    step = max(1, int(np.ceil(LINE * fitted / pitch - 1e-9)))  # 1e-9: pitch / LINE * LINE rounds
    return fitted, step, is_x
