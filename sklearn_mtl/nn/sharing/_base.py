from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn


class Representation(NamedTuple):
    """What the heads read.

    Attributes
    ----------
    values : Tensor of shape (B, h), or (T, B, h)
        One for all tasks, or one for each.
    common : Tensor or None
        What the losses of all tasks go through, for methods that compare the tasks' gradients
        there; None where the scheme has no such place.
    outputs : Tensor of shape (B, n_outputs), or None
        What the heads make of `values`, where the scheme has asked them already.
    """

    values: Tensor
    common: Tensor | None
    outputs: Tensor | None = None


class SharingModule(nn.Module):
    """Maps standardised inputs to what the heads read; the base class of the package's schemes.

    Any ``nn.Module`` whose ``forward(x)`` gives (B, h) or (T, B, h) is a sharing scheme; this class
    is for those that say more: what the losses of all tasks go through, which parameters belong to
    one task alone, a penalty, a cheaper way where each row has one task.
    """

    def forward(self, x: Tensor) -> Tensor | Representation:
        """Return the representation of rows x (B, ...): (B, h), (T, B, h), or a Representation."""
        raise TypeError(f"{type(self).__name__} must define forward(x).")

    def own(self, x: Tensor, task: Tensor) -> Tensor | Representation:
        """Return each row's representation for its own task, shape (B, h).

        Parameters
        ----------
        x : Tensor of shape (B, ...)
        task : Tensor of shape (B,), int64
            Number of each row's task.
        """
        return own_rows(as_representation(self(x)), task)

    def shared_parameters(self) -> Iterator[nn.Parameter]:
        """Yield the parameters that more than one task uses; by default all."""
        return self.parameters()

    def penalty(self) -> Tensor | None:
        """Return what the scheme adds to the objective, a scalar; by default nothing."""
        return None


class DependentSharingModule(SharingModule):
    """A scheme in which a task may read the outputs of others, so that it needs their heads.

    ``forward(x, heads)`` and ``own(x, task, heads)`` take the network's GroupedHeads too.
    """

    def forward(self, x: Tensor, heads: Any = None) -> Tensor | Representation:
        """Return the representation of rows x (B, ...), given the heads."""
        raise TypeError(f"{type(self).__name__} must define forward(x, heads).")

    def own(self, x: Tensor, task: Tensor, heads: Any = None) -> Tensor | Representation:
        """Return each row's representation for its own task, given the heads, shape (B, h)."""
        return own_rows(as_representation(self(x, heads)), task)


def as_representation(result: Tensor | Representation) -> Representation:
    """Return what a scheme gave as a Representation: one for all tasks is common to them."""
    if isinstance(result, Representation):
        return result
    return Representation(result, result if result.ndim == 2 else None)


def own_rows(representation: Representation, task: Tensor) -> Representation:
    """Return each row's representation for its own task."""
    values, common, _ = representation
    if values.ndim == 3:
        values = values[task, torch.arange(len(task), device=task.device)]
    return Representation(values, common)
