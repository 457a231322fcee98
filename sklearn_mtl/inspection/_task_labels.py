"""Names of tasks on axes and above panels, legible for two tasks and for a hundred."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from os.path import commonprefix
from typing import Any

import numpy as np

from sklearn_mtl.inspection._make_room import settle

SMALLEST = 6.0  # points; smaller print is not read
LINE = 1.35  # height of a line of text over its font size, with room for accents
CHARACTER = 0.62  # width of an average character over its font size
GAP = 4.0  # points between two names side by side
POINTS = 72.0  # an inch


def short_names(names: Sequence[Hashable], most: int = 24) -> list[str]:
    """Return tasks' names as matplotlib shows them literally, cut after `most` characters.

    They are cut in the middle, since names of related things share their beginning; where that
    makes different names alike, the beginning that all share is left out.
    """
    texts = [" ".join(str(name).split()) for name in names]
    cut = [_cut_middle(text, most) for text in texts]
    if len(set(cut)) < len(set(texts)):
        shared = len(commonprefix(texts))  # noqa: RUF071 (names are no paths)
        cut = [_cut_end(f"…{text[shared:]}" if shared > 1 else text, most) for text in texts]
    return [text.replace("$", r"\$") for text in cut]  # two dollar signs would begin a formula


def _cut_middle(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    head = most // 2
    return f"{text[:head]}…{text[len(text) - (most - 1 - head) :]}"


def _cut_end(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def title_panels(
    panels: Sequence[Any],
    names: Sequence[Hashable],
    notes: Sequence[str],
    *,
    size: float = 9.0,
) -> None:
    """Title panels with tasks' names, cut to a panel's width, over a line of results each.

    Results are broken at commas where panels are narrow, and left out of panels narrower still.
    """
    points = panels[0].get_window_extent().width * POINTS / panels[0].figure.dpi
    most = int(points / (CHARACTER * size))
    texts = short_names(names, max(6, most))
    if max(map(len, notes)) > most:
        notes = [note.replace(", ", "\n") for note in notes]
    fit = max(len(line) for note in notes for line in note.split("\n")) <= most
    for panel, text, note in zip(panels, texts, notes, strict=True):
        panel.set_title(f"{text}\n{note}" if note and fit else text, fontsize=size)


@dataclass(frozen=True, eq=False)
class AxisNames:
    """What stands along an axis.

    Attributes
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
    """

    axis: Any
    names: Sequence[Hashable]
    positions: Any = None
    title: str = ""
    most: int = 24


def label_tasks(
    axis: Any,
    names: Sequence[Hashable],
    positions: Any = None,
    *,
    title: str = "",
    most: int = 24,
) -> np.ndarray:
    """Name tasks along one axis, as `label_axes` does; return the places of those shown."""
    return label_axes([AxisNames(axis, names, positions, title, most)])[0]


def label_axes(
    requests: Sequence[AxisNames], groups: Sequence[Sequence[Any]] | None = None
) -> list[np.ndarray]:
    """Write names along axes of one figure so that no two overlap.

    Names that do not fit are turned (x axis), then printed smaller, then thinned: every second,
    third, … is shown, and the axis label says so. Call it when everything else is drawn: it
    lays the figure out to measure the room that there is, and makes room as `settle` does.

    Parameters
    ----------
    requests : sequence of AxisNames
    groups : sequence of sequences of Axes, default=None
        What moves together, as for `settle`; None for each Axes alone.

    Returns
    -------
    shown : list of ndarray of int
        For each axis the places of the names that are shown.
    """
    figure = requests[0].axis.axes.figure.canvas.figure
    if groups is None:
        groups = [[ax] for ax in dict.fromkeys(request.axis.axes for request in requests)]
    chosen: list[Any] = [None] * len(requests)
    # names change the room that the layout leaves; it settles at once, or after a second look
    for _ in range(3):
        settle(figure, groups)
        arranged = [_arrange(request) for request in requests]
        if arranged == chosen:
            break
        chosen = arranged
        for request, arrangement in zip(requests, arranged, strict=True):
            _write(request, *arrangement)
    return [
        np.arange(0, len(request.names), step)
        for request, (_, step, _) in zip(requests, chosen, strict=True)
    ]


def _arrange(request: AxisNames) -> tuple[float, int, bool]:
    """Return the font size, the step between names shown, and whether they are turned."""
    is_x = request.axis.axis_name == "x"
    size, pitch = _font_size(request.axis), pitch_of(request)
    if is_x:
        widest = max(map(len, short_names(request.names, request.most)))
        if widest * CHARACTER * size + GAP <= pitch:
            return size, 1, False
    fitted = float(np.clip(pitch / LINE, min(size, SMALLEST), size))
    step = max(1, int(np.ceil(LINE * fitted / pitch - 1e-9)))  # 1e-9: pitch / LINE * LINE rounds
    return fitted, step, is_x


def _write(request: AxisNames, size: float, step: int, is_turned: bool) -> None:
    positions = request.positions
    positions = np.arange(len(request.names)) if positions is None else np.asarray(positions)
    request.axis.set_ticks(
        positions[::step],
        labels=short_names(request.names, request.most)[::step],
        fontsize=size,
        rotation=90 if is_turned else 0,
    )
    request.axis.set_label_text(_title(request.title, len(request.names), step))


def _title(title: str, n_names: int, step: int) -> str:
    if step == 1:
        return title
    note = f"{-(-n_names // step)} of {n_names} named"
    return f"{title} ({note})" if title else note


def _font_size(axis: Any) -> float:
    from matplotlib import rcParams
    from matplotlib.font_manager import FontProperties

    sizes = {"x": rcParams["xtick.labelsize"], "y": rcParams["ytick.labelsize"]}
    return FontProperties(size=sizes[axis.axis_name]).get_size_in_points()


def pitch_of(request: AxisNames) -> float:
    """Return the distance of neighbouring positions in points."""
    n_names, axes = len(request.names), request.axis.axes
    if n_names < 2:
        return np.inf
    side = 0 if request.axis.axis_name == "x" else 1
    places = np.zeros((2, 2))
    positions = request.positions
    places[:, side] = (0, n_names - 1) if positions is None else (positions[0], positions[-1])
    first, last = axes.transData.transform(places)[:, side]
    return abs(last - first) / (n_names - 1) * POINTS / axes.figure.dpi
