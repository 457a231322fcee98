from numbers import Real
from typing import Any

from sklearn.utils._param_validation import Interval

from sklearn_mtl.neural_network.balancing._gradient_balancing import GradientBalancing


class GradDrop(GradientBalancing):
    """Let one sign through in each coordinate: ``balancing="graddrop"``.

    In each coordinate of the gradients g_t of λ_t loss_t the positive ones are kept with
    probability (1 + sum_t g_t / sum_t |g_t|) / 2, else the negative ones; the step is

        leak * sum_t g_t + (1 - leak) * sum of those kept.

    It gives no weights: those in ``history_`` are NaN.

    Parameters
    ----------
    leak : float in [0, 1], default=0.0
        Share of all gradients that is let through.
    gradients : {"auto", "exact", "representation"}, default="auto"
        At the representation that all tasks read, or by the parameters they share; see
        `GradientBalancing`. "auto" is the representation where there is one.

    References
    ----------
    Chen et al., "Just Pick a Sign: Optimizing Deep Multitask Models with Gradient Sign Dropout",
    2020, Algorithm 1, lines 10 to 15.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import GradDrop
    >>> X, y = load_linnerud(return_X_y=True)
    >>> model = MultiTaskRegressor(balancing=GradDrop(leak=0.2), max_epochs=2).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **GradientBalancing._parameter_constraints,
        "leak": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(self, leak: Any = 0.0, gradients: Any = "auto") -> None:
        super().__init__(gradients)
        self.leak = leak

    def _method(self, nn: Any, n_tasks: int) -> Any:
        return nn.GradDropAggregator(float(self.leak))
