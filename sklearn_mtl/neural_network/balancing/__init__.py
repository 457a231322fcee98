"""Balancing methods, as parameters: names, defaults and what a grid can search. No torch."""

from sklearn_mtl.neural_network.balancing._base import Balancing
from sklearn_mtl.neural_network.balancing._dynamic_weight_average import DynamicWeightAverage
from sklearn_mtl.neural_network.balancing._equal import EqualWeights
from sklearn_mtl.neural_network.balancing._famo import FAMO
from sklearn_mtl.neural_network.balancing._geometric_mean import GeometricMean
from sklearn_mtl.neural_network.balancing._grad_norm import GradNorm
from sklearn_mtl.neural_network.balancing._imtl_l import IMTLL
from sklearn_mtl.neural_network.balancing._random_loss_weights import RandomLossWeights
from sklearn_mtl.neural_network.balancing._smooth_tchebycheff import SmoothTchebycheff
from sklearn_mtl.neural_network.balancing._uncertainty import UncertaintyWeights

# the words that the `balancing` parameter takes
BALANCING: dict[str, type[Balancing]] = {
    "equal": EqualWeights,
    "uncertainty": UncertaintyWeights,
    "dwa": DynamicWeightAverage,
    "gradnorm": GradNorm,
    "rlw": RandomLossWeights,
    "famo": FAMO,
    "stch": SmoothTchebycheff,
    "imtl_l": IMTLL,
    "geometric_mean": GeometricMean,
}

__all__ = [
    "BALANCING",
    "FAMO",
    "IMTLL",
    "Balancing",
    "DynamicWeightAverage",
    "EqualWeights",
    "GeometricMean",
    "GradNorm",
    "RandomLossWeights",
    "SmoothTchebycheff",
    "UncertaintyWeights",
]
