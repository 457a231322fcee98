"""Balancers: how the losses of the tasks become one step."""

from sklearn_mtl.nn.balancing._base import Balancer, LossGraph
from sklearn_mtl.nn.balancing._gradient_balancer import GradientBalancer
from sklearn_mtl.nn.balancing._gradient_cosines import gradient_cosines
from sklearn_mtl.nn.balancing._gradient_norms import GradientNorms
from sklearn_mtl.nn.balancing._make import make_balancer
from sklearn_mtl.nn.balancing._scalarized import Scalarized
from sklearn_mtl.nn.balancing._scalarized_again import ScalarizedAgain
from sklearn_mtl.nn.balancing._scalarized_by_epoch import ScalarizedByEpoch
from sklearn_mtl.nn.balancing._torchjd import TorchjdBalancer
from sklearn_mtl.nn.balancing._weighted_sum import WeightedSum

__all__ = [
    "Balancer",
    "GradientBalancer",
    "GradientNorms",
    "LossGraph",
    "Scalarized",
    "ScalarizedAgain",
    "ScalarizedByEpoch",
    "TorchjdBalancer",
    "WeightedSum",
    "gradient_cosines",
    "make_balancer",
]
