"""Networks that learn several tasks at once, and the objects that their parameters take."""

from sklearn_mtl.neural_network._classifier import MultiTaskClassifier
from sklearn_mtl.neural_network._mixed import MultiTaskEstimator
from sklearn_mtl.neural_network._regressor import MultiTaskRegressor
from sklearn_mtl.neural_network.balancing import Balancing, EqualWeights
from sklearn_mtl.neural_network.numeric_embedding import (
    NumericEmbedding,
    PeriodicEmbedding,
    PiecewiseLinearEmbedding,
)
from sklearn_mtl.neural_network.sharing import HardSharing, Sharing

__all__ = [
    "Balancing",
    "EqualWeights",
    "HardSharing",
    "MultiTaskClassifier",
    "MultiTaskEstimator",
    "MultiTaskRegressor",
    "NumericEmbedding",
    "PeriodicEmbedding",
    "PiecewiseLinearEmbedding",
    "Sharing",
]
