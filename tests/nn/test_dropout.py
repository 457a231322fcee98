"""Dropout whose random numbers are cheap."""

import pytest
import torch
from torch.func import vmap

from sklearn_mtl.nn.trunks._dropout import Dropout


@pytest.mark.parametrize("p", [0.01, 0.2, 0.5, 0.9])
def test_units_are_left_out_as_often_as_asked_and_the_mean_stays(p):
    torch.manual_seed(0)
    out = Dropout(p)(torch.ones(1000, 1001))
    share = float((out == 0).double().mean())
    # five standard deviations of a share of a million units
    assert abs(share - p) < 5 * (p * (1 - p) / out.numel()) ** 0.5
    kept = out[out != 0]
    assert (kept == kept[0]).all()
    # 2^-17 is half a step of 16 bits
    assert float(kept[0]) == pytest.approx(1 / (1 - p), rel=2**-17 / (1 - p) + 1e-6)


def test_what_is_left_out_gets_no_gradient():
    torch.manual_seed(0)
    x = torch.randn(30, 7, dtype=torch.float64, requires_grad=True)
    out = Dropout(0.5)(x)
    out.sum().backward()
    torch.testing.assert_close(x.grad * x.detach(), out.detach(), rtol=1e-15, atol=0)


def test_units_and_members_are_drawn_apart():
    torch.manual_seed(0)
    out = vmap(Dropout(0.5), randomness="different")(torch.ones(3, 40, 50))
    dropped = (out == 0).double().flatten(1)
    # 2000 draws: five standard deviations of a correlation of independent ones
    assert (torch.corrcoef(dropped) - torch.eye(3)).abs().max() < 5 / 2000**0.5
    neighbours = torch.corrcoef(torch.stack([dropped[0][:-1], dropped[0][1:]]))[0, 1]
    assert abs(neighbours) < 5 / 2000**0.5


def test_the_smallest_share_kept_is_not_none():
    assert torch.isfinite(Dropout(1 - 1e-9)(torch.ones(50, 50))).all()
