"""Gradients of several losses at once: one row a task."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_mtl.nn.balancing._base import LossGraph


def common_jacobian(losses: Tensor, graph: LossGraph, weight: Tensor, tasks: np.ndarray) -> Tensor:
    """Return the gradients of weight_t loss_t by `graph.common`, (S, *common.shape).

    Parameters
    ----------
    losses, weight : Tensor of shape (T,)
    graph : LossGraph
    tasks : ndarray of shape (S,), int
        Numbers of the tasks to have a row.
    """
    common: Tensor = graph.common  # type: ignore[assignment]
    if graph.common_gradients is not None:
        all_rows = graph.common_gradients(losses, weight).rows()
        return all_rows if len(tasks) == len(losses) else all_rows[tasks.tolist()]
    (rows,) = _gradients(losses, [common], _selected(weight, tasks))
    if rows is None:
        return weight.new_zeros(len(tasks), *common.shape)
    return rows.to(weight.dtype)  # what is made of them are squares, which 16 bits cannot hold


def shared_jacobian(
    losses: Tensor, graph: LossGraph, weight: Tensor, tasks: np.ndarray
) -> list[tuple[nn.Parameter, Tensor]]:
    """Return the gradients by each shared parameter that the losses depend on, (S, *p.shape).

    Parameters
    ----------
    losses, graph, weight, tasks
        As in `common_jacobian`.
    """
    parameters = [p for p in graph.shared_parameters if p.requires_grad]
    if not parameters:
        return []
    if graph.common is None or not graph.common.requires_grad:
        return _found(losses, parameters, _selected(weight, tasks))
    # the heads are gone through once, not with every shared parameter
    directions = common_jacobian(losses, graph, weight, tasks).to(graph.common.dtype)
    before = _found(graph.common, parameters, directions)
    reached = {p for p, _ in before}
    beyond = [p for p in parameters if p not in reached]  # between it and the losses, if anywhere
    return before + _found(losses, beyond, _selected(weight, tasks)) if beyond else before


def _found(
    outputs: Tensor, parameters: Sequence[nn.Parameter], directions: Tensor
) -> list[tuple[nn.Parameter, Tensor]]:
    rows = _gradients(outputs, parameters, directions)
    return [(p, row) for p, row in zip(parameters, rows, strict=True) if row is not None]


def _selected(weight: Tensor, tasks: np.ndarray) -> Tensor:
    """Return rows (S, T) that pick weight_t loss_t of these tasks."""
    return torch.diag(weight)[tasks.tolist()]


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
