"""Balancers: how the losses of the tasks become one step."""

from sklearn_mtl.nn.balancing._base import Balancer, LossGraph
from sklearn_mtl.nn.balancing._make import make_balancer
from sklearn_mtl.nn.balancing._weighted_sum import WeightedSum

__all__ = ["Balancer", "LossGraph", "WeightedSum", "make_balancer"]
