"""Small data in which tasks can learn from each other, and estimators that tell what they saw."""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.tree import DecisionTreeClassifier


def make_numbers(n=40, missing=0.3, seed=0):
    """Return X (n, 3) and Y (n, 3) with NaN where missing."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    Y = X @ rng.normal(size=(3, 3)) + np.abs(X[:, :1]) + 0.3 * rng.normal(size=(n, 3))
    Y[rng.random(Y.shape) < missing] = np.nan
    return X, Y


def make_mixed(n=60, missing=0.3, seed=0):
    """Return X, codes and values (n, 3) with NaN where missing, and the same as named labels.

    "good" has two classes, "price" is a number, "stars" has three classes.
    """
    X, Y = make_numbers(n, missing=0.0, seed=seed)
    stars = np.digitize(Y[:, 2], np.quantile(Y[:, 2], [1 / 3, 2 / 3]))
    codes = np.column_stack([Y[:, 0] > 0.5, Y[:, 1], stars]).astype(float)
    codes[np.random.default_rng(seed + 1).random(codes.shape) < missing] = np.nan
    y = {
        "good": np.where(codes[:, 0] == 1, "yes", "no").astype(object),
        "price": codes[:, 1],
        "stars": codes[:, 2].astype(object),
    }
    y["good"][np.isnan(codes[:, 0])] = None
    y["stars"][np.isnan(codes[:, 2])] = None
    return X, codes, y


MIXED = {
    "good": LogisticRegression(C=0.5),
    "price": Ridge(),
    "stars": DecisionTreeClassifier(max_depth=2, random_state=0),
}


class Memory(RegressorMixin, BaseEstimator):
    """Predicts 1 for rows that its fit saw and 0 for others, by the first column of X."""

    def fit(self, X, y):
        self.seen_ = set(np.asarray(X)[:, 0].tolist())
        self.features_ = X
        return self

    def predict(self, X):
        return np.array([float(x in self.seen_) for x in np.asarray(X)[:, 0].tolist()])
