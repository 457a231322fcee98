"""Balancers: how the losses of the tasks become one step."""

from sklearn_mtl.nn.balancing._bargaining import FairGradWeights, NashMTLWeights
from sklearn_mtl.nn.balancing._base import Balancer, LossGraph
from sklearn_mtl.nn.balancing._cagrad import CAGradWeights
from sklearn_mtl.nn.balancing._config import ConFIGWeights
from sklearn_mtl.nn.balancing._dual_cone import DualProjWeights, NNLSProjector, UPGradWeights
from sklearn_mtl.nn.balancing._graddrop import GradDropAggregator
from sklearn_mtl.nn.balancing._gradient_balancer import GradientBalancer
from sklearn_mtl.nn.balancing._gradient_cosines import gradient_cosines
from sklearn_mtl.nn.balancing._gradient_norms import GradientNorms
from sklearn_mtl.nn.balancing._gradvac import GradVacWeights
from sklearn_mtl.nn.balancing._gramian_weights import GramianWeights
from sklearn_mtl.nn.balancing._make import make_balancer
from sklearn_mtl.nn.balancing._mgda import MGDAWeights
from sklearn_mtl.nn.balancing._pcgrad import PCGradWeights
from sklearn_mtl.nn.balancing._scalarized import Scalarized
from sklearn_mtl.nn.balancing._scalarized_again import ScalarizedAgain
from sklearn_mtl.nn.balancing._scalarized_by_epoch import ScalarizedByEpoch
from sklearn_mtl.nn.balancing._torchjd import TorchjdBalancer
from sklearn_mtl.nn.balancing._weighted_sum import WeightedSum

__all__ = [
    "Balancer",
    "CAGradWeights",
    "ConFIGWeights",
    "DualProjWeights",
    "FairGradWeights",
    "GradDropAggregator",
    "GradVacWeights",
    "GradientBalancer",
    "GradientNorms",
    "GramianWeights",
    "LossGraph",
    "MGDAWeights",
    "NNLSProjector",
    "NashMTLWeights",
    "PCGradWeights",
    "Scalarized",
    "ScalarizedAgain",
    "ScalarizedByEpoch",
    "TorchjdBalancer",
    "UPGradWeights",
    "WeightedSum",
    "gradient_cosines",
    "make_balancer",
]
