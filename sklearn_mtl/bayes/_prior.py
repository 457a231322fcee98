from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Prior:
    """The population of tasks: ``v_t ~ N(m, S)``, ``m ~ N(center, diag(variance))``.

    Attributes
    ----------
    center : ndarray of shape (d,)
    variance : ndarray of shape (d,)
        Of m; 0 where m is known to be at its center.
    covariance : ndarray of shape (d, d)
        S, positive definite.
    """

    center: np.ndarray
    variance: np.ndarray
    covariance: np.ndarray
