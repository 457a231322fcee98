"""Networks that learn several tasks at once, and the objects that their parameters take."""

from sklearn_mtl.neural_network._classifier import MultiTaskClassifier
from sklearn_mtl.neural_network._mixed import MultiTaskEstimator
from sklearn_mtl.neural_network._regressor import MultiTaskRegressor
from sklearn_mtl.neural_network.balancing import (
    FAMO,
    IMTLL,
    Balancing,
    DynamicWeightAverage,
    EqualWeights,
    GeometricMean,
    GradNorm,
    RandomLossWeights,
    SmoothTchebycheff,
    UncertaintyWeights,
)
from sklearn_mtl.neural_network.numeric_embedding import (
    NumericEmbedding,
    PeriodicEmbedding,
    PiecewiseLinearEmbedding,
)
from sklearn_mtl.neural_network.sharing import (
    CGC,
    PLE,
    Cascade,
    CrossStitch,
    HardSharing,
    MMoE,
    SeparateNetworks,
    Sharing,
    SoftSharing,
)

__all__ = [
    "CGC",
    "FAMO",
    "IMTLL",
    "PLE",
    "Balancing",
    "Cascade",
    "CrossStitch",
    "DynamicWeightAverage",
    "EqualWeights",
    "GeometricMean",
    "GradNorm",
    "HardSharing",
    "MMoE",
    "MultiTaskClassifier",
    "MultiTaskEstimator",
    "MultiTaskRegressor",
    "NumericEmbedding",
    "PeriodicEmbedding",
    "PiecewiseLinearEmbedding",
    "RandomLossWeights",
    "SeparateNetworks",
    "Sharing",
    "SmoothTchebycheff",
    "SoftSharing",
    "UncertaintyWeights",
]
