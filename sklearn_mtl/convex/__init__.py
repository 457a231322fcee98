"""The convex engine: losses over all tasks, penalties that tie tasks, solvers with certificates."""

from sklearn_mtl.convex._problem import Certificate, Problem, make_problem
from sklearn_mtl.convex._rows import CoefRows, coef_rows
from sklearn_mtl.convex._stats import GramStats
from sklearn_mtl.convex.penalties import (
    L1,
    GraphLaplacian,
    GroupL21,
    MeanRegularization,
    NormPenalty,
    NuclearNorm,
    Penalty,
    PenaltySum,
    QuadraticPenalty,
    Ridge,
    TaskRelationship,
)
from sklearn_mtl.convex.solvers import Solution, solve

__all__ = [
    "L1",
    "Certificate",
    "CoefRows",
    "GramStats",
    "GraphLaplacian",
    "GroupL21",
    "MeanRegularization",
    "NormPenalty",
    "NuclearNorm",
    "Penalty",
    "PenaltySum",
    "Problem",
    "QuadraticPenalty",
    "Ridge",
    "Solution",
    "TaskRelationship",
    "coef_rows",
    "make_problem",
    "solve",
]
