import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma, polygamma

LEAST_PSEUDO_LABELS = 2.0  # where noise variances differ beyond all measure
MOST_A_TASK = 4.0  # pseudo-labels that a task's evidence of a common variance counts for


def pseudo_labels(errors: np.ndarray, freedom: np.ndarray) -> float:
    """Return how many labels the hyper-prior of noise variances is worth, as alike as these are.

    Variances are draws of a scaled inverse chi-squared distribution of nu degrees of freedom. Then
    ``e_t = log s_t^2 - psi(d_t / 2) + log(d_t / 2)``, for sums of squared errors ``d_t s_t^2``,
    have variance ``psi'(nu / 2)`` beyond the mean of ``psi'(d_t / 2)``, which is chance.

    Parameters
    ----------
    errors : ndarray of shape (T,)
        Sums of squared errors.
    freedom : ndarray of shape (T,)
        d, the labels of each task less the parameters that they decide.

    References
    ----------
    G. Smyth, "Linear models and empirical Bayes methods for assessing differential expression in
    microarray experiments", Statistical Applications in Genetics and Molecular Biology 3, 2004,
    section 6.2.
    """
    telling = np.flatnonzero((freedom > 1.0) & (errors > 0.0))
    if len(telling) < 2:
        return LEAST_PSEUDO_LABELS
    half = 0.5 * freedom[telling]
    e = np.log(errors[telling] / freedom[telling]) - digamma(half) + np.log(half)
    excess = e.var(ddof=1) - polygamma(1, half).mean()
    # psi' falls: between these bounds, or at one of them
    low, high = LEAST_PSEUDO_LABELS, MOST_A_TASK * len(telling)
    if excess >= polygamma(1, 0.5 * low):
        return low
    if excess <= polygamma(1, 0.5 * high):
        return high
    return float(brentq(lambda nu: polygamma(1, 0.5 * nu) - excess, low, high))
