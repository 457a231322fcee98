"""What every entry of nn.LOSSES must be, behind every activation that it takes."""

import numpy as np
import pytest
import torch

from sklearn_mtl.nn import LOSSES
from sklearn_mtl.nn.losses import make_loss
from sklearn_mtl.tasks._activations import ACTIVATIONS
from sklearn_mtl.tasks._outputs import OutputGroup, OutputSpec

N_ROWS, N_TASKS, N_CLASSES = 6, 4, 3


def cases():
    """Yield each loss, and the group of tasks that it is for."""
    for (word, kind), loss in LOSSES.items():
        if kind == "regression":
            specs = [OutputSpec(word, activation) for activation in loss.activations]
        else:
            specs = [OutputSpec(word), OutputSpec(word, smoothing=0.2)]
        for spec in specs:
            width = N_CLASSES if kind == "multiclass" else 1
            group = OutputGroup(kind, np.arange(N_TASKS), width, 0, spec)
            name = f"{kind}-{word}-{spec.activation}-{spec.smoothing}"
            yield pytest.param(group, make_loss(group), id=name)


def example(group, dtype=torch.float64, seed=0):
    """Return outputs and labels of 6 rows and 4 tasks of that kind, labels in their range."""
    generator = torch.Generator().manual_seed(seed)
    shape = (N_ROWS, N_TASKS)
    wide = shape if group.width == 1 else (*shape, group.width)
    outputs = torch.randn(wide, generator=generator, dtype=dtype)
    if group.kind == "regression":
        labels = torch.randn(shape, generator=generator, dtype=dtype)
        return outputs, in_range(labels, ACTIVATIONS[group.spec.activation])
    labels = torch.randint(max(group.width, 2), shape, generator=generator)
    return outputs, labels if group.kind == "multiclass" else labels.to(dtype)


def in_range(labels, activation):
    if activation.most == 1:
        return labels.sigmoid()
    return labels if activation.least < 0 else labels.abs().masked_fill(labels < -0.5, 0.0)


def assert_one_loss_a_label(loss, group):
    for dtype in (torch.float32, torch.float64):
        outputs, labels = example(group, dtype)
        element = loss.elements(outputs, labels, None)
        assert element.shape == labels.shape
        assert element.dtype == dtype
        assert (element >= 0).all()


def assert_rows_and_tasks_are_apart(loss, group):
    outputs, labels = example(group)
    whole = loss(outputs, labels)
    for row in range(N_ROWS):
        for task in range(N_TASKS):
            here = (slice(row, row + 1), slice(task, task + 1))
            # the same formula on one number: vectorised kernels may round differently
            torch.testing.assert_close(
                loss(outputs[here], labels[here]), whole[here], rtol=1e-14, atol=1e-15
            )


def assert_gradient_is_right(loss, group):
    outputs, labels = example(group)
    outputs.requires_grad_()
    assert torch.autograd.gradcheck(lambda z: loss(z, labels), (outputs,))


def assert_large_outputs_are_finite(loss, group):
    outputs, labels = example(group, torch.float32)
    # the square of exp(44) overflows float32
    most = 40.0 if group.spec.activation == "exp" else 1e5
    outputs = (1e4 * outputs).clamp(max=most).requires_grad_()
    element = loss(outputs, labels)
    element.sum().backward()
    assert torch.isfinite(element).all()
    assert torch.isfinite(outputs.grad).all()


def assert_infinite_outputs_stay_out_where_no_label_is_observed(loss, group):
    outputs, labels = example(group)
    hidden = torch.zeros(labels.shape, dtype=torch.bool)
    hidden[::2] = True
    expected = loss.elements(outputs, labels, None)
    outputs[hidden] = torch.inf
    outputs.requires_grad_()
    element = loss.elements(outputs, labels, hidden)
    element.sum().backward()
    assert (element[hidden] == 0).all()
    assert torch.equal(element[~hidden], expected[~hidden])
    assert (outputs.grad[hidden] == 0).all()
    assert torch.isfinite(outputs.grad).all()
