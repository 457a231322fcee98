from typing import Any

from sklearn_mtl.neural_network.balancing._gradient_balancing import GradientBalancing


class ConFIG(GradientBalancing):
    """The direction with one angle to all gradients: ``balancing="config"``.

    With U the gradients g_t of λ_t loss_t divided by their lengths, a row a task, and u the
    direction of U^+ 1, which has the same cosine to all, the step is

        (sum_t g_t . u) u.

    Parameters
    ----------
    gradients : {"auto", "exact", "representation"}, default="auto"
        At the representation that all tasks read, or by the parameters they share; see
        `GradientBalancing`. "auto" is the representation where there is one.

    References
    ----------
    Liu, Chu & Thuerey, "ConFIG: Towards Conflict-free Training of Physics Informed Neural
    Networks", 2024, equation 2.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import ConFIG
    >>> X, y = load_linnerud(return_X_y=True)
    >>> model = MultiTaskRegressor(balancing=ConFIG(gradients="exact"), max_epochs=2).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    def _method(self, nn: Any, n_tasks: int) -> Any:
        return nn.ConFIGWeights()
