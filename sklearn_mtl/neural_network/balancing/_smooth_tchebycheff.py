from numbers import Real
from typing import Any

from sklearn.utils._param_validation import Interval

from sklearn_mtl.neural_network._backend import backend
from sklearn_mtl.neural_network.balancing._base import Balancing


class SmoothTchebycheff(Balancing):
    """Minimise a smooth maximum of the losses: ``balancing="stch"``.

    Minimises T² smoothing log sum_t exp(λ_t loss_t / (T smoothing)), which tends to T times the
    largest λ_t loss_t as `smoothing` falls to 0, and to equal weights as it grows. The weights are
    λ_t T softmax(λ loss / (T smoothing)): without λ they sum to T.

    Parameters
    ----------
    smoothing : float, default=0.5
        μ, above 0, in the unit of the losses; a loss of 1 is that of the base rates.

    References
    ----------
    Lin et al., "Smooth Tchebycheff Scalarization for Multi-Objective Optimization", 2024, with
    preferences λ / T and the ideal point 0. The factor T², for steps as long as those of equal
    weights, is ours.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import SmoothTchebycheff
    >>> X, y = load_linnerud(return_X_y=True)
    >>> balancing = SmoothTchebycheff(smoothing=0.1)
    >>> model = MultiTaskRegressor(balancing=balancing, max_epochs=3).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    _parameter_constraints = {
        "smoothing": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, smoothing: Any = 0.5) -> None:
        self.smoothing = smoothing

    def build(self, task_weight: Any) -> Any:
        """Return the balancer; see `Balancing.build`."""
        nn = backend()
        return nn.Scalarized(
            task_weight,
            nn.scalarization.STCH(float(self.smoothing)),
            factor=float(len(task_weight)) ** 2,
        )
