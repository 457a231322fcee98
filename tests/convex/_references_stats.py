"""Moments in rational arithmetic, which rounds nothing."""

from fractions import Fraction

import numpy as np


def exact_moments(X, y, weight):
    """Return mass, mean, Gram, mean of labels, cross and energy of one task as exact Fractions.

    Arrays hold them as objects.
    """
    x, z, d = exact(X), exact(y), exact(weight)
    mass = d.sum()
    x_mean, y_mean = d @ x / mass, d @ z / mass
    x, z = x - x_mean, z - y_mean
    return mass, x_mean, (x * d[:, None]).T @ x, y_mean, (d * z) @ x, (d * z) @ z


def exact(values):
    """Return an array of Fractions, of the very values of the floats."""
    return np.vectorize(Fraction, otypes=[object])(np.asarray(values, dtype=object))
