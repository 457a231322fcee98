from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

from sklearn.utils._param_validation import Interval

from sklearn_mtl.neural_network._backend import backend
from sklearn_mtl.neural_network.sharing._base import Sharing
from sklearn_mtl.tasks import TaskSpec


class CrossStitch(Sharing):
    """A network for each task, whose layers read mixtures of all: ``sharing="cross_stitch"``.

    After each layer, with outputs h_1 … h_T, task t goes on with sum_s A_ts h_s. A is learned, one
    matrix (T, T) a layer.

    The layers of a user's ``module`` are the children of an ``nn.Sequential``. Where each row has
    one task, every row still goes through the networks of all tasks: T times the work of
    `HardSharing`.

    Parameters
    ----------
    own_weight : float in [0, 1], default=0.9
        A_tt at the start; the rest of 1 is spread evenly over the other tasks. Near 1, as here,
        tasks start nearly apart.

    References
    ----------
    Misra et al., "Cross-Stitch Networks for Multi-Task Learning", CVPR 2016, eq. 1: one unit for
    all units of a layer here, where the paper has one a channel.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import CrossStitch
    >>> X, y = load_linnerud(return_X_y=True)
    >>> model = MultiTaskRegressor(sharing=CrossStitch(0.8), max_epochs=2).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    _parameter_constraints = {"own_weight": [Interval(Real, 0, 1, closed="both")]}

    def __init__(self, own_weight: Any = 0.9) -> None:
        self.own_weight = own_weight

    def build(self, make_trunk: Callable[..., Any], tasks: Sequence[TaskSpec]) -> Any:
        """Return the torch module; see `Sharing.build`."""
        return backend().CrossStitchModule(make_trunk, len(tasks), self.own_weight)
