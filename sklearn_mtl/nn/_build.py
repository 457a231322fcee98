from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from sklearn_mtl.nn._criterion import MultiTaskCriterion
from sklearn_mtl.nn._device import resolve_device
from sklearn_mtl.nn._module import InputScaler, MultiTaskModule
from sklearn_mtl.nn._net import MultiTaskNet
from sklearn_mtl.nn._random import seeded
from sklearn_mtl.nn.balancing import BALANCERS
from sklearn_mtl.nn.heads import GroupedHeads
from sklearn_mtl.nn.sharing import SHARING
from sklearn_mtl.nn.trunks import ACTIVATIONS, MLP
from sklearn_mtl.tasks._outputs import OutputGroup
from sklearn_mtl.utils._validation import check_option, listing

OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adamw": torch.optim.AdamW,
    "adam": torch.optim.Adam,
    "sgd": torch.optim.SGD,
}

# what the estimators set themselves, so net_params must not
_OWN_NET_PARAMS = {
    "module", "criterion", "optimizer", "lr", "max_epochs", "batch_size", "callbacks", "device",
    "train_split", "iterator_train", "iterator_valid", "dataset", "warm_start", "verbose",
    "optimizer__weight_decay",
}  # fmt: skip


def build_net(
    *,
    groups: Sequence[OutputGroup],
    input_mean: np.ndarray,
    input_scale: np.ndarray,
    output_bias: np.ndarray,
    loss_unit: np.ndarray,
    task_weight: np.ndarray,
    hidden_layer_sizes: Sequence[int],
    activation: str,
    dropout: float,
    sharing: str,
    balancing: str,
    optimizer: Any,
    lr: float,
    weight_decay: float,
    batch_size: int,
    max_epochs: int,
    net_params: Mapping[str, Any] | None,
    device: str,
    dtype: str,
    seed: int,
    owner: str,
) -> MultiTaskNet:
    """Return an initialised, untrained net.

    Parameters
    ----------
    groups : sequence of OutputGroup
    input_mean, input_scale : ndarray of shape (p,)
    output_bias : ndarray of shape (n_outputs,)
        Starting biases of the heads, in group order.
    loss_unit, task_weight : ndarray of shape (T,)
    owner : str
        Name of the estimator, for error messages.

    The other parameters are those of the estimators.
    """
    check_option(activation, ACTIVATIONS, parameter="activation", owner=owner)
    check_option(sharing, SHARING, parameter="sharing", owner=owner)
    check_option(balancing, BALANCERS, parameter="balancing", owner=owner)
    where = resolve_device(device)
    precision = getattr(torch, dtype)
    with seeded(seed, where):
        module = _build_module(
            groups, input_mean, input_scale, output_bias,
            hidden_layer_sizes, activation, dropout, sharing, precision, where,
        )  # fmt: skip
        weight, unit = _copied(task_weight, precision), _copied(loss_unit, precision)
        criterion = MultiTaskCriterion(groups, unit, BALANCERS[balancing](weight))
        make_optimizer = _optimizer(optimizer, owner, fused=where.type in ("cpu", "cuda"))
        extra = _checked_net_params(net_params, owner)
        try:
            return MultiTaskNet(
                module,
                criterion,
                optimizer=make_optimizer,
                lr=lr,
                optimizer__weight_decay=weight_decay,
                batch_size=batch_size,
                max_epochs=max_epochs,
                train_split=None,
                verbose=0,
                device=str(where),
                **extra,
            ).initialize()
        except (TypeError, ValueError) as error:
            if not net_params and not isinstance(optimizer, str):
                raise TypeError(
                    f"{owner} cannot make its optimizer {optimizer!r}: {error}. It is called with "
                    "the parameters of the network, lr and weight_decay; pass a callable that "
                    "takes these."
                ) from error
            if not net_params:
                raise
            raise ValueError(f"{owner} cannot use net_params={net_params!r}: {error}") from error


def _copied(values: np.ndarray, dtype: torch.dtype) -> torch.Tensor:
    # a copy: joblib may have mapped the array from a file that must not be written
    return torch.tensor(np.asarray(values), dtype=dtype)


def _build_module(
    groups: Sequence[OutputGroup],
    mean: np.ndarray,
    scale: np.ndarray,
    bias: np.ndarray,
    hidden_layer_sizes: Sequence[int],
    activation: str,
    dropout: float,
    sharing: str,
    precision: torch.dtype,
    device: torch.device,
) -> MultiTaskModule:
    def make_trunk() -> torch.nn.Module:
        return MLP(len(mean), hidden_layer_sizes, activation, dropout).to(precision)

    n_tasks = sum(len(group.tasks) for group in groups)
    shared = SHARING[sharing](make_trunk, n_tasks)
    exact = torch.float32 if device.type == "mps" else torch.float64  # MPS has no float64
    scaler = InputScaler(_copied(mean, exact), _copied(scale, exact))
    heads = GroupedHeads(shared.n_outputs, groups, _copied(bias, precision))
    return MultiTaskModule(scaler, shared, heads)


def _optimizer(optimizer: Any, owner: str, *, fused: bool) -> Any:
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


def _checked_net_params(net_params: Mapping[str, Any] | None, owner: str) -> dict[str, Any]:
    if net_params is None:
        return {}
    if not isinstance(net_params, Mapping):
        raise TypeError(
            f"The 'net_params' parameter of {owner} must be a dict of skorch.NeuralNet "
            f"parameters, got {type(net_params).__name__}."
        )
    taken = sorted(_OWN_NET_PARAMS.intersection(net_params))
    if taken:
        raise ValueError(
            f"net_params holds {listing(taken)}, which {owner} sets itself; use its own parameter."
        )
    return dict(net_params)
