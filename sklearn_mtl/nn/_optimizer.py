from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from sklearn_mtl.nn._net import MultiTaskNet
from sklearn_mtl.utils._validation import check_option, listing

OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adamw": torch.optim.AdamW,
    "adam": torch.optim.Adam,
    "sgd": torch.optim.SGD,
}


def make_optimizer(optimizer: Any, owner: str, *, fused: bool) -> Any:
    """Return what makes the optimiser of an `optimizer` parameter, called as its class is."""
    if isinstance(optimizer, str):
        check_option(optimizer, OPTIMIZERS, parameter="optimizer", owner=owner)
        return _Fused(OPTIMIZERS[optimizer], fused)
    if isinstance(optimizer, type):
        known = issubclass(optimizer, torch.optim.Optimizer)
    else:
        known = callable(optimizer)
    if known:
        return optimizer
    raise TypeError(
        f"The 'optimizer' parameter of {owner} must be one of {listing(OPTIMIZERS)}, a "
        f"torch.optim.Optimizer class or a callable that makes one. Got {optimizer!r} instead."
    )


class _Fused:
    """Makes an optimiser with its one-kernel step, where the device has one."""

    def __init__(self, optimizer: Callable[..., torch.optim.Optimizer], fused: bool) -> None:
        self.optimizer = optimizer
        self.fused = fused

    def __call__(self, *args: Any, **kwargs: Any) -> torch.optim.Optimizer:
        return self.optimizer(*args, **{"fused": self.fused, **kwargs})


def set_rates(
    net: MultiTaskNet,
    *,
    lr: float,
    weight_decay: float,
    module_lr: float | None,
    module_weight_decay: float | None,
) -> None:
    """Give each part of the net its learning rate and weight decay.

    What tasks share has ``module_lr`` and ``module_weight_decay``, by default those of the heads;
    balancers and losses have no decay, which would pull their weights towards one value. Parts
    that agree are one group of the optimiser, the heads' group is the first. What the optimiser
    remembers of each parameter stays. An optimiser that made several groups keeps them and theirs.

    Parameters
    ----------
    net : MultiTaskNet
        Initialised. Gets ``base_rates_``, the rate of each group before the schedule's factor, and
        ``shared_group_``, the group of what tasks share.
    """
    optimizer = net.optimizer_
    if net.n_own_groups_ > 1:
        net.base_rates_, net.shared_group_ = [group["lr"] for group in optimizer.param_groups], 0
        return
    heads = (lr, weight_decay)
    shared = (
        lr if module_lr is None else float(module_lr),
        weight_decay if module_weight_decay is None else float(module_weight_decay),
    )
    part = {
        **dict.fromkeys(net.module_.parameters(), heads),
        **dict.fromkeys(net.module_.sharing.parameters(), shared),
        **dict.fromkeys(net.criterion_.parameters(), (lr, 0.0)),
    }
    groups: dict[tuple[float, float], list[nn.Parameter]] = {heads: []}
    for _, parameter in net.get_all_learnable_params():
        groups.setdefault(part[parameter], []).append(parameter)
    options = {key: value for key, value in optimizer.param_groups[0].items() if key != "params"}
    optimizer.param_groups[:] = [
        {**options, "params": parameters, "lr": rate, "weight_decay": decay}
        for (rate, decay), parameters in groups.items()
    ]
    net.base_rates_ = [rate for rate, _ in groups]
    net.shared_group_ = list(groups).index(shared) if shared in groups else 0
