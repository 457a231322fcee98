"""Sharing schemes: which part of the network tasks have in common."""

from sklearn_mtl.nn.sharing._base import Sharing
from sklearn_mtl.nn.sharing._hard import HardSharing

SHARING: dict[str, type[Sharing]] = {"hard": HardSharing}

__all__ = ["SHARING", "HardSharing", "Sharing"]
