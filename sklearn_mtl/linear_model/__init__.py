"""Linear estimators with convex penalties and certificates of optimality."""

from sklearn_mtl.linear_model._graph import GraphClassifier, GraphRegressor
from sklearn_mtl.linear_model._joint_feature import JointFeatureClassifier, JointFeatureRegressor
from sklearn_mtl.linear_model._linear import (
    MultiTaskLinearClassifier,
    MultiTaskLinearEstimator,
    MultiTaskLinearRegressor,
)
from sklearn_mtl.linear_model._low_rank import LowRankClassifier, LowRankRegressor
from sklearn_mtl.linear_model._mean_regularized import (
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
)

__all__ = [
    "GraphClassifier",
    "GraphRegressor",
    "JointFeatureClassifier",
    "JointFeatureRegressor",
    "LowRankClassifier",
    "LowRankRegressor",
    "MeanRegularizedClassifier",
    "MeanRegularizedRegressor",
    "MultiTaskLinearClassifier",
    "MultiTaskLinearEstimator",
    "MultiTaskLinearRegressor",
]
