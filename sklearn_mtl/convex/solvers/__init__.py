"""Methods that minimise a loss plus a penalty, and the rule that chooses among them."""

from sklearn_mtl.convex.solvers._auto import SOLVERS, choose, solve
from sklearn_mtl.convex.solvers._base import Solution, Solver
from sklearn_mtl.convex.solvers._fista import Fista

__all__ = ["SOLVERS", "Fista", "Solution", "Solver", "choose", "solve"]
