from typing import Any

from torch import Tensor

from sklearn_mtl.nn.balancing._base import Balancer


def make_balancer(balancing: Any, task_weight: Tensor) -> Balancer:
    """Return the balancer of a `balancing` parameter.

    Parameters
    ----------
    balancing : Balancing, or a torchjd scalarizer or aggregator
    task_weight : Tensor of shape (T,)
    """
    return balancing.build(task_weight)
