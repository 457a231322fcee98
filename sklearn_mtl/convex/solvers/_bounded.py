"""Quadratic programs with lower bounds, to the accuracy that a Newton step asks for."""

from collections.abc import Callable

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

ROUNDS = 8  # times that entries below their bounds are put on them and the others solved again
FORCING = 0.01  # the relative residual at which conjugate gradients stop
MAX_PRODUCTS = 100  # of each round


def solve_bounded(system: np.ndarray, target: np.ndarray, least: np.ndarray) -> np.ndarray:
    """Return nearly ``argmin_{y >= least} y'Ay / 2 - target'y``, by Cholesky factors.

    Entries that fall below their bound are put on it for good, which is optimal up to entries that
    would come off it again: the next Newton step sees to these.

    Parameters
    ----------
    system : ndarray of shape (s, s)
        A, symmetric and positive semi-definite.
    target, least : ndarray of shape (s,)
    """
    y, free = np.zeros_like(target), np.arange(len(target))
    rest = target
    for _ in range(ROUNDS):
        block = system if len(free) == len(y) else system[np.ix_(free, free)]
        try:
            y[free] = cho_solve(cho_factor(block, check_finite=False), rest, check_finite=False)
        except LinAlgError:
            diagonal = np.maximum(system.diagonal(), np.finfo(float).tiny)
            return iterate_bounded(system.__matmul__, diagonal, target, least)
        below = y[free] < least[free]
        if not below.any():
            break
        bound = free[below]
        y[bound] = least[bound]
        free = free[~below]
        out = np.setdiff1d(np.arange(len(y)), free, assume_unique=True)
        rest = target[free] - system[np.ix_(free, out)] @ y[out]
    return np.maximum(y, least)


def iterate_bounded(
    product: Callable[[np.ndarray], np.ndarray],
    diagonal: np.ndarray,
    target: np.ndarray,
    least: np.ndarray,
) -> np.ndarray:
    """Return nearly ``argmin_{y >= least} y'Ay / 2 - target'y``, by conjugate gradients.

    Parameters
    ----------
    product : callable (y) -> A y
    diagonal : ndarray of shape (s,)
        About the diagonal of A, for preconditioning.
    target, least : ndarray of shape (s,)
    """
    diagonal = np.maximum(diagonal, 1e-12 * diagonal.max(initial=0.0))
    y, residual, free = np.zeros_like(target), target, np.ones(len(target), dtype=bool)
    goal = FORCING**2 * float(target @ (target / diagonal))
    for _ in range(ROUNDS):
        y = _conjugate_gradients(product, diagonal, y, np.where(free, residual, 0.0), free, goal)
        below = free & (y < least)
        if not below.any():
            break
        free &= ~below
        y = np.maximum(y, least)
        residual = target - product(y)
    return np.maximum(y, least)


def _conjugate_gradients(
    product: Callable[[np.ndarray], np.ndarray],
    diagonal: np.ndarray,
    y: np.ndarray,
    residual: np.ndarray,
    free: np.ndarray,
    goal: float,
) -> np.ndarray:
    preconditioned = residual / diagonal
    along, size = preconditioned, float(residual @ preconditioned)
    for _ in range(MAX_PRODUCTS):
        if size <= goal:
            break
        moved = np.where(free, product(along), 0.0)
        curved = float(along @ moved)
        if curved <= 0:  # rounding alone: the system is positive semi-definite
            break
        y = y + size / curved * along
        residual = residual - size / curved * moved
        preconditioned = residual / diagonal
        size, before = float(residual @ preconditioned), size
        along = preconditioned + size / before * along
    return y
