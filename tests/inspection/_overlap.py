"""Whether the words of a drawn figure can be read: none lies over another."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Text

TOUCH = 1.0  # pixels that boxes may share: they have a margin around the ink


def visible_texts(figure):
    """Return (words, box in pixels) of every visible text: ticks, labels, titles, legends."""
    figure.draw_without_rendering()
    hidden = set()
    for axes in figure.findobj(Axes):
        hidden.update(map(id, _not_drawn(axes)))
    return [
        (text.get_text(), text.get_window_extent())
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and id(text) not in hidden
    ]


def _not_drawn(axes):
    """Return texts that an Axes has but leaves out: what is turned off, ticks beyond the limits."""
    if not axes.get_visible():
        return axes.findobj(Text)
    left_out = []
    for axis in (axes.xaxis, axes.yaxis):
        if not (axes.axison and axis.get_visible()):
            left_out += axis.findobj(Text)
            continue
        low, high = sorted(axis.get_view_interval())
        room = 1e-9 * (high - low)
        for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
            if not low - room <= tick.get_loc() <= high + room:
                left_out += [tick.label1, tick.label2]
    return left_out


def overlapping_texts(figure):
    """Return the pairs of words that lie over each other."""
    words, boxes = zip(*visible_texts(figure), strict=True)
    x0, y0, x1, y1 = np.array([box.extents for box in boxes]).T
    width = np.minimum.outer(x1, x1) - np.maximum.outer(x0, x0)
    height = np.minimum.outer(y1, y1) - np.maximum.outer(y0, y0)
    pairs = np.argwhere(np.triu((width > TOUCH) & (height > TOUCH), k=1))
    return [(words[first], words[second]) for first, second in pairs]


def assert_legible(figure):
    """No two texts overlap, none leaves the figure, and there are some."""
    texts = visible_texts(figure)
    assert texts
    assert not overlapping_texts(figure)
    page = figure.bbox
    for words, box in texts:
        inside = (
            box.x0 >= page.x0 - TOUCH
            and box.x1 <= page.x1 + TOUCH
            and box.y0 >= page.y0 - TOUCH
            and box.y1 <= page.y1 + TOUCH
        )
        assert inside, f"{words!r} leaves the figure"
