from numbers import Integral, Real
from typing import Any

from sklearn.utils._param_validation import Interval

from sklearn_mtl.neural_network.balancing._gradient_balancing import GradientBalancing


class NashMTL(GradientBalancing):
    """The step that tasks agree on as a bargain: ``balancing="nash_mtl"``.

    max_d sum_t log(g_t . d) over a ball, with g_t the gradient of λ_t loss_t, has the direction of
    sum_t a_t g_t where

        G a = 1 / a,   G_st = g_s . g_t.

    The scale of a loss changes nothing, so λ_t counts for the heads alone. Solved exactly, as the
    minimum of a'G a / 2 - sum_t log a_t, where the paper's code takes a row of approximations.

    Parameters
    ----------
    max_norm : float, default=1.0
        Longest step; 0 for any. Without, |d|^2 is the number of tasks, however near the optimum.
    update_weights_every : int, default=1
        Steps that a solution is used for.
    gradients : {"auto", "exact", "representation"}, default="auto"
        At the representation that all tasks read, or by the parameters they share; see
        `GradientBalancing`. "auto" is the representation where there is one.

    References
    ----------
    Navon et al., "Multi-Task Learning as a Bargaining Game", 2022, Algorithm 1.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import NashMTL
    >>> X, y = load_linnerud(return_X_y=True)
    >>> model = MultiTaskRegressor(balancing=NashMTL(max_norm=2.0), max_epochs=2).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **GradientBalancing._parameter_constraints,
        "max_norm": [Interval(Real, 0, None, closed="left")],
        "update_weights_every": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self, max_norm: Any = 1.0, update_weights_every: Any = 1, gradients: Any = "auto"
    ) -> None:
        super().__init__(gradients)
        self.max_norm = max_norm
        self.update_weights_every = update_weights_every

    def _method(self, nn: Any, n_tasks: int) -> Any:
        return nn.NashMTLWeights(n_tasks, float(self.max_norm), int(self.update_weights_every))
