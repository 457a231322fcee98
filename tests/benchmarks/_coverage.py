"""How often predictive intervals hold what they promise."""

import numpy as np
from scipy import stats

LEVELS = np.array([0.50, 0.80, 0.95])
HEADING = "50/80/95 % cover"


def coverage(true, mean, std):
    """Return the share of labels inside the central interval of each of LEVELS."""
    reach = stats.norm.ppf(0.5 + LEVELS / 2)
    return (np.abs(true - mean) / std < reach[:, None]).mean(axis=1)


def percents(shares):
    """Return shares in words, one decimal each."""
    return " / ".join(f"{100 * share:4.1f}" for share in shares)


def spread(values):
    """Return the standard error of means over the first axis, of draws or groups."""
    return np.std(values, axis=0, ddof=1) / np.sqrt(len(values))
