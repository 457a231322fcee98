"""Losses: elementwise over rows and tasks of one kind; no loop over tasks."""

from collections.abc import Callable

from torch import Tensor

from sklearn_mtl.nn.losses._cross_entropy import CrossEntropy
from sklearn_mtl.nn.losses._logistic import LogisticLoss
from sklearn_mtl.nn.losses._squared_error import SquaredError

# kind of task -> loss(outputs (B, T_g) or (B, T_g, K), labels (B, T_g)) -> (B, T_g)
LOSSES: dict[str, Callable[[], Callable[[Tensor, Tensor], Tensor]]] = {
    "regression": SquaredError,
    "binary": LogisticLoss,
    "multiclass": CrossEntropy,
}

__all__ = ["LOSSES", "CrossEntropy", "LogisticLoss", "SquaredError"]
