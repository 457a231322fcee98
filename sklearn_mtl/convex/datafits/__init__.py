"""Losses over all tasks, as solvers see them."""

from sklearn_mtl.convex.datafits._base import Datafit, Point
from sklearn_mtl.convex.datafits._gram import GramQuadratic

__all__ = ["Datafit", "GramQuadratic", "Point"]
