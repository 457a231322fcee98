from typing import Any

import torch
from torch import Tensor, nn


class _ScaledGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, factor: float | Tensor) -> Tensor:
        ctx.factor = factor
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0] * ctx.factor, None


def scale_gradient(x: Tensor, factor: float | Tensor) -> Tensor:
    """Return x, whose gradient is multiplied by the factor on its way back."""
    return _ScaledGradient.apply(x, factor)


def add_gradient(parameter: nn.Parameter, gradient: Tensor) -> None:
    """Add to a parameter's gradient, as a backward pass does."""
    parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient
