"""Penalties on the weights of all tasks."""

from sklearn_mtl.convex.penalties._base import NormPenalty, Penalty, QuadraticPenalty
from sklearn_mtl.convex.penalties._graph_laplacian import GraphLaplacian
from sklearn_mtl.convex.penalties._group_l21 import GroupL21
from sklearn_mtl.convex.penalties._l1 import L1
from sklearn_mtl.convex.penalties._mean import MeanRegularization
from sklearn_mtl.convex.penalties._nuclear import NuclearNorm
from sklearn_mtl.convex.penalties._ridge import Ridge
from sklearn_mtl.convex.penalties._sum import PenaltySum
from sklearn_mtl.convex.penalties._task_relationship import TaskRelationship

# what the contract tests iterate over
PENALTIES: dict[str, type[Penalty]] = {
    "graph": GraphLaplacian,
    "group_l21": GroupL21,
    "l1": L1,
    "mean": MeanRegularization,
    "nuclear": NuclearNorm,
    "relationship": TaskRelationship,
    "ridge": Ridge,
}

__all__ = [
    "L1",
    "PENALTIES",
    "GraphLaplacian",
    "GroupL21",
    "MeanRegularization",
    "NormPenalty",
    "NuclearNorm",
    "Penalty",
    "PenaltySum",
    "QuadraticPenalty",
    "Ridge",
    "TaskRelationship",
]
