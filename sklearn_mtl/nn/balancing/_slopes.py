"""Gradients of torchjd's scalarizers at the losses, and those of what they learn.

In closed form for methods of a few numbers, where autograd would take several times as long as the
arithmetic: a tenth of a training step.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torchjd.scalarization import IMTLL, STCH, UW, GeometricMean, Random, Scalarizer

# dS / dvalue_t, shape (T,), and pairs of a parameter of S and its gradient
Slopes = tuple[Tensor, list[tuple[nn.Parameter, Tensor]]]


def slopes(method: Scalarizer, values: Tensor) -> Slopes:
    """Return the gradients of ``method(values)``, values of shape (T,)."""
    known = CLOSED_FORMS.get(type(method))
    if known is None:
        return by_autograd(method, values)
    with torch.no_grad():
        return known(method, values)


def by_autograd(method: Scalarizer, values: Tensor) -> Slopes:
    """Return the gradients of any scalarizer."""
    values = values.detach().requires_grad_()
    learned = [p for p in method.parameters() if p.requires_grad]
    slope, *gradients = torch.autograd.grad(method(values), [values, *learned], allow_unused=True)
    pairs = zip(learned, gradients, strict=True)
    return slope, [(p, gradient) for p, gradient in pairs if gradient is not None]


def _uncertainty(method: UW, values: Tensor) -> Slopes:
    # S = sum exp(-s) v / 2 + s / 2
    slope = 0.5 * torch.exp(-method.log_var)
    return slope, [(method.log_var, 0.5 - slope * values)]


def _imtl_l(method: IMTLL, values: Tensor) -> Slopes:
    # S = sum exp(s) v - s
    slope = torch.exp(method.log_scale)
    return slope, [(method.log_scale, slope * values - 1.0)]


def _geometric_mean(method: GeometricMean, values: Tensor) -> Slopes:
    # S = exp(mean log v)
    return values.log().mean().exp() / (len(values) * values), []


def _random(method: Random, values: Tensor) -> Slopes:
    # S = w'v, drawn as torchjd draws
    return torch.softmax(torch.randn_like(values), dim=0), []


def _smooth_tchebycheff(method: STCH, values: Tensor) -> Slopes:
    # S = mu log sum exp(w (v - z) / mu)
    weights = 1.0 / len(values) if method.weights is None else method.weights
    shifted = values if method.reference is None else values - method.reference
    return weights * torch.softmax(weights * shifted / method.mu, dim=0), []


# by the very type: a subclass may compute something else
CLOSED_FORMS: dict[type[Scalarizer], Callable[[Any, Tensor], Slopes]] = {
    UW: _uncertainty,
    IMTLL: _imtl_l,
    GeometricMean: _geometric_mean,
    Random: _random,
    STCH: _smooth_tchebycheff,
}
