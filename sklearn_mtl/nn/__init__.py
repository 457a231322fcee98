"""Torch parts of the networks: the only folder that imports torch and skorch."""

from sklearn_mtl.nn._build import build_net
from sklearn_mtl.nn._device import present_devices, resolve_device
from sklearn_mtl.nn._module import MultiTaskModule
from sklearn_mtl.nn._net import DivergedError, MultiTaskNet
from sklearn_mtl.nn._optimizer import set_rates
from sklearn_mtl.nn._predict import predict_outputs
from sklearn_mtl.nn._state import export_state, import_state
from sklearn_mtl.nn._train import train
from sklearn_mtl.nn.balancing import Balancer, LossGraph, WeightedSum
from sklearn_mtl.nn.heads import GroupedHeads
from sklearn_mtl.nn.losses import LOSSES, CrossEntropy, LogisticLoss, SquaredError
from sklearn_mtl.nn.sharing import (
    DependentSharingModule,
    HardSharingModule,
    Representation,
    SharingModule,
)
from sklearn_mtl.nn.trunks import MLP, PeriodicModule, PiecewiseLinearModule

__all__ = [
    "LOSSES",
    "MLP",
    "Balancer",
    "CrossEntropy",
    "DependentSharingModule",
    "DivergedError",
    "GroupedHeads",
    "HardSharingModule",
    "LogisticLoss",
    "LossGraph",
    "MultiTaskModule",
    "MultiTaskNet",
    "PeriodicModule",
    "PiecewiseLinearModule",
    "Representation",
    "SharingModule",
    "SquaredError",
    "WeightedSum",
    "build_net",
    "export_state",
    "import_state",
    "predict_outputs",
    "present_devices",
    "resolve_device",
    "set_rates",
    "train",
]
