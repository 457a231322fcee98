"""Trunks: what maps standardised inputs to the representation that tasks share."""

from sklearn_mtl.nn.trunks._mlp import ACTIVATIONS, MLP

__all__ = ["ACTIVATIONS", "MLP"]
