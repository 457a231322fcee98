from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sklearn_mtl.convex._moments import CHUNK, two_sum

if TYPE_CHECKING:
    from sklearn_mtl.convex._stats import GramStats


def merged(parts: "Sequence[GramStats]") -> dict[str, np.ndarray]:
    """Return the arrays of the statistics of the rows of all parts.

    With ``delta_q`` the mean of part q less the mean of all, the moments about the mean of all are
    ``sum_q M_q + m_q delta_q delta_q'``, a sum without cancellation (Chan, Golub & LeVeque 1983,
    "Algorithms for computing the sample variance: analysis and recommendations", eq. 2.1 for two
    parts).
    """
    group = _refine([part.group for part in parts])
    tasks = np.unique(group, return_index=True)[1]  # a task of each group
    places = [part.group[tasks] for part in parts]
    mass, x_mean, x_mean_low, x_steps = _means(
        [part.mass[k] for part, k in zip(parts, places, strict=True)],
        [part.x_mean[k] for part, k in zip(parts, places, strict=True)],
        [part.x_mean_low[k] for part, k in zip(parts, places, strict=True)],
    )
    task_masses = [part.mass[part.group] for part in parts]
    _, y_mean, y_mean_low, y_steps = _means(
        task_masses,
        [part.y_mean[:, None] for part in parts],
        [part.y_mean_low[:, None] for part in parts],
    )
    gram = np.zeros((len(tasks), *parts[0].gram.shape[1:]))
    cross, energy = np.zeros_like(parts[0].cross), np.zeros_like(parts[0].energy)
    for part, k, task_mass, x, y in zip(parts, places, task_masses, x_steps, y_steps, strict=True):
        ordered = len(k) == len(part.gram) and bool((k == np.arange(len(k))).all())
        gram += part.gram if ordered else part.gram[k]
        _add_outer(gram, part.mass[k], x)
        cross += part.cross + (task_mass[:, None] * y) * x[group]
        energy += part.energy + task_mass * np.square(y[:, 0])
    return {
        "group": group,
        "count": np.sum([part.count for part in parts], axis=0),
        "mass": mass,
        "x_mean": x_mean,
        "gram": gram,
        "y_mean": y_mean[:, 0],
        "cross": cross,
        "energy": energy,
        "x_mean_low": x_mean_low,
        "y_mean_low": y_mean_low[:, 0],
    }


def _refine(groups: list[np.ndarray]) -> np.ndarray:
    """Return the coarsest grouping that splits no further than needed, by first task."""
    first: dict[tuple, int] = {}
    keys = zip(*(group.tolist() for group in groups), strict=True)
    return np.array([first.setdefault(key, len(first)) for key in keys], dtype=np.intp)


def _add_outer(gram: np.ndarray, mass: np.ndarray, step: np.ndarray) -> None:
    """Add ``mass * step step'`` to each Gram matrix, some matrices at a time."""
    size = max(CHUNK // step.shape[1] ** 2, 1)
    for start in range(0, len(gram), size):
        block = slice(start, start + size)
        weighted = mass[block, None] * step[block]
        gram[block] += weighted[:, :, None] * step[block, None, :]


def _means(
    masses: list[np.ndarray], means: list[np.ndarray], lows: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[np.ndarray]]:
    """Return mass, mean and low part of all, and how far the mean of each part is from it.

    Differences are from the mean of the part with the largest mass, so that parts with one mean
    have that very mean together. A part without mass has no say.
    """
    stacked = np.array(masses)
    heaviest, column = stacked.argmax(axis=0), np.arange(stacked.shape[1])
    start, start_low = np.array(means)[heaviest, column], np.array(lows)[heaviest, column]
    total = stacked.sum(axis=0)
    safe = np.where(total > 0, total, 1.0)[:, None]
    steps = [
        np.where(m[:, None] > 0, (mean - start) + (low - start_low), 0.0)
        for m, mean, low in zip(masses, means, lows, strict=True)
    ]
    shift = sum(m[:, None] * step for m, step in zip(masses, steps, strict=True)) / safe
    steps = [
        np.where(m[:, None] > 0, step - shift, 0.0) for m, step in zip(masses, steps, strict=True)
    ]
    mean, low = two_sum(start, start_low + shift)
    return total, mean, low, steps
