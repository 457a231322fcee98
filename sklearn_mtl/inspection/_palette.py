"""Colours that people with any kind of colour vision tell apart.

References
----------
Okabe, M. and Ito, K. (2008). Color Universal Design (CUD): How to make figures and presentations
that are friendly to colorblind people.
"""

GREY = "#8c8c8c"  # what stands behind, seen on white and on black
BLUE = "#0072b2"
ORANGE = "#e69f00"
GREEN = "#009e73"
VERMILION = "#d55e00"
SKY_BLUE = "#56b4e9"
PURPLE = "#cc79a7"

# of the eight colours of Okabe and Ito, yellow is too pale on white and black unseen on black
CATEGORIES = (BLUE, ORANGE, GREEN, VERMILION, SKY_BLUE, PURPLE)

SEQUENTIAL = "cividis"  # lightness grows with the value under every kind of colour vision
DIVERGING = "PuOr"  # no red against green: its ends differ in the blue that most people see
MISSING = "#d9d9d9"  # cells without a number: a grey that neither map has


def category_color(place: int) -> str:
    """Return the colour of a category by its place; they begin again after the last."""
    return CATEGORIES[place % len(CATEGORIES)]


def neutral_color() -> str:
    """Return the colour of marks that belong to no task: that of words, black on white."""
    from matplotlib import rcParams

    return str(rcParams["text.color"])
