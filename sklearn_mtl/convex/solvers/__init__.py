"""Methods that minimise a loss plus a penalty, and the rule that chooses among them."""

from sklearn_mtl.convex.solvers._auto import SOLVERS, choose, solve
from sklearn_mtl.convex.solvers._base import Solution, Solver
from sklearn_mtl.convex.solvers._fista import Fista
from sklearn_mtl.convex.solvers._free_directions import check_no_free_direction

__all__ = ["SOLVERS", "Fista", "Solution", "Solver", "check_no_free_direction", "choose", "solve"]
