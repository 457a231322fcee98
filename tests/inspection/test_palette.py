from itertools import combinations

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.colors import to_rgb

from sklearn_mtl.inspection._palette import CATEGORIES, DIVERGING, SEQUENTIAL

# what people without one kind of cone see, in linear RGB: Machado, Oliveira and Fernandes (2009),
# A Physiologically-based Model for Simulation of Color Vision Deficiency, table 1, severity 1
SIGHT = {
    "all cones": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def seen(colors, sight):
    """Return CIELAB coordinates of colours as seen."""
    rgb = np.array([to_rgb(color) for color in colors])
    linear = np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    linear = np.clip(linear @ np.transpose(SIGHT[sight]), 0, 1)
    to_xyz = [
        [0.4124, 0.3576, 0.1805],
        [0.2126, 0.7152, 0.0722],
        [0.0193, 0.1192, 0.9505],
    ]
    xyz = linear @ np.transpose(to_xyz) / [0.9505, 1.0, 1.089]
    root = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = root.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def distances(colors, sight):
    return [np.linalg.norm(a - b) for a, b in combinations(seen(colors, sight), 2)]


@pytest.mark.parametrize("sight", SIGHT)
def test_categories_differ_for_everyone(sight):
    # 2.3 is just noticeable (Mahy et al. 1994); thin lines need several times that
    assert min(distances(CATEGORIES, sight)) > 10


def test_the_measure_knows_red_and_green_to_be_alike_without_green_cones():
    assert min(distances(["#c00000", "#5a7a00"], "deuteranopia")) < 25
    assert min(distances(["#c00000", "#5a7a00"], "all cones")) > 80


@pytest.mark.parametrize("sight", SIGHT)
def test_sequential_colours_grow_lighter_for_everyone(sight):
    lightness = seen(colormaps[SEQUENTIAL](np.linspace(0, 1, 12)), sight)[:, 0]
    assert (np.diff(lightness) > 1).all()


@pytest.mark.parametrize("sight", SIGHT)
def test_the_ends_of_diverging_colours_differ_from_each_other_and_from_the_middle(sight):
    assert min(distances(colormaps[DIVERGING]([0.1, 0.5, 0.9]), sight)) > 25
