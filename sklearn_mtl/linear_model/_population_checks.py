"""What a population of tasks with independent labels does not suit, said in words."""

from warnings import warn

import numpy as np

from sklearn_mtl.convex import GramStats
from sklearn_mtl.tasks import TaskLayout
from sklearn_mtl.utils._validation import plain
from sklearn_mtl.utils._warnings import level_of_caller

DIFFERENT_SCALES = 1000.0  # of labels of two tasks, beyond which one prior hardly suits both
COMMON_ERRORS = 0.3  # correlation of errors in one row, above which a common mean is in doubt
LEAST_ERRORS = 0.25  # mean square, relative to the noise: less is what hyper-priors leave


def warn_of_scales(stats: GramStats, layout: TaskLayout) -> None:
    """Warn where labels of tasks have so different scales that no prior suits them all."""
    deviation = np.sqrt(stats.energy / stats.task_mass)
    some = np.flatnonzero(deviation > 0)
    if len(some) < 2:
        return
    small, large = some[deviation[some].argmin()], some[deviation[some].argmax()]
    if deviation[large] > DIFFERENT_SCALES * deviation[small]:
        warn(
            f"Labels of task {plain(layout.names[large])!r} have a standard deviation of "
            f"{deviation[large]:.3g}, those of {plain(layout.names[small])!r} one of "
            f"{deviation[small]:.3g}, and one population has to suit both. Set "
            "target_scaling='standard' where targets are measured in different units.",
            UserWarning,
            stacklevel=level_of_caller(),
        )


def warn_of_common_errors(errors: np.ndarray, seen: np.ndarray, owner: str) -> None:
    """Warn where errors of one row go together, which pass for a population's mean.

    Parameters
    ----------
    errors : ndarray of shape (n, T)
        Relative to the standard deviation of the noise.
    seen : ndarray of shape (n, T), bool
        Which of them are of observed labels.
    owner : str
        Who asks.
    """
    standard = np.where(seen, errors, 0.0)
    squares, count = np.square(standard).sum(), seen.sum()
    # the mean of e_is e_it over all pairs of tasks of a row
    n_pairs = float(np.square(seen.sum(axis=1)).sum() - count)
    if n_pairs == 0 or squares < LEAST_ERRORS * count:
        return
    together = np.square(standard.sum(axis=1)).sum() - squares
    correlation = together / n_pairs / (squares / count)
    # of independent errors, it has a standard error of (2 / pairs)^(1/2)
    if correlation > max(COMMON_ERRORS, 4.0 * np.sqrt(2.0 / n_pairs)):
        warn(
            f"Errors of {owner} in one row go together: over pairs of tasks they have a mean "
            f"correlation of {correlation:.2f}, while the model takes them as independent. What "
            "rows have in common passes for a common mean of the weights, and intervals are too "
            "narrow. Set prior_mean='zero' where tasks are different targets of the same rows.",
            UserWarning,
            stacklevel=level_of_caller(),
        )
