"""What every entry of nn.LOSSES must be."""

import torch


def example(kind, dtype=torch.float64, seed=0):
    """Return outputs and labels of 6 rows and 4 tasks of that kind."""
    generator = torch.Generator().manual_seed(seed)
    shape = (6, 4, 3) if kind == "multiclass" else (6, 4)
    outputs = torch.randn(shape, generator=generator, dtype=dtype)
    if kind == "regression":
        return outputs, torch.randn((6, 4), generator=generator, dtype=dtype)
    n_classes = 3 if kind == "multiclass" else 2
    labels = torch.randint(n_classes, (6, 4), generator=generator)
    return outputs, labels if kind == "multiclass" else labels.to(dtype)


def assert_one_loss_a_label(loss, kind):
    for dtype in (torch.float32, torch.float64):
        outputs, labels = example(kind, dtype)
        element = loss(outputs, labels)
        assert element.shape == labels.shape
        assert element.dtype == dtype
        assert (element >= 0).all()


def assert_rows_and_tasks_are_apart(loss, kind):
    outputs, labels = example(kind)
    whole = loss(outputs, labels)
    for row in range(6):
        for task in range(4):
            here = (slice(row, row + 1), slice(task, task + 1))
            # the same formula on one number: vectorised kernels may round differently
            torch.testing.assert_close(
                loss(outputs[here], labels[here]), whole[here], rtol=1e-14, atol=1e-15
            )


def assert_gradient_is_right(loss, kind):
    outputs, labels = example(kind)
    outputs.requires_grad_()
    assert torch.autograd.gradcheck(lambda z: loss(z, labels), (outputs,))


def assert_large_outputs_are_finite(loss, kind):
    outputs, labels = example(kind, torch.float32)
    outputs = (1e4 * outputs).requires_grad_()
    element = loss(outputs, labels)
    element.sum().backward()
    assert torch.isfinite(element).all()
    assert torch.isfinite(outputs.grad).all()
