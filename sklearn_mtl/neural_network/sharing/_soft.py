from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

from sklearn.utils._param_validation import Interval, StrOptions

from sklearn_mtl.neural_network._backend import backend
from sklearn_mtl.neural_network.sharing._base import Sharing
from sklearn_mtl.tasks import TaskSpec


class SoftSharing(Sharing):
    """A network of its own for each task, with weights tied by a penalty: ``sharing="soft"``.

    The objective of the estimator gains, summed over the weights and biases W of the trunks'
    layers (W_t is that of task t)::

        penalty="l2":          strength * mean_t ||W_t - mean_s W_s||²
        penalty="trace_norm":  strength * ||[vec W_1, …, vec W_T]||_* / sqrt(T)

    Both are means over tasks: their size does not grow with T. The first draws the networks
    together (``strength=0`` is `SeparateNetworks`, a large one hard sharing); the second draws
    their weights into a space of few dimensions. The penalty is added to what balancing makes of
    the losses, whatever the method; ``history_`` shows the losses without it.

    Parameters
    ----------
    penalty : {"l2", "trace_norm"}, default="l2"
    strength : float, default=0.1

    References
    ----------
    Duong et al., "Low Resource Dependency Parsing: Cross-lingual Parameter Sharing in a Neural
    Network Parser", 2015, for two networks.
    Yang & Hospedales, "Trace Norm Regularised Deep Multi-Task Learning", 2017: the last axis
    flattening. Divided by sqrt(T) here, and biases are in it too.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import SoftSharing
    >>> X, y = load_linnerud(return_X_y=True)
    >>> sharing = SoftSharing(penalty="trace_norm", strength=1e-2)
    >>> model = MultiTaskRegressor(sharing=sharing, max_epochs=2).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    _parameter_constraints = {
        "penalty": [StrOptions({"l2", "trace_norm"})],
        "strength": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, penalty: Any = "l2", strength: Any = 0.1) -> None:
        self.penalty = penalty
        self.strength = strength

    def build(self, make_trunk: Callable[..., Any], tasks: Sequence[TaskSpec]) -> Any:
        """Return the torch module; see `Sharing.build`."""
        return backend().SoftSharingModule(make_trunk, len(tasks), self.penalty, self.strength)
