"""Tasks in two families that need different functions of X."""

import numpy as np


def make_families(seed=0, n=40, n_features=20, noise=0.3):
    """Return X, Y of four tasks, of which 0 and 2 are one function and 1 and 3 another."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, n_features))
    first, second = rng.normal(size=(2, n_features))
    second -= first * (first @ second) / (first @ first)
    levels = np.column_stack([X @ first, X @ second, X @ first, X @ second])
    return X, levels + noise * rng.normal(size=levels.shape) * levels.std()


FAMILIES = [(0, 2), (1, 3)]
