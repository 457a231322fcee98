"""One big Gaussian: all coefficients, their mean and all labels, stacked and conditioned."""

import numpy as np
from scipy.stats import multivariate_normal


def dense(rows, labels, task, noise, prior, n_tasks):
    """Return the posterior of all coefficients and of m, and log p(labels).

    Parameters
    ----------
    rows : (N, d), in standard coordinates, a label each
    labels : (N,)
    task : (N,)
    noise : (T,)
    prior : Prior

    Returns
    -------
    mean : (T, d)
    covariance : (T, d, d)
    m_mean, m_covariance : (d,), (d, d)
    scatter : (d, d), sum_t E[(v_t - m)(v_t - m)']
    log_evidence : float
    """
    d, T = len(prior.center), n_tasks
    wide = np.zeros((len(rows), T * d))  # the label of row i is wide[i] @ (v_1, ..., v_T) + noise
    for i, t in enumerate(task):
        wide[i, t * d : (t + 1) * d] = rows[i]
    of_m = np.diag(prior.variance)
    # of (v_1, ..., v_T, m)
    joint = np.kron(np.ones((T + 1, T + 1)), of_m)
    for t in range(T):
        joint[t * d : (t + 1) * d, t * d : (t + 1) * d] += prior.covariance
    start = np.tile(prior.center, T + 1)
    wide = np.column_stack([wide, np.zeros((len(rows), d))])
    of_labels = wide @ joint @ wide.T + np.diag(noise[task])
    gain = np.linalg.solve(of_labels, wide @ joint).T
    mean = start + gain @ (labels - wide @ start)
    covariance = joint - gain @ wide @ joint
    blocks = [slice(t * d, (t + 1) * d) for t in range(T + 1)]
    last = blocks[T]
    scatter = np.zeros((d, d))
    for block in blocks[:T]:
        deviation = mean[block] - mean[last]
        cross = covariance[block, last]
        scatter += np.outer(deviation, deviation)
        scatter += covariance[block, block] - cross - cross.T + covariance[last, last]
    return (
        mean[: T * d].reshape(T, d),
        np.array([covariance[block, block] for block in blocks[:T]]),
        mean[last],
        covariance[last, last],
        scatter,
        multivariate_normal.logpdf(labels, wide @ start, of_labels),
    )
