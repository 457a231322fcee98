"""Estimators that tell what they were fitted on."""

from collections import Counter

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import Ridge

FITS = []  # (sharing, first column of X, random_state) of every fit in this process


class Alone(RegressorMixin, BaseEstimator):
    """Ridge for complete labels."""

    sharing = "none"

    def __init__(self, alpha=1.0, random_state=None):
        self.alpha = alpha
        self.random_state = random_state

    def fit(self, X, y):
        FITS.append((self.sharing, np.asarray(X)[:, 0].tolist(), self.random_state))
        self.model_ = Ridge(alpha=self.alpha).fit(X, y)
        return self

    def predict(self, X):
        return self.model_.predict(X)


class Sharing(Alone):
    """The same with a parameter that networks have; whatever shares is off by 1."""

    def __init__(self, alpha=1.0, sharing="hard", random_state=None):
        self.alpha = alpha
        self.sharing = sharing
        self.random_state = random_state

    def predict(self, X):
        return super().predict(X) + (self.sharing != "separate")


def fits_by_sharing():
    """Return how many fits there were of each kind."""
    return Counter(sharing for sharing, _, _ in FITS)
