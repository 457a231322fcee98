"""Gains of one model over another: intervals of paired differences, and what is said of them."""

from collections.abc import Iterable

import numpy as np
from scipy.stats import t as student

HELPED, HURT, UNDECIDED = "helped", "hurt", "undecided"


def flags(low: Iterable[float], high: Iterable[float]) -> list[str]:
    """Return "helped" where an interval is above 0, "hurt" where it is below, else "undecided"."""
    return [
        HELPED if bottom > 0 else HURT if top < 0 else UNDECIDED
        for bottom, top in zip(low, high, strict=True)
    ]


def check_level(level: float) -> None:
    """Raise a ValueError unless a level is one minus the confidence of an interval."""
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, got {level!r}.")


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
        n_test / n_train; 0 for independent differences, of which it is the paired-t interval.
    level : float

    Returns
    -------
    mean, low, high : float
        NaN ends where J < 2, and all NaN where J = 0.

    References
    ----------
    C. Nadeau and Y. Bengio, "Inference for the Generalization Error", Machine Learning 52, 2003,
    section 3 (the corrected resampled t-test).
    """
    n_splits = len(differences)
    if n_splits < 2:
        return (float(differences[0]) if n_splits else np.nan), np.nan, np.nan
    mean = differences.mean()
    variance = (1 / n_splits + test_share) * differences.var(ddof=1)
    half = student.ppf(1 - level / 2, n_splits - 1) * np.sqrt(variance)
    return float(mean), float(mean - half), float(mean + half)
