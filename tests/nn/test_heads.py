"""Heads of many tasks are one matrix, and equal to a loop over tasks."""

import numpy as np
import pytest
import torch

from sklearn_mtl.nn import GroupedHeads
from sklearn_mtl.tasks._outputs import group_outputs
from sklearn_mtl.tasks._spec import TaskSpec

WIDTHS = [1, 3, 2, 1, 2, 4, 3]  # 1: regression, 2: binary, more: multiclass


def make_heads(n_inputs=5, widths=WIDTHS, seed=0):
    kinds = {1: "regression", 2: "binary"}
    specs = [
        TaskSpec(t, kinds.get(k, "multiclass"), None if k == 1 else np.arange(k))
        for t, k in enumerate(widths)
    ]
    groups = group_outputs(specs)
    generator = torch.Generator().manual_seed(seed)
    n_outputs = sum(len(group.tasks) * group.width for group in groups)
    heads = GroupedHeads(
        n_inputs, groups, torch.randn(n_outputs, generator=generator, dtype=torch.float64)
    )
    with torch.no_grad():
        heads.weight.normal_(generator=generator)
    return heads, groups


def of_task(groups, t):
    """Return the output columns of a task."""
    for group in groups:
        for place, task in enumerate(group.tasks):
            if task == t:
                return slice(group.start + place * group.width, None), group.width
    raise AssertionError


def representation(n=6, h=5):
    return torch.randn(
        n, h, generator=torch.Generator().manual_seed(1), dtype=torch.float64, requires_grad=True
    )


def test_tasks_of_one_kind_and_width_are_one_group():
    _, groups = make_heads()
    assert [(g.kind, g.tasks.tolist(), g.width) for g in groups] == [
        ("regression", [0, 3], 1),
        ("multiclass", [1, 6], 3),
        ("binary", [2, 4], 1),
        ("multiclass", [5], 4),
    ]
    columns = [np.arange(100)[group.columns].tolist() for group in groups]
    assert np.concatenate(columns).tolist() == list(range(2 + 6 + 2 + 4))


def test_one_product_is_a_loop_over_tasks():
    heads, groups = make_heads()
    h = representation()
    blocks = heads.blocks(heads(h))
    for group, block in zip(groups, blocks, strict=True):
        shape = (6, len(group.tasks)) if group.width == 1 else (6, len(group.tasks), group.width)
        assert block.shape == shape
        for place, t in enumerate(group.tasks):
            start, width = of_task(groups, t)
            weight = heads.weight[start][:width]
            own = (h @ weight.T + heads.bias[start][:width]).squeeze(1)
            # float64 products, as one matrix or a task at a time
            torch.testing.assert_close(block[:, place], own, rtol=1e-12, atol=1e-14)


def test_a_rows_own_outputs_are_its_columns_of_all():
    heads, groups = make_heads()
    h = representation(n=40)
    places = [torch.randint(len(group.tasks), (40,)) for group in groups]
    own = heads.own_blocks(h, places)
    every = heads.blocks(heads(h))
    for block, whole, place in zip(own, every, places, strict=True):
        expected = whole[torch.arange(40), place][:, None]
        assert block.shape == expected.shape
        # float64 products summed in another order
        torch.testing.assert_close(block, expected, rtol=1e-12, atol=1e-14)
    direction = [torch.randn_like(block) for block in own]
    inputs = [h, heads.weight, heads.bias]
    ours = torch.autograd.grad(
        sum((b * d).sum() for b, d in zip(own, direction, strict=True)), inputs
    )
    chosen = [w[torch.arange(40), p][:, None] for w, p in zip(every, places, strict=True)]
    theirs = torch.autograd.grad(
        sum((b * d).sum() for b, d in zip(chosen, direction, strict=True)), inputs
    )
    for one, other in zip(ours, theirs, strict=True):
        # gradients of the weights add up 40 rows in another order
        torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("widths", [[1], [1, 1, 1], [2], [3], [3, 3]])
def test_one_group_needs_no_split(widths):
    heads, groups = make_heads(widths=widths)
    assert len(groups) == 1
    (block,) = heads.blocks(heads(representation()))
    assert block.shape[:2] == (6, len(widths))


def test_untrained_heads_give_the_bias():
    bias = torch.tensor([0.5, -1.0])
    groups = group_outputs([TaskSpec(t, "regression") for t in range(2)])
    heads = GroupedHeads(4, groups, bias)
    assert torch.equal(heads(torch.randn(3, 4)), bias.expand(3, 2))
    bias += 1.0  # the heads have a copy
    assert heads.bias.tolist() == [0.5, -1.0]
