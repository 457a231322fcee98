"""What the parameters of the networks may be."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

CONSTRAINTS: dict[str, list[Any]] = {
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [str],
    "dropout": [Interval(Real, 0, 1, closed="left")],
    "sharing": [str],
    "balancing": [str],
    "task_weight": [None, str, dict, "array-like"],
    "task_feature": [None, str, Integral],
    "input_scaling": [StrOptions({"standard"}), None],
    "optimizer": [str, callable],
    "lr": [Interval(Real, 0, None, closed="neither")],
    "lr_schedule": [str, callable],
    "weight_decay": [Interval(Real, 0, None, closed="left")],
    "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "max_epochs": [Interval(Integral, 1, None, closed="left")],
    "early_stopping": ["boolean", StrOptions({"auto"})],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "patience": [Interval(Integral, 1, None, closed="left")],
    "tol": [Interval(Real, 0, None, closed="left")],
    "warm_start": ["boolean"],
    "callbacks": [None, list, tuple],
    "net_params": [None, dict],
    "device": [str],
    "dtype": [StrOptions({"float32", "float64"})],
    "random_state": ["random_state", np.random.Generator],
    "verbose": ["verbose"],
}

# parameters that decide what network is made; hidden_layer_sizes comes in several forms
FIXED = (
    "activation", "dropout", "sharing", "balancing", "dtype", "optimizer", "net_params",
    "input_scaling", "target_scaling",
)  # fmt: skip


def layer_sizes(sizes: Any) -> tuple[int, ...]:
    """Return ``hidden_layer_sizes`` as a tuple, after checking it."""
    numbers = (sizes,) if isinstance(sizes, Integral) else tuple(sizes)
    if any(not isinstance(size, Integral) or size is True or size < 1 for size in numbers):
        raise ValueError(
            f"hidden_layer_sizes must hold positive integers, one a layer, got {sizes!r}."
        )
    return tuple(int(size) for size in numbers)
