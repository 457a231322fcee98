"""Relative gains of paired errors, with intervals that know that training rows overlap."""

from dataclasses import dataclass

import numpy as np

from sklearn_mtl.metrics._gain import corrected_interval

# differences this small beside the errors are rounding: one model computed in two ways
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Gains:
    """Gains over the baseline, relative to its mean error; arrays have shape (T,).

    Attributes
    ----------
    gain, low, high : ndarray of shape (T,)
    mean, mean_low, mean_high : float
        Of the mean over tasks.
    """

    gain: np.ndarray
    low: np.ndarray
    high: np.ndarray
    mean: float
    mean_low: float
    mean_high: float


def relative_gains(
    baseline: np.ndarray,
    multitask: np.ndarray,
    test_share: np.ndarray,
    level: float,
    rounding: np.ndarray,
) -> Gains:
    """Return each task's relative gain and its interval.

    With b_k and m_k the errors on split k and B = mean_k b_k,

        gain = mean_k (b_k - m_k) / B,

    and the interval is that of `corrected_interval` for the differences b_k - m_k, over B: it
    contains 0 exactly where the test of equal errors does not reject. B is taken as known.

    Parameters
    ----------
    baseline, multitask : ndarray of shape (T, n_splits)
        Errors; NaN where a split tells nothing of a task. NaN gains of tasks of which fewer than
        two splits tell something.
    test_share : ndarray of shape (T,)
        Test labels over training labels.
    level : float
        One minus the confidence.
    rounding : ndarray of shape (T,)
        Errors up to which B is rounding, to which nothing can be relative: NaN gains.
    """
    differences = baseline - multitask
    differences[np.abs(differences) <= ROUNDING * baseline] = 0.0
    is_told = ~np.isnan(differences)
    n_told = is_told.sum(axis=1)
    sums = np.where(is_told, baseline, 0.0).sum(axis=1)
    level_of_errors = sums / np.maximum(n_told, 1)
    is_defined = (n_told > 1) & (level_of_errors > rounding)
    relative = differences / np.where(is_defined, level_of_errors, np.nan)[:, None]
    intervals = [
        corrected_interval(own[~np.isnan(own)], share, level)
        for own, share in zip(relative, test_share, strict=True)
    ]
    gain, low, high = np.array(intervals).T
    if not is_defined.any():
        return Gains(gain, low, high, np.nan, np.nan, np.nan)
    over_tasks = relative[is_defined]
    over_tasks = np.nanmean(over_tasks[:, ~np.isnan(over_tasks).all(axis=0)], axis=0)
    _, mean_low, mean_high = corrected_interval(over_tasks, test_share[is_defined].mean(), level)
    mean = float(gain[is_defined].mean())
    shift = mean - over_tasks.mean()  # not 0 where tasks lack labels in some test parts
    return Gains(gain, low, high, mean, mean_low + shift, mean_high + shift)
