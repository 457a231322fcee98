from numbers import Real
from typing import Any

from sklearn.utils._param_validation import Interval

from sklearn_mtl.neural_network._backend import backend
from sklearn_mtl.neural_network.balancing._base import Balancing


class DynamicWeightAverage(Balancing):
    """Weigh tasks by how slowly their losses fall: ``balancing="dwa"``.

    Minimises sum_t λ_t w_t loss_t, where w in an epoch is T softmax(r / temperature) of the ratios
    r_t between the mean losses of the last epoch and the one before. Without λ the weights sum to
    T. In the first two epochs of a training they are 1.

    Parameters
    ----------
    temperature : float, default=2.0
        Above 0; weights are the more alike the larger it is.

    References
    ----------
    Liu, Johns & Davison, "End-to-End Multi-Task Learning with Attention", 2019, equation 7.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import DynamicWeightAverage
    >>> X, y = load_linnerud(return_X_y=True)
    >>> balancing = DynamicWeightAverage(temperature=1.0)
    >>> model = MultiTaskRegressor(balancing=balancing, max_epochs=3).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    _parameter_constraints = {
        "temperature": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, temperature: Any = 2.0) -> None:
        self.temperature = temperature

    def build(self, task_weight: Any) -> Any:
        """Return the balancer; see `Balancing.build`."""
        nn = backend()
        return nn.ScalarizedByEpoch(task_weight, nn.scalarization.DWA(float(self.temperature)))
