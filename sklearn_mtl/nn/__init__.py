"""Torch parts of the networks: the only folder that imports torch, skorch and torchjd."""

from torchjd import aggregation, scalarization

from sklearn_mtl.nn._build import build_net
from sklearn_mtl.nn._copied import copied
from sklearn_mtl.nn._device import present_devices, resolve_device
from sklearn_mtl.nn._module import MultiTaskModule
from sklearn_mtl.nn._net import DivergedError, MultiTaskNet
from sklearn_mtl.nn._onnx import onnx_graph
from sklearn_mtl.nn._optimizer import set_rates
from sklearn_mtl.nn._predict import predict_outputs
from sklearn_mtl.nn._state import export_state, import_state
from sklearn_mtl.nn._stream import DatasetReader
from sklearn_mtl.nn._train import train
from sklearn_mtl.nn.balancing import (
    Balancer,
    CAGradWeights,
    ConFIGWeights,
    DualProjWeights,
    FairGradWeights,
    GradDropAggregator,
    GradientBalancer,
    GradientNorms,
    GradVacWeights,
    GramianWeights,
    LossGraph,
    MGDAWeights,
    NashMTLWeights,
    NNLSProjector,
    PCGradWeights,
    Scalarized,
    ScalarizedAgain,
    ScalarizedByEpoch,
    TorchjdBalancer,
    UPGradWeights,
    WeightedSum,
)
from sklearn_mtl.nn.heads import GroupedHeads
from sklearn_mtl.nn.losses import (
    LOSSES,
    AbsoluteError,
    CrossEntropy,
    Huber,
    LogisticLoss,
    Loss,
    Poisson,
    SquaredError,
    mean_loss,
)
from sklearn_mtl.nn.sharing import (
    CascadeModule,
    CrossStitchModule,
    DependentSharingModule,
    HardSharingModule,
    MMoEModule,
    PLEModule,
    Representation,
    SeparateNetworksModule,
    SharingModule,
    SoftSharingModule,
)
from sklearn_mtl.nn.trunks import MLP, PeriodicModule, PiecewiseLinearModule

__all__ = [
    "LOSSES",
    "MLP",
    "AbsoluteError",
    "Balancer",
    "CAGradWeights",
    "CascadeModule",
    "ConFIGWeights",
    "CrossEntropy",
    "CrossStitchModule",
    "DatasetReader",
    "DependentSharingModule",
    "DivergedError",
    "DualProjWeights",
    "FairGradWeights",
    "GradDropAggregator",
    "GradVacWeights",
    "GradientBalancer",
    "GradientNorms",
    "GramianWeights",
    "GroupedHeads",
    "HardSharingModule",
    "Huber",
    "LogisticLoss",
    "Loss",
    "LossGraph",
    "MGDAWeights",
    "MMoEModule",
    "MultiTaskModule",
    "MultiTaskNet",
    "NNLSProjector",
    "NashMTLWeights",
    "PCGradWeights",
    "PLEModule",
    "PeriodicModule",
    "PiecewiseLinearModule",
    "Poisson",
    "Representation",
    "Scalarized",
    "ScalarizedAgain",
    "ScalarizedByEpoch",
    "SeparateNetworksModule",
    "SharingModule",
    "SoftSharingModule",
    "SquaredError",
    "TorchjdBalancer",
    "UPGradWeights",
    "WeightedSum",
    "aggregation",
    "build_net",
    "copied",
    "export_state",
    "import_state",
    "mean_loss",
    "onnx_graph",
    "predict_outputs",
    "present_devices",
    "resolve_device",
    "scalarization",
    "set_rates",
    "train",
]
