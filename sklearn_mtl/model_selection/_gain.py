"""Relative gains of paired errors, with intervals that know that training rows overlap."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

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
    baseline: np.ndarray, multitask: np.ndarray, test_share: np.ndarray, level: float
) -> Gains:
    """Return each task's relative gain and its interval.

    With b_k and m_k the errors on split k and B = mean_k b_k,

        gain = mean_k (b_k - m_k) / B,

    and the interval is that of `corrected_interval` for the differences b_k - m_k, over B: it
    contains 0 exactly where the test of equal errors does not reject. B is taken as known.

    Parameters
    ----------
    baseline, multitask : ndarray of shape (T, n_splits)
        Errors; NaN where a task has no label in the test part. NaN gains where B is 0.
    test_share : ndarray of shape (T,)
        Test labels over training labels.
    level : float
        One minus the confidence.
    """
    differences = baseline - multitask
    differences[np.abs(differences) <= ROUNDING * baseline] = 0.0
    level_of_errors = np.nanmean(baseline, axis=1, keepdims=True)
    relative = differences / np.where(level_of_errors > 0, level_of_errors, np.nan)
    intervals = [
        corrected_interval(own[~np.isnan(own)], share, level)
        for own, share in zip(relative, test_share, strict=True)
    ]
    gain, low, high = np.array(intervals).T
    defined = ~np.isnan(gain)
    if not defined.any():
        return Gains(gain, low, high, np.nan, np.nan, np.nan)
    over_tasks = relative[defined]
    over_tasks = np.nanmean(over_tasks[:, ~np.isnan(over_tasks).all(axis=0)], axis=0)
    _, mean_low, mean_high = corrected_interval(over_tasks, test_share[defined].mean(), level)
    mean = float(gain[defined].mean())
    shift = mean - over_tasks.mean()  # not 0 where tasks lack labels in some test parts
    return Gains(gain, low, high, mean, mean_low + shift, mean_high + shift)


def corrected_interval(
    differences: np.ndarray, test_share: float, level: float
) -> tuple[float, float, float]:
    """Return the mean of differences over splits and its corrected resampled-t interval.

    Training parts of different splits have most of their rows in common, so the differences d_k
    of J splits are correlated and s² / J is too small a variance of their mean. Nadeau & Bengio
    take the correlation to be n_test / (n_test + n_train), which gives

        mean_k d_k  ±  t_{J-1, 1 - level/2}  sqrt((1 / J + n_test / n_train) s²)

    with s² the sample variance of the d_k.

    Parameters
    ----------
    differences : ndarray of shape (J,)
    test_share : float
        n_test / n_train.
    level : float

    Returns
    -------
    mean, low, high : float
        All NaN where J < 2.

    References
    ----------
    C. Nadeau and Y. Bengio, "Inference for the Generalization Error", Machine Learning 52, 2003,
    section 3 (the corrected resampled t-test).
    """
    n_splits = len(differences)
    if n_splits < 2:
        return np.nan, np.nan, np.nan
    mean = differences.mean()
    variance = (1 / n_splits + test_share) * differences.var(ddof=1)
    half = student.ppf(1 - level / 2, n_splits - 1) * np.sqrt(variance)
    return float(mean), float(mean - half), float(mean + half)
