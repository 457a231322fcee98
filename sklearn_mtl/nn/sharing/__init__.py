"""Torch modules of the sharing schemes: which part of the network tasks have in common."""

from sklearn_mtl.nn.sharing._base import DependentSharingModule, Representation, SharingModule
from sklearn_mtl.nn.sharing._cascade import CascadeModule
from sklearn_mtl.nn.sharing._cross_stitch import CrossStitchModule
from sklearn_mtl.nn.sharing._hard import HardSharingModule
from sklearn_mtl.nn.sharing._mmoe import MMoEModule
from sklearn_mtl.nn.sharing._ple import PLEModule
from sklearn_mtl.nn.sharing._separate import SeparateNetworksModule
from sklearn_mtl.nn.sharing._soft import SoftSharingModule

__all__ = [
    "CascadeModule",
    "CrossStitchModule",
    "DependentSharingModule",
    "HardSharingModule",
    "MMoEModule",
    "PLEModule",
    "Representation",
    "SeparateNetworksModule",
    "SharingModule",
    "SoftSharingModule",
]
