"""Balancing methods, as parameters: names, defaults and what a grid can search. No torch."""

from sklearn_mtl.neural_network.balancing._base import Balancing
from sklearn_mtl.neural_network.balancing._equal import EqualWeights

# the words that the `balancing` parameter takes
BALANCING: dict[str, type[Balancing]] = {
    "equal": EqualWeights,
}

__all__ = ["BALANCING", "Balancing", "EqualWeights"]
