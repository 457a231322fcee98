from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from sklearn_mtl.nn.losses._base import Loss
from sklearn_mtl.tasks._outputs import LossFunction
from sklearn_mtl.utils._validation import plain


class OwnLoss(Loss):
    """A caller's loss of one task, which sees the rows where the task is observed, and no others.

    A module is copied, with ``reduction="none"`` where it has a reduction; its parameters are
    learned with those of the network.

    Parameters
    ----------
    own : LossFunction
    activation : callable (Tensor) -> Tensor
    """

    def __init__(self, own: LossFunction, activation: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.task = own.task
        self.activation = activation
        function: Any = own.function
        if isinstance(function, nn.Module):
            function = deepcopy(function)
            if hasattr(function, "reduction"):
                function.reduction = "none"
        self.function = function

    def elements(self, outputs: Tensor, labels: Tensor, hidden: Tensor | None) -> Tensor:
        """Return the loss of each label, shape (B, 1), 0 where none is observed."""
        if hidden is None:
            return self(outputs[:, 0], labels[:, 0])[:, None]
        # which rows is known on the host: a callable may need at least one
        rows = torch.nonzero(~hidden[:, 0])[:, 0]
        # without rows zeros that depend on the outputs: they must have a gradient
        seen = self(outputs[rows, 0], labels[rows, 0]) if len(rows) else outputs[rows].flatten()
        return seen.new_zeros(len(labels)).index_put((rows,), seen)[:, None]

    def forward(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of outputs (B,) or (B, K) at labels (B,), shape (B,)."""
        given = self.activation(outputs)
        try:
            values = self.function(given, labels)
        except Exception as error:
            raise RuntimeError(
                f"The loss of task {plain(self.task)!r}, {self.function!r}, raised "
                f"{type(error).__name__}: {error}. It was given outputs of shape "
                f"{tuple(given.shape)} and labels of shape {tuple(labels.shape)}, and must return "
                f"one value per row, shape ({len(labels)},)."
            ) from error
        if not isinstance(values, Tensor) or values.shape != labels.shape:
            raise ValueError(
                f"The loss of task {plain(self.task)!r} must return one value per row, a tensor of "
                f"shape ({len(labels)},) for {len(labels)} rows, but {self.function!r} returned "
                f"{_described(values)}; leave out means and sums over the rows."
            )
        return values


def _described(values: Any) -> str:
    if not isinstance(values, Tensor):
        return f"an object of type {type(values).__name__}"
    return f"a tensor of shape {tuple(values.shape)}" if values.ndim else "a scalar"
