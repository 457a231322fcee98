"""Losses over all tasks, as solvers see them."""

from sklearn_mtl.convex.datafits._base import Datafit, Point
from sklearn_mtl.convex.datafits._classification import classification_datafit
from sklearn_mtl.convex.datafits._gram import GramQuadratic
from sklearn_mtl.convex.datafits._predictor_loss import CurvedDatafit

__all__ = ["CurvedDatafit", "Datafit", "GramQuadratic", "Point", "classification_datafit"]
