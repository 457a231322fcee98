"""The corrected resampled t-interval, written out term by term."""

import math

from scipy import stats


def nadeau_bengio(differences, n_train, n_test, level):
    """Return the mean of differences over splits, and the ends of its interval."""
    n_splits = 0
    total = 0.0
    for difference in differences:
        n_splits += 1
        total += difference
    mean = total / n_splits
    squares = 0.0
    for difference in differences:
        squares += (difference - mean) ** 2
    variance_of_one = squares / (n_splits - 1)
    correlation = n_test / (n_test + n_train)
    # rho / (1 - rho) = n_test / n_train, in the form in which the paper derives it
    variance_of_mean = (1 / n_splits + correlation / (1 - correlation)) * variance_of_one
    quantile = stats.t.isf(level / 2, df=n_splits - 1)
    half = quantile * math.sqrt(variance_of_mean)
    return mean, mean - half, mean + half
