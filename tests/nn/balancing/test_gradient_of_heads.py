"""Gradients by what linear heads read, against one backward pass a task."""

import numpy as np
import pytest
import torch

from sklearn_mtl.nn._head_gradients import HeadGradients
from sklearn_mtl.nn.heads import GroupedHeads
from sklearn_mtl.tasks import TaskSpec
from sklearn_mtl.tasks._outputs import group_outputs

KINDS = [
    [TaskSpec(f"t{t}", "regression") for t in range(3)],
    [
        TaskSpec("stars", "multiclass", np.arange(3)),
        TaskSpec("price", "regression"),
        TaskSpec("colour", "multiclass", np.arange(3)),
        TaskSpec("good", "binary", np.arange(2)),
        TaskSpec("shape", "multiclass", np.arange(4)),
    ],
]


@pytest.mark.parametrize("tasks", KINDS, ids=["one kind", "mixed"])
def test_slopes_and_weights_give_rows_products_and_sums(tasks):
    torch.manual_seed(0)
    groups = group_outputs(tasks)
    n_outputs = sum(len(group.tasks) * group.width for group in groups)
    heads = GroupedHeads(4, groups, torch.zeros(n_outputs, dtype=torch.float64))
    torch.nn.init.normal_(heads.weight)
    common = torch.randn(6, 4, dtype=torch.float64, requires_grad=True)
    outputs = heads.blocks(heads(common))
    losses = torch.zeros(len(tasks), dtype=torch.float64)
    for group, block in zip(groups, outputs, strict=True):
        block = block.reshape(6, len(group.tasks), -1)
        losses = losses.index_add(0, torch.tensor(group.tasks), block.sin().mean((0, 2)))
    weight = torch.rand(len(tasks), dtype=torch.float64)
    slow = torch.stack(
        [
            torch.autograd.grad(weight[t] * losses[t], common, retain_graph=True)[0]
            for t in range(len(tasks))
        ]
    )
    gradients = HeadGradients(heads, common, outputs, losses, weight)
    # float64 sums in another order
    torch.testing.assert_close(gradients.rows(), slow)
    torch.testing.assert_close(gradients.gramian(), slow.flatten(1) @ slow.flatten(1).T)
    factors = torch.randn(len(tasks), dtype=torch.float64)
    torch.testing.assert_close(gradients.combined(factors), (factors[:, None, None] * slow).sum(0))
    positive = gradients.positive_sum()
    assert (positive is None) == any(task.n_outputs > 1 for task in tasks)
    if positive is not None:
        torch.testing.assert_close(positive, slow.clamp(min=0).sum(0))
    own = torch.autograd.grad(losses, list(heads.parameters()), weight, retain_graph=True)
    for times in (1, 2):  # gradients add up
        gradients.backward(gradients.combined(factors))
        torch.testing.assert_close(common.grad, times * (factors[:, None, None] * slow).sum(0))
        for parameter, gradient in zip(heads.parameters(), own, strict=True):
            torch.testing.assert_close(parameter.grad, times * gradient)
