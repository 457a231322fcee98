"""Torch modules of the sharing schemes: which part of the network tasks have in common."""

from sklearn_mtl.nn.sharing._base import DependentSharingModule, Representation, SharingModule
from sklearn_mtl.nn.sharing._hard import HardSharingModule

__all__ = ["DependentSharingModule", "HardSharingModule", "Representation", "SharingModule"]
