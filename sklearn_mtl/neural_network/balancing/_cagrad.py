from numbers import Real
from typing import Any

from sklearn.utils._param_validation import Interval

from sklearn_mtl.neural_network.balancing._gradient_balancing import GradientBalancing


class CAGrad(GradientBalancing):
    """Lower the worst loss near the mean gradient: ``balancing="cagrad"``.

    With g_t the gradient of λ_t loss_t and g_0 their mean,

        max_d min_t g_t . d   over   |d - g_0| <= c |g_0|.

    No step is taken where a convex combination of the gradients is zero.

    Parameters
    ----------
    c : float, default=0.5
        At least 0. With 0 the step is g_0; the larger, the nearer to that of "mgda".
    gradients : {"auto", "exact", "representation"}, default="auto"
        At the representation that all tasks read, or by the parameters they share; see
        `GradientBalancing`. "auto" is the representation where there is one.

    References
    ----------
    Liu et al., "Conflict-Averse Gradient Descent for Multi-task Learning", 2021, Algorithm 1.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import CAGrad
    >>> X, y = load_linnerud(return_X_y=True)
    >>> model = MultiTaskRegressor(balancing=CAGrad(c=0.2), max_epochs=2).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **GradientBalancing._parameter_constraints,
        "c": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, c: Any = 0.5, gradients: Any = "auto") -> None:
        super().__init__(gradients)
        self.c = c

    def _method(self, nn: Any, n_tasks: int) -> Any:
        return nn.CAGradWeights(float(self.c))
