from numbers import Real
from typing import Any

from sklearn.utils._param_validation import Interval

from sklearn_mtl.neural_network.balancing._gradient_balancing import GradientBalancing


class FairGrad(GradientBalancing):
    """The step that is fair to all tasks: ``balancing="fairgrad"``.

    With g_t the gradient of λ_t loss_t, the step is sum_t a_t g_t where

        G a = a^(-1 / alpha),   G_st = g_s . g_t,

    which maximises the α-fairness of the rates g_t . d at which the losses fall. `alpha` = 1 is the
    bargain of "nash_mtl", with steps of any length.

    Parameters
    ----------
    alpha : float, default=1.0
        Above 0. The larger, the more the task that gains least counts.
    gradients : {"auto", "exact", "representation"}, default="auto"
        At the representation that all tasks read, or by the parameters they share; see
        `GradientBalancing`. "auto" is the representation where there is one.

    References
    ----------
    Ban & Ji, "Fair Resource Allocation in Multi-Task Learning", 2024, equation 4.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import FairGrad
    >>> X, y = load_linnerud(return_X_y=True)
    >>> model = MultiTaskRegressor(balancing=FairGrad(alpha=2.0), max_epochs=2).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **GradientBalancing._parameter_constraints,
        "alpha": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, alpha: Any = 1.0, gradients: Any = "auto") -> None:
        super().__init__(gradients)
        self.alpha = alpha

    def _method(self, nn: Any, n_tasks: int) -> Any:
        return nn.FairGradWeights(float(self.alpha))
