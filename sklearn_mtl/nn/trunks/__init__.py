"""Trunks: what maps standardised inputs to a representation."""

from sklearn_mtl.nn.trunks._backbone import Backbone, Copies, start_equal
from sklearn_mtl.nn.trunks._factory import TrunkFactory
from sklearn_mtl.nn.trunks._mlp import ACTIVATIONS, MLP
from sklearn_mtl.nn.trunks._periodic import PeriodicModule
from sklearn_mtl.nn.trunks._piecewise_linear import PiecewiseLinearModule
from sklearn_mtl.nn.trunks._stacked_linear import StackedLinear

__all__ = [
    "ACTIVATIONS",
    "MLP",
    "Backbone",
    "Copies",
    "PeriodicModule",
    "PiecewiseLinearModule",
    "StackedLinear",
    "TrunkFactory",
    "start_equal",
]
