"""Losses over all tasks, as solvers see them."""

from sklearn_mtl.convex.datafits._base import Datafit, Point
from sklearn_mtl.convex.datafits._classification import classification_datafit
from sklearn_mtl.convex.datafits._design import DesignQuadratic, prefers_design
from sklearn_mtl.convex.datafits._gram import GramQuadratic
from sklearn_mtl.convex.datafits._predictor_loss import CurvedDatafit
from sklearn_mtl.convex.datafits._quadratic import QuadraticDatafit

__all__ = [
    "CurvedDatafit",
    "Datafit",
    "DesignQuadratic",
    "GramQuadratic",
    "Point",
    "QuadraticDatafit",
    "classification_datafit",
    "prefers_design",
]
