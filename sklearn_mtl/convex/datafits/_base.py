from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, eq=False)
class Point:
    """A datafit at one W.

    Attributes
    ----------
    value : float
        f(W), intercepts at their best.
    gradient : ndarray of shape (M, p)
    dual : callable (kappa) -> float
        ``-f*(-kappa u)`` with u the negative gradient of the loss at the fitted values, scaled
        by ``0 <= kappa <= 1``: what the duality gap is made of.
    rounding : float
        About how far rounding may put `value`, where it is a small difference of large numbers.
    """

    value: float
    gradient: np.ndarray
    dual: Callable[[float], float]
    rounding: float = field(default=0.0, kw_only=True)


class Datafit(ABC):
    """The smooth part of an objective, ``f(W) = min_b sum_t lambda_t * mean loss of task t``.

    Intercepts are no variables: each evaluation takes those that are best for W (for the squared
    loss, by centring), so that solvers and certificates see W alone.

    Attributes
    ----------
    shape : tuple (M, p)
        The shape of W.
    """

    shape: tuple[int, int]

    @abstractmethod
    def at(self, W: np.ndarray) -> Point:
        """Return value, gradient and dual at W."""

    @property
    def least_share(self) -> float:
        """The least share of the value at W = 0 that a kind of loss has, of those that have any."""
        return 1.0

    @abstractmethod
    def lipschitz(self) -> float:
        """Return an upper bound on the largest curvature of f."""
