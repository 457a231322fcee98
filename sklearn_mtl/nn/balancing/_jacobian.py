"""Gradients of several losses at once: one row a task."""

from collections.abc import Sequence

import torch
from torch import Tensor

from sklearn_mtl.nn.balancing._base import LossGraph


def common_jacobian(losses: Tensor, common: Tensor, directions: Tensor) -> Tensor:
    """Return the gradients at what the losses of all tasks go through, (S, *common.shape).

    Parameters
    ----------
    losses : Tensor of shape (T,)
    common : Tensor
    directions : Tensor of shape (S, T)
        Row s says of which sum of losses gradient s is.
    """
    (rows,) = _gradients(losses, [common], directions)
    return torch.zeros_like(common).expand(len(directions), *common.shape) if rows is None else rows


def shared_jacobian(
    losses: Tensor, graph: LossGraph, directions: Tensor
) -> list[tuple[torch.nn.Parameter, Tensor]]:
    """Return the gradients by each shared parameter that the losses depend on, (S, *p.shape).

    Parameters
    ----------
    losses : Tensor of shape (T,)
    graph : LossGraph
    directions : Tensor of shape (S, T)
    """
    parameters = [p for p in graph.shared_parameters if p.requires_grad]
    if not parameters:
        return []
    outputs = losses
    if graph.common is not None and graph.common.requires_grad:
        # the heads are gone through once, not with every shared parameter
        outputs, directions = graph.common, common_jacobian(losses, graph.common, directions)
    rows = _gradients(outputs, parameters, directions)
    return [(p, row) for p, row in zip(parameters, rows, strict=True) if row is not None]


def _gradients(
    outputs: Tensor, inputs: Sequence[Tensor], directions: Tensor
) -> tuple[Tensor | None, ...]:
    options = {"retain_graph": True, "allow_unused": True}
    if len(directions) == 1:
        alone = torch.autograd.grad(outputs, inputs, directions[0], **options)
        return tuple(None if row is None else row[None] for row in alone)
    try:
        return torch.autograd.grad(outputs, inputs, directions, is_grads_batched=True, **options)
    except RuntimeError:  # layers that cannot be batched: compiled ones, recurrent ones on CUDA
        each = [torch.autograd.grad(outputs, inputs, row, **options) for row in directions]
        columns = zip(*each, strict=True)
        return tuple(None if c[0] is None else torch.stack(c) for c in columns)
