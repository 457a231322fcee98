from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from sklearn_mtl.nn._criterion import MultiTaskCriterion
from sklearn_mtl.nn._device import resolve_device
from sklearn_mtl.nn._members import Members
from sklearn_mtl.nn._module import InputScaler, MultiTaskModule
from sklearn_mtl.nn._net import MultiTaskNet
from sklearn_mtl.nn._optimizer import make_optimizer, set_rates
from sklearn_mtl.nn._precision import check_precision
from sklearn_mtl.nn._random import seeded
from sklearn_mtl.nn.balancing import make_balancer
from sklearn_mtl.nn.heads import GroupedHeads
from sklearn_mtl.nn.sharing._base import SharingModule
from sklearn_mtl.nn.sharing._build import build_scheme
from sklearn_mtl.nn.trunks import TrunkFactory, start_equal
from sklearn_mtl.tasks import TaskSpec
from sklearn_mtl.tasks._outputs import LossFunction, OutputGroup
from sklearn_mtl.utils._validation import listing

# what the estimators set themselves, so net_params must not
_OWN_NET_PARAMS = {
    "module", "criterion", "optimizer", "lr", "max_epochs", "batch_size", "callbacks", "device",
    "train_split", "iterator_train", "iterator_valid", "dataset", "warm_start", "verbose",
    "optimizer__weight_decay",
}  # fmt: skip


def build_net(
    *,
    tasks: Sequence[TaskSpec],
    groups: Sequence[OutputGroup],
    input_shape: Sequence[int],
    input_mean: np.ndarray,
    input_scale: np.ndarray,
    input_limit: float | None,
    output_bias: np.ndarray,
    loss_unit: np.ndarray,
    task_weight: np.ndarray,
    hidden_layer_sizes: Sequence[int],
    activation: str,
    dropout: float,
    input_dropout: float,
    numeric_embedding: Any,
    module: Any,
    module_params: Mapping[str, Any] | None,
    sharing: Any,
    balancing: Any,
    n_estimators: int,
    optimizer: Any,
    lr: float,
    weight_decay: float,
    module_lr: float | None,
    module_weight_decay: float | None,
    batch_size: int,
    max_epochs: int,
    net_params: Mapping[str, Any] | None,
    precision: str,
    compile: bool,
    device: str,
    dtype: str,
    seed: int,
    owner: str,
) -> MultiTaskNet:
    """Return an initialised, untrained net.

    Parameters
    ----------
    tasks : sequence of TaskSpec
    groups : sequence of OutputGroup
    input_shape : tuple of int
        Shape of one input, (p,) for a table.
    input_mean, input_scale : ndarray of shape (p,), or that broadcasts against one input
    input_limit : float or None
        Bound of the scaled inputs.
    output_bias : ndarray of shape (n_outputs,)
        Starting biases of the heads, in group order.
    loss_unit, task_weight : ndarray of shape (T,)
    numeric_embedding : NumericEmbedding or None
    sharing : Sharing
    balancing : Balancing, or a torchjd scalarizer or aggregator
    owner : str
        Name of the estimator, for error messages.

    The other parameters are those of the estimators.
    """
    where = resolve_device(device)
    number = getattr(torch, dtype)
    with seeded(seed, where):
        make_trunk = TrunkFactory(
            input_shape,
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            dropout=dropout,
            input_dropout=input_dropout,
            embedding=numeric_embedding,
            module=module,
            module_params=module_params,
            dtype=number,
            owner=owner,
        )
        exact = torch.float32 if where.type == "mps" else torch.float64  # MPS has no float64
        scaler = InputScaler(_copied(input_mean, exact), _copied(input_scale, exact), input_limit)
        bias = _copied(output_bias, number)

        def make_network() -> MultiTaskModule:
            scheme, width = build_scheme(sharing, make_trunk, tasks)
            return MultiTaskModule(scaler, scheme, GroupedHeads(width, groups, bias))

        first = make_network()
        network: MultiTaskModule | Members = first
        if n_estimators > 1:
            batched = module is None and _can_be_batched(first, groups)
            others = [make_network() for _ in range(n_estimators - 1)]
            if module is not None and start_equal(first.sharing, others[0].sharing):
                raise ValueError(
                    f"n_estimators={n_estimators} needs networks that start apart, but the module "
                    f"of {owner} gives each the same weights, so that they would stay nearly "
                    "equal; pass module= a class or a function that makes new weights in each "
                    "call, or set n_estimators=1."
                )
            network = Members([first, *others], batched=batched)
            if compile:
                raise ValueError(
                    f"compile=True translates one network, but {owner} has n_estimators="
                    f"{n_estimators}, which run as one already; give it compile=False."
                )
        lower_precision = check_precision(precision, number, owner)
        weight, unit = _copied(task_weight, number), _copied(loss_unit, number)
        criterion = MultiTaskCriterion(groups, unit, make_balancer(balancing, weight))
        maker = make_optimizer(optimizer, owner, fused=where.type in ("cpu", "cuda"))
        extra = _checked_net_params(net_params, owner)
        try:
            net = MultiTaskNet(
                network,
                criterion,
                scheme=f"sharing={sharing!r}",
                lower_precision=lower_precision,
                compiled=compile,
                optimizer=maker,
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
    set_rates(
        net,
        lr=lr,
        weight_decay=weight_decay,
        module_lr=module_lr,
        module_weight_decay=module_weight_decay,
    )
    return net


def _can_be_batched(network: MultiTaskModule, groups: Sequence[OutputGroup]) -> bool:
    """Return whether all code that a network runs is the package's, or made for it."""
    own_losses = any(isinstance(group.spec.loss, LossFunction) for group in groups)
    return isinstance(network.sharing, SharingModule) and not own_losses


def _copied(values: np.ndarray, dtype: torch.dtype) -> torch.Tensor:
    # a copy: joblib may have mapped the array from a file that must not be written
    return torch.tensor(np.asarray(values), dtype=dtype)


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
