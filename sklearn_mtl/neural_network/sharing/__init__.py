"""Sharing schemes, as parameters: names, defaults and what a grid can search. No torch."""

from sklearn_mtl.neural_network.sharing._base import Sharing
from sklearn_mtl.neural_network.sharing._cascade import Cascade
from sklearn_mtl.neural_network.sharing._cross_stitch import CrossStitch
from sklearn_mtl.neural_network.sharing._hard import HardSharing
from sklearn_mtl.neural_network.sharing._mmoe import MMoE
from sklearn_mtl.neural_network.sharing._ple import CGC, PLE
from sklearn_mtl.neural_network.sharing._separate import SeparateNetworks
from sklearn_mtl.neural_network.sharing._soft import SoftSharing

# the words that the `sharing` parameter takes
SHARING: dict[str, type[Sharing]] = {
    "hard": HardSharing,
    "separate": SeparateNetworks,
    "soft": SoftSharing,
    "cross_stitch": CrossStitch,
    "mmoe": MMoE,
    "cgc": CGC,
    "ple": PLE,
    "cascade": Cascade,
}

__all__ = [
    "CGC",
    "PLE",
    "SHARING",
    "Cascade",
    "CrossStitch",
    "HardSharing",
    "MMoE",
    "SeparateNetworks",
    "Sharing",
    "SoftSharing",
]
