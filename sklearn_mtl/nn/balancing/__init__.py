"""Balancing: how the losses of the tasks become one step."""

from sklearn_mtl.nn.balancing._base import Balancer
from sklearn_mtl.nn.balancing._equal import EqualWeights

BALANCERS: dict[str, type[Balancer]] = {"equal": EqualWeights}

__all__ = ["BALANCERS", "Balancer", "EqualWeights"]
