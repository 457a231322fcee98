"""A device is found, or the error lists those that are present."""

import pytest
import torch

from sklearn_mtl import MultiTaskRegressor
from sklearn_mtl.nn import _device, present_devices, resolve_device


def test_the_cpu_is_always_present():
    assert present_devices()[0] == "cpu"
    assert resolve_device("cpu") == torch.device("cpu")
    assert resolve_device(torch.device("cpu")) == torch.device("cpu")


@pytest.mark.parametrize("name", ["cuda:99", "cdua", "xla", "gpu", ""])
def test_an_absent_device_is_refused_with_a_list_of_those_present(name, monkeypatch):
    monkeypatch.setattr(_device, "present_devices", lambda: ["cpu", "cuda", "cuda:0"])
    with pytest.raises(ValueError, match=f"device='{name}' is not present; this machine has cpu, "):
        resolve_device(name)


@pytest.mark.parametrize(
    ("present", "chosen"),
    [
        (["cpu"], "cpu"),
        (["cpu", "mps"], "mps"),
        (["cpu", "cuda", "cuda:0", "cuda:1"], "cuda"),
    ],
)
def test_auto_takes_the_fastest(present, chosen, monkeypatch):
    monkeypatch.setattr(_device, "present_devices", lambda: present)
    assert resolve_device("auto") == torch.device(chosen)
    assert resolve_device(present[-1]) == torch.device(present[-1])


def test_every_card_has_a_name(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert present_devices() == ["cpu", "mps", "cuda", "cuda:0", "cuda:1"]


def test_fit_refuses_a_device_before_it_trains():
    with pytest.raises(ValueError, match="device='cuda:99' is not present; this machine has cpu"):
        MultiTaskRegressor(device="cuda:99").fit([[0.0], [1.0]], [0.0, 1.0])


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_auto_takes_the_card_that_is_there():
    assert resolve_device("auto").type == "cuda"
