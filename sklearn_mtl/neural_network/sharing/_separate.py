from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

from sklearn.utils._param_validation import Interval, StrOptions

from sklearn_mtl.neural_network._backend import backend
from sklearn_mtl.neural_network.sharing._base import Sharing
from sklearn_mtl.tasks import TaskSpec


class SeparateNetworks(Sharing):
    """A network of its own for each task: ``sharing="separate"``, the baseline of every scheme.

    The T networks are trained side by side, in batched matrix products. No task reaches another's
    weights; they have in common the batches, the number of epochs and when training stops.

    Parameters
    ----------
    width_scale : float or "equal_total", default=1.0
        What "equal size" means in a comparison with ``sharing="hard"``. With 1.0 each task has the
        whole trunk, `hidden_layer_sizes` wide, that all tasks would share: as much for each task,
        T times the parameters in all. "equal_total" makes layers narrower, in proportion, to the
        widest whose T trunks together have no more parameters than the one of hard sharing (and one
        unit at least). Another number multiplies `hidden_layer_sizes`. A user's ``module`` keeps
        its widths, and takes 1.0 alone.

    References
    ----------
    Caruana, "Multitask Learning", Machine Learning 28, 1997: single-task learning, section 1.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import SeparateNetworks
    >>> X, y = load_linnerud(return_X_y=True)
    >>> sharing = SeparateNetworks(width_scale="equal_total")
    >>> model = MultiTaskRegressor(sharing=sharing, max_epochs=2).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    _parameter_constraints = {
        "width_scale": [Interval(Real, 0, None, closed="neither"), StrOptions({"equal_total"})],
    }

    def __init__(self, width_scale: Any = 1.0) -> None:
        self.width_scale = width_scale

    def build(self, make_trunk: Callable[..., Any], tasks: Sequence[TaskSpec]) -> Any:
        """Return the torch module; see `Sharing.build`."""
        return backend().SeparateNetworksModule(make_trunk, len(tasks), self.width_scale)
