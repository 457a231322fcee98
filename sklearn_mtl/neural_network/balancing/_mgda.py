from typing import Any

from sklearn_mtl.neural_network.balancing._gradient_balancing import GradientBalancing


class MGDA(GradientBalancing):
    """The shortest convex combination of the gradients: ``balancing="mgda"``.

    With g_t the gradient of λ_t loss_t,

        min_w | sum_t w_t g_t |^2   over w >= 0, sum_t w_t = 1.

    A small step along it raises no loss; where it is zero, no step lowers all. The weights favour
    tasks with short gradients. Solved exactly, where the papers take steps of Frank and Wolfe.

    Parameters
    ----------
    gradients : {"auto", "exact", "representation"}, default="auto"
        At the representation that all tasks read, or by the parameters they share; see
        `GradientBalancing`. "auto" is the representation where there is one.

    References
    ----------
    Désidéri, "Multiple-gradient descent algorithm (MGDA) for multiobjective optimization", 2012.
    Sener & Koltun, "Multi-Task Learning as Multi-Objective Optimization", 2018, equation 3.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import MGDA
    >>> X, y = load_linnerud(return_X_y=True)
    >>> model = MultiTaskRegressor(balancing=MGDA(gradients="exact"), max_epochs=2).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    def _method(self, nn: Any, n_tasks: int) -> Any:
        return nn.MGDAWeights()
