"""What a fitted model predicts with, said so that another program can be told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_mtl.tasks._layout import LONG, TaskLayout
from sklearn_mtl.tasks._outputs import OutputGroup


@dataclass(frozen=True, eq=False)
class LinearOutputs:
    """Outputs ``x . w + b``.

    Attributes
    ----------
    coef : ndarray of shape (n_outputs, p)
        In group order.
    intercept : ndarray of shape (n_outputs,)
    """

    coef: np.ndarray
    intercept: np.ndarray


@dataclass(frozen=True, eq=False)
class NetworkOutputs:
    """Outputs of a network, or of each of its members.

    Attributes
    ----------
    network : FittedNetwork
        With the skorch net as `net`, and a lock as `turn` for whoever runs it.
    """

    network: Any


@dataclass(frozen=True, eq=False)
class AveragedLogistic:
    """Probabilities of the second of two classes, averaged over normal weights.

    With z = ((x - x_mean) / x_scale, 1), the output of task t is N(mean_t . z, z' covariance z),
    and the logistic function is the mixture of normal ones ``sum_k share_k Phi(a / scale_k)``, so
    that its average is ``sum_k share_k Phi(mean_t . z / sqrt(scale_k² + z' covariance z))``.

    Attributes
    ----------
    x_mean, x_scale : ndarray of shape (p,)
    fit_intercept : bool
        Whether z ends with 1.
    mean : ndarray of shape (T, d)
    covariance : ndarray of shape (n_kinds, d, d)
    kind : ndarray of shape (T,)
        Which covariance a task has.
    scale, share : ndarray of shape (n_scales,)
        Of the mixture.
    """

    x_mean: np.ndarray
    x_scale: np.ndarray
    fit_intercept: bool
    mean: np.ndarray
    covariance: np.ndarray
    kind: np.ndarray
    scale: np.ndarray
    share: np.ndarray


@dataclass(frozen=True, eq=False)
class Exported:
    """A fitted model as data: from features to outputs, and from these to labels.

    Attributes
    ----------
    layout : TaskLayout
    groups : list of OutputGroup
        How outputs are read.
    outputs : LinearOutputs, NetworkOutputs or AveragedLogistic
    input_shape : tuple of int
        Shape of one input, (p,) for a table; without the column that says each row's task.
    mean, scale : ndarray of shape (T,)
        Of the regression labels, whose standardised values are predicted.
    feature_names : list of str, or None
    """

    layout: TaskLayout
    groups: Sequence[OutputGroup]
    outputs: LinearOutputs | NetworkOutputs | AveragedLogistic
    input_shape: tuple[int, ...]
    mean: np.ndarray
    scale: np.ndarray
    feature_names: list[str] | None


class Exportable:
    """Estimators that can say what they predict with."""

    def _exported(self) -> Exported:
        """Return what predictions are made of; a ValueError where they cannot be told as data."""
        raise TypeError(f"{type(self).__name__} must define _exported().")


def feature_names(estimator: Any, layout: TaskLayout) -> list[str] | None:
    """Return the names of the features that an estimator saw, without the task column's."""
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        return None
    column = layout.task_feature if layout.rows == LONG else None
    if isinstance(column, (int, np.integer)):
        column = names[column]
    return [str(name) for name in names if name != column]
