"""What the parameters of the networks may be."""

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils._param_validation import Interval, InvalidParameterError, StrOptions

from sklearn_mtl.neural_network.balancing import Balancing
from sklearn_mtl.neural_network.numeric_embedding import NumericEmbedding
from sklearn_mtl.neural_network.sharing import Sharing
from sklearn_mtl.utils._validation import check_option

CONSTRAINTS: dict[str, list[Any]] = {
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [str],
    "dropout": [Interval(Real, 0, 1, closed="left")],
    "input_dropout": [Interval(Real, 0, 1, closed="left")],
    "numeric_embedding": [str, NumericEmbedding, None],
    "module": [callable, None],
    "module_params": [dict, None],
    "sharing": [str, Sharing],
    "balancing": [str, Balancing, callable],
    "loss": [str, callable, dict, None],
    "task_weight": [None, str, dict, "array-like"],
    "task_feature": [None, str, Integral],
    "task_sampling": [
        StrOptions({"proportional", "uniform", "temperature"}),
        Interval(Real, 1, np.inf, closed="both"),
    ],
    "input_scaling": [StrOptions({"standard", "smooth_clip"}), None],
    "optimizer": [str, callable],
    "lr": [Interval(Real, 0, None, closed="neither")],
    "lr_schedule": [str, callable],
    "weight_decay": [Interval(Real, 0, None, closed="left")],
    "module_lr": [Interval(Real, 0, None, closed="neither"), None],
    "module_weight_decay": [Interval(Real, 0, None, closed="left"), None],
    "freeze_epochs": [Interval(Integral, 0, None, closed="left")],
    "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "accumulation_steps": [Interval(Integral, 1, None, closed="left")],
    "max_grad_norm": [Interval(Real, 0, None, closed="neither"), None],
    "max_epochs": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "early_stopping": ["boolean", StrOptions({"auto"})],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "patience": [Interval(Integral, 1, None, closed="left")],
    "tol": [Interval(Real, 0, None, closed="left")],
    "warm_start": ["boolean"],
    "n_estimators": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "gradient_cosines": ["boolean"],
    "task_affinity_every": [Interval(Integral, 1, None, closed="left"), None],
    "callbacks": [None, list, tuple],
    "net_params": [None, dict],
    "num_workers": [Interval(Integral, 0, None, closed="left")],
    "precision": [StrOptions({"32", "bf16", "16"})],
    "compile": ["boolean"],
    "device": [str],
    "dtype": [StrOptions({"float32", "float64"})],
    "random_state": ["random_state", np.random.Generator],
    "verbose": ["verbose"],
}

# what classification alone has, and regression alone
CLASS_CONSTRAINTS: dict[str, list[Any]] = {
    "class_weight": [StrOptions({"balanced"}), dict, None],
    "label_smoothing": [Interval(Real, 0, 1, closed="left"), dict],
}
NUMBER_CONSTRAINTS: dict[str, list[Any]] = {
    "output_activation": [str, dict, None],
    "target_scaling": [StrOptions({"standard"}), None],
}

# parameters that decide what network is made; hidden_layer_sizes comes in several forms
FIXED = (
    "activation", "dropout", "input_dropout", "numeric_embedding", "module", "module_params",
    "sharing", "balancing", "loss", "output_activation", "class_weight", "label_smoothing",
    "n_estimators", "precision",
    "compile", "dtype", "optimizer", "net_params", "input_scaling", "target_scaling",
)  # fmt: skip


def check_no_class(estimator: BaseEstimator) -> None:
    """Raise a TypeError for a class where an object of it belongs."""
    for parameter in ("sharing", "balancing", "numeric_embedding"):
        value = getattr(estimator, parameter)
        if isinstance(value, type) and issubclass(value, BaseEstimator):
            raise TypeError(
                f"The {parameter!r} parameter of {type(estimator).__name__} must be a word or an "
                f"object, but it is the class {value.__name__}; write {value.__name__}()."
            )


def resolve(value: Any, options: Mapping[str, type], parameter: str, owner: str) -> Any:
    """Return a copy of the object that a parameter is or names, for a fit to keep."""
    if isinstance(value, str):
        check_option(value, options, parameter=parameter, owner=owner)
        return options[value]()
    chosen = clone(value, safe=False)
    if hasattr(chosen, "_parameter_constraints"):
        try:
            chosen._validate_params()
        except InvalidParameterError as error:
            raise InvalidParameterError(
                f"The {parameter!r} parameter of {owner} cannot be {value!r}: {error}"
            ) from None
    return chosen


def comparable(value: Any) -> Any:
    """Return a value that is equal for equal parameters: objects with parameters by these."""
    if isinstance(value, BaseEstimator):
        return type(value), comparable(value.get_params(False))
    if isinstance(value, dict):
        return {name: comparable(entry) for name, entry in value.items()}
    if hasattr(value, "__array__") and np.ndim(value) > 0:
        array = np.asarray(value)
        return array.dtype.str, array.shape, array.tobytes()
    return value


def check_module(module: Any, module_params: Any, numeric_embedding: Any, owner: str) -> None:
    """Raise a ValueError for parameters that would do nothing with this `module`."""
    if module is None and module_params:
        raise ValueError(
            f"module_params={module_params!r} are arguments for module, but the module of {owner} "
            "is None; give a torch.nn.Module class or a callable, or drop module_params."
        )
    if module is not None and numeric_embedding is not None:
        raise ValueError(
            f"numeric_embedding={numeric_embedding!r} is the first layer of the built-in trunk, "
            f"but {owner} has a module of its own in place of that trunk; set "
            "numeric_embedding=None, and embed the inputs inside the module."
        )


def check_tables(X: Any, owner: str) -> None:
    """Raise a ValueError for inputs that are no row of numbers: X, or each part of a list."""
    for part in X if isinstance(X, list) else [X]:
        if getattr(part, "ndim", 2) > 2:
            raise ValueError(
                f"Found array with dim {part.ndim}, while dim <= 2 is required by {owner} with "
                f"module=None; found shape {tuple(part.shape)}. Images and other inputs that are "
                "no row of numbers need module=, a torch.nn.Module that reads them."
            )


def layer_sizes(sizes: Any) -> tuple[int, ...]:
    """Return ``hidden_layer_sizes`` as a tuple, after checking it."""
    numbers = (sizes,) if isinstance(sizes, Integral) else tuple(sizes)
    if any(not isinstance(size, Integral) or size is True or size < 1 for size in numbers):
        raise ValueError(
            f"hidden_layer_sizes must hold positive integers, one a layer, got {sizes!r}."
        )
    return tuple(int(size) for size in numbers)
