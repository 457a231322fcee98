from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torchjd.aggregation import Aggregator
from torchjd.scalarization import DWA, FAMO, Scalarizer

from sklearn_mtl.nn._own_modules import described
from sklearn_mtl.nn.balancing._base import Balancer
from sklearn_mtl.nn.balancing._gradient_balancer import GradientBalancer
from sklearn_mtl.nn.balancing._scalarized import Scalarized
from sklearn_mtl.nn.balancing._scalarized_again import ScalarizedAgain
from sklearn_mtl.nn.balancing._scalarized_by_epoch import ScalarizedByEpoch

# torchjd type -> the balancer around such an object, the first that fits
TORCHJD: dict[type[nn.Module], Callable[[Tensor, Any], Balancer]] = {
    DWA: ScalarizedByEpoch,
    FAMO: ScalarizedAgain,
    Scalarizer: Scalarized,
    Aggregator: GradientBalancer,
}


def make_balancer(balancing: Any, task_weight: Tensor) -> Balancer:
    """Return the balancer of a `balancing` parameter.

    Parameters
    ----------
    balancing : Balancing, or a torchjd scalarizer or aggregator
        A torchjd object is copied.
    task_weight : Tensor of shape (T,)
    """
    for kind, adapter in TORCHJD.items():
        if isinstance(balancing, kind):
            balancer: Any = adapter(task_weight, deepcopy(balancing))
            if isinstance(balancing, Scalarizer):
                _check_takes(balancer.method, task_weight)
            return balancer
    if isinstance(balancing, type) and issubclass(balancing, tuple(TORCHJD)):
        raise TypeError(
            f"balancing must be an object, but it is the class {balancing.__name__}; write "
            f"{balancing.__name__}()."
        )
    if not hasattr(balancing, "build"):
        raise TypeError(
            "balancing must be a word, a sklearn_mtl.neural_network.Balancing or a torchjd "
            f"Scalarizer or Aggregator, got {balancing!r}."
        )
    built = balancing.build(task_weight)
    if not isinstance(built, Balancer):
        raise TypeError(
            f"build of balancing={balancing!r} must return a sklearn_mtl.nn.Balancer; it gives "
            f"{described(built)}."
        )
    return built


def _check_takes(scalarizer: Scalarizer, task_weight: Tensor) -> None:
    try:
        deepcopy(scalarizer)(torch.ones_like(task_weight))
    except ValueError as error:
        raise ValueError(
            f"balancing={scalarizer!r} cannot balance {len(task_weight)} tasks: {error} Make it "
            "for as many values as there are tasks."
        ) from error
