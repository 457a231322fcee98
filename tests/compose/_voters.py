"""Members of ensembles, and complete classes for those that know nothing of missing labels."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sklearn_mtl import IndependentTasks, LowRankClassifier, LowRankRegressor

RIDGE = IndependentTasks(Ridge())
TREES = IndependentTasks(DecisionTreeRegressor(max_depth=3, random_state=0))
LOGISTIC = IndependentTasks(LogisticRegression())
NEAREST = IndependentTasks(KNeighborsClassifier(5))
STUMP = IndependentTasks(DecisionTreeClassifier(max_depth=3, random_state=0))
VALUES = [("ridge", RIDGE), ("lowrank", LowRankRegressor(alpha=0.01)), ("trees", TREES)]
CLASSES = [("logistic", LOGISTIC), ("lowrank", LowRankClassifier(alpha=0.01)), ("near", NEAREST)]
MIXED = {"good": LogisticRegression(), "price": Ridge(), "stars": LogisticRegression()}
OTHER = {"good": KNeighborsClassifier(), "price": TREES.estimator, "stars": KNeighborsClassifier()}


def make_grades(n=60):
    """Complete classes of two tasks."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(n, 3))
    noisy = X + rng.normal(size=X.shape)
    return X, np.column_stack([noisy[:, 0] > 0, np.digitize(noisy[:, 1], [-0.5, 0.5])]).astype(int)


class Saying(BaseEstimator):
    """Always predicts one label, in any shape."""

    def __init__(self, label=0.0):
        self.label = label

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.full((len(X), *np.shape(self.label)), self.label)

    def __sklearn_is_fitted__(self):
        return True
