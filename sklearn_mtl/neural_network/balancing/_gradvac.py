from numbers import Real
from typing import Any

from sklearn.utils._param_validation import Interval

from sklearn_mtl.neural_network.balancing._gradient_balancing import GradientBalancing


class GradVac(GradientBalancing):
    """Turn gradients until they agree as much as they did on average: ``balancing="gradvac"``.

    Each g_i, the gradient of λ_i loss_i, has as much of every other g_j added, one after the other
    in random order, as makes the cosine between them c_ij, where it is less. c_ij is the moving
    average of the cosines seen, from 0 on; with `beta` = 0 this is "pcgrad". The step is the sum of
    the results.

    Parameters
    ----------
    beta : float in [0, 1], default=0.5
        Share of the newest cosine in the average. The paper has 0.01.
    gradients : {"auto", "exact", "representation"}, default="auto"
        At the representation that all tasks read, or by the parameters they share; see
        `GradientBalancing`. "auto" is the representation where there is one.

    References
    ----------
    Wang et al., "Gradient Vaccine: Investigating and Improving Multi-task Optimization in Massively
    Multilingual Models", 2021, Algorithm 1.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import GradVac
    >>> X, y = load_linnerud(return_X_y=True)
    >>> model = MultiTaskRegressor(balancing=GradVac(beta=0.1), max_epochs=2).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **GradientBalancing._parameter_constraints,
        "beta": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(self, beta: Any = 0.5, gradients: Any = "auto") -> None:
        super().__init__(gradients)
        self.beta = beta

    def _method(self, nn: Any, n_tasks: int) -> Any:
        return nn.GradVacWeights(n_tasks, float(self.beta))
