"""Balancing methods, as parameters: names, defaults and what a grid can search. No torch."""

from sklearn_mtl.neural_network.balancing._aligned_mtl import AlignedMTL
from sklearn_mtl.neural_network.balancing._base import Balancing
from sklearn_mtl.neural_network.balancing._cagrad import CAGrad
from sklearn_mtl.neural_network.balancing._config import ConFIG
from sklearn_mtl.neural_network.balancing._dualproj import DualProj
from sklearn_mtl.neural_network.balancing._dynamic_weight_average import DynamicWeightAverage
from sklearn_mtl.neural_network.balancing._equal import EqualWeights
from sklearn_mtl.neural_network.balancing._fairgrad import FairGrad
from sklearn_mtl.neural_network.balancing._famo import FAMO
from sklearn_mtl.neural_network.balancing._geometric_mean import GeometricMean
from sklearn_mtl.neural_network.balancing._grad_norm import GradNorm
from sklearn_mtl.neural_network.balancing._graddrop import GradDrop
from sklearn_mtl.neural_network.balancing._gradient_balancing import GradientBalancing
from sklearn_mtl.neural_network.balancing._gradvac import GradVac
from sklearn_mtl.neural_network.balancing._imtl_g import IMTLG
from sklearn_mtl.neural_network.balancing._imtl_l import IMTLL
from sklearn_mtl.neural_network.balancing._mgda import MGDA
from sklearn_mtl.neural_network.balancing._nash_mtl import NashMTL
from sklearn_mtl.neural_network.balancing._pcgrad import PCGrad
from sklearn_mtl.neural_network.balancing._random_loss_weights import RandomLossWeights
from sklearn_mtl.neural_network.balancing._smooth_tchebycheff import SmoothTchebycheff
from sklearn_mtl.neural_network.balancing._uncertainty import UncertaintyWeights
from sklearn_mtl.neural_network.balancing._upgrad import UPGrad

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
    "mgda": MGDA,
    "pcgrad": PCGrad,
    "gradvac": GradVac,
    "graddrop": GradDrop,
    "cagrad": CAGrad,
    "imtl_g": IMTLG,
    "nash_mtl": NashMTL,
    "aligned_mtl": AlignedMTL,
    "fairgrad": FairGrad,
    "config": ConFIG,
    "upgrad": UPGrad,
    "dualproj": DualProj,
}

__all__ = [
    "BALANCING",
    "FAMO",
    "IMTLG",
    "IMTLL",
    "MGDA",
    "AlignedMTL",
    "Balancing",
    "CAGrad",
    "ConFIG",
    "DualProj",
    "DynamicWeightAverage",
    "EqualWeights",
    "FairGrad",
    "GeometricMean",
    "GradDrop",
    "GradNorm",
    "GradVac",
    "GradientBalancing",
    "NashMTL",
    "PCGrad",
    "RandomLossWeights",
    "SmoothTchebycheff",
    "UPGrad",
    "UncertaintyWeights",
]
