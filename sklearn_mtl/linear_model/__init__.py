"""Linear estimators with convex penalties and certificates of optimality."""

from sklearn_mtl.linear_model._bayesian import BayesianMultiTaskRegressor
from sklearn_mtl.linear_model._bayesian_classifier import BayesianMultiTaskClassifier
from sklearn_mtl.linear_model._graph import GraphClassifier, GraphRegressor
from sklearn_mtl.linear_model._graph_cv import GraphRegressorCV
from sklearn_mtl.linear_model._joint_feature import JointFeatureClassifier, JointFeatureRegressor
from sklearn_mtl.linear_model._joint_feature_cv import JointFeatureRegressorCV
from sklearn_mtl.linear_model._linear import (
    MultiTaskLinearClassifier,
    MultiTaskLinearEstimator,
    MultiTaskLinearRegressor,
)
from sklearn_mtl.linear_model._linear_cv import MultiTaskLinearRegressorCV
from sklearn_mtl.linear_model._low_rank import LowRankClassifier, LowRankRegressor
from sklearn_mtl.linear_model._low_rank_cv import LowRankRegressorCV
from sklearn_mtl.linear_model._mean_regularized import (
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
)
from sklearn_mtl.linear_model._mean_regularized_cv import MeanRegularizedRegressorCV
from sklearn_mtl.linear_model._task_relationship import (
    TaskRelationshipClassifier,
    TaskRelationshipRegressor,
)

__all__ = [
    "BayesianMultiTaskClassifier",
    "BayesianMultiTaskRegressor",
    "GraphClassifier",
    "GraphRegressor",
    "GraphRegressorCV",
    "JointFeatureClassifier",
    "JointFeatureRegressor",
    "JointFeatureRegressorCV",
    "LowRankClassifier",
    "LowRankRegressor",
    "LowRankRegressorCV",
    "MeanRegularizedClassifier",
    "MeanRegularizedRegressor",
    "MeanRegularizedRegressorCV",
    "MultiTaskLinearClassifier",
    "MultiTaskLinearEstimator",
    "MultiTaskLinearRegressor",
    "MultiTaskLinearRegressorCV",
    "TaskRelationshipClassifier",
    "TaskRelationshipRegressor",
]
