from typing import Any

from sklearn_mtl.neural_network.balancing._gradient_balancing import GradientBalancing


class PCGrad(GradientBalancing):
    """Project each gradient off those it conflicts with: ``balancing="pcgrad"``.

    Each g_i, the gradient of λ_i loss_i, becomes

        g_i - (g_i . g_j / |g_j|^2) g_j   for every j with g_i . g_j < 0, one after the other,

    in random order, g_j being the gradients as they came. The step is the sum of the results.

    Parameters
    ----------
    gradients : {"auto", "exact", "representation"}, default="auto"
        At the representation that all tasks read, or by the parameters they share; see
        `GradientBalancing`. "auto" is the representation where there is one.

    References
    ----------
    Yu et al., "Gradient Surgery for Multi-Task Learning", 2020, Algorithm 1.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import PCGrad
    >>> X, y = load_linnerud(return_X_y=True)
    >>> model = MultiTaskRegressor(balancing=PCGrad(gradients="exact"), max_epochs=2).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    def _method(self, nn: Any, n_tasks: int) -> Any:
        return nn.PCGradWeights()
