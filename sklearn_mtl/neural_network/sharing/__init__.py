"""Sharing schemes, as parameters: names, defaults and what a grid can search. No torch."""

from sklearn_mtl.neural_network.sharing._base import Sharing
from sklearn_mtl.neural_network.sharing._hard import HardSharing

# the words that the `sharing` parameter takes
SHARING: dict[str, type[Sharing]] = {
    "hard": HardSharing,
}

__all__ = ["SHARING", "HardSharing", "Sharing"]
