"""What one set of predictions gains over another on the same labels, with an interval."""

import numpy as np

from sklearn_mtl.metrics._gain import corrected_interval
from sklearn_mtl.metrics._metric import TaskKind


def paired_gain(
    labels: np.ndarray, predicted: np.ndarray, baseline: np.ndarray, kind: TaskKind, level: float
) -> tuple[float, float, float]:
    """Return the relative gain of predictions over a baseline, and its paired-t interval.

    With a_i and b_i the errors on label i (squared; for classes 1 where wrong) and d = b - a,

        g = mean d / mean b    between    (mean d ± t_{n-1, 1 - level/2} s_d / sqrt(n)) / mean b,

    which contains 0 exactly where the paired t-test does not tell the mean errors apart. Root
    mean squared errors are compared for regression, of which the gain is ``1 - sqrt(1 - g)``.

    Parameters
    ----------
    labels, predicted, baseline : ndarray of shape (n,)
    kind : TaskKind
    level : float
        One minus the confidence.

    Returns
    -------
    gain, low, high : float
        All NaN where the baseline makes no error; an interval of NaN for fewer than two labels.
    """
    if kind.is_classification:
        errors, reference = (labels != predicted).astype(float), (labels != baseline).astype(float)
    else:
        errors, reference = (labels - predicted) ** 2.0, (labels - baseline) ** 2.0
    if not reference.any():
        return np.nan, np.nan, np.nan
    ends = np.array(corrected_interval((reference - errors) / reference.mean(), 0.0, level))
    left = np.maximum(1.0 - ends, 0.0)  # of the baseline's error; no error is less than none
    gain, low, high = 1.0 - (left if kind.is_classification else np.sqrt(left))
    return float(gain), float(low), float(high)
