from typing import Any

from sklearn_mtl.neural_network.balancing._gradient_balancing import GradientBalancing


class UPGrad(GradientBalancing):
    """Project each gradient onto the steps that raise no loss: ``balancing="upgrad"``.

    With g_t the gradient of λ_t loss_t and C = {d: g_t . d >= 0 for all t}, the step is

        1/T sum_t (the point of C nearest to g_t).

    To first order it raises no loss, and it is the mean gradient where none conflict.
    Projections are exact, by nonnegative least squares: T problems of T numbers a step, which take
    a hundredth of a second with 30 tasks and seconds with 300; `DualProj` has one problem.

    Parameters
    ----------
    gradients : {"auto", "exact", "representation"}, default="auto"
        At the representation that all tasks read, or by the parameters they share; see
        `GradientBalancing`. "auto" is the representation where there is one.

    References
    ----------
    Quinton & Rey, "Jacobian Descent for Multi-Objective Optimization", 2024, section 2.2.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import UPGrad
    >>> X, y = load_linnerud(return_X_y=True)
    >>> model = MultiTaskRegressor(balancing=UPGrad(gradients="exact"), max_epochs=2).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    def _method(self, nn: Any, n_tasks: int) -> Any:
        return nn.UPGradWeights()
