"""Losses: elementwise over rows and tasks of one kind; no loop over tasks."""

from sklearn_mtl.nn.losses._absolute_error import AbsoluteError
from sklearn_mtl.nn.losses._activated import ActivatedLoss
from sklearn_mtl.nn.losses._base import Loss
from sklearn_mtl.nn.losses._cross_entropy import CrossEntropy
from sklearn_mtl.nn.losses._huber import Huber
from sklearn_mtl.nn.losses._logistic import LogisticLoss
from sklearn_mtl.nn.losses._make import LOSSES, make_loss, mean_loss
from sklearn_mtl.nn.losses._own import OwnLoss
from sklearn_mtl.nn.losses._poisson import Poisson
from sklearn_mtl.nn.losses._squared_error import SquaredError

__all__ = [
    "LOSSES",
    "AbsoluteError",
    "ActivatedLoss",
    "CrossEntropy",
    "Huber",
    "LogisticLoss",
    "Loss",
    "OwnLoss",
    "Poisson",
    "SquaredError",
    "make_loss",
    "mean_loss",
]
