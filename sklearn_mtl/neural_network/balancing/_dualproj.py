from typing import Any

from sklearn_mtl.neural_network.balancing._gradient_balancing import GradientBalancing


class DualProj(GradientBalancing):
    """Project the mean gradient onto the steps that raise no loss: ``balancing="dualproj"``.

    With g_t the gradient of λ_t loss_t and C = {d: g_t . d >= 0 for all t}, the step is

        the point of C nearest to 1/T sum_t g_t.

    The projection is exact, by nonnegative least squares.

    Parameters
    ----------
    gradients : {"auto", "exact", "representation"}, default="auto"
        At the representation that all tasks read, or by the parameters they share; see
        `GradientBalancing`. "auto" is the representation where there is one.

    References
    ----------
    Lopez-Paz & Ranzato, "Gradient Episodic Memory for Continual Learning", 2017, equation 11.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import DualProj
    >>> X, y = load_linnerud(return_X_y=True)
    >>> model = MultiTaskRegressor(balancing=DualProj(gradients="exact"), max_epochs=2).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    def _method(self, nn: Any, n_tasks: int) -> Any:
        return nn.DualProjWeights()
