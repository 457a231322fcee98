from numbers import Real
from typing import Any

from sklearn.utils._param_validation import Interval

from sklearn_mtl.neural_network._backend import backend
from sklearn_mtl.neural_network.balancing._base import Balancing


class GradNorm(Balancing):
    """Let tasks that train slowly have the larger gradients: ``balancing="gradnorm"``.

    Minimises sum_t λ_t w_t loss_t. With g_t the norm of the gradient of loss_t, G_t = w_t g_t and
    r_t the task's loss over its first one, divided by the mean of this over the tasks, each step
    also lowers

        sum_t | G_t - mean(G) r_t ** alpha | / mean(G)

    by a gradient step on w, in which mean(G) r_t ** alpha is a constant. w stays positive and is
    scaled back to a sum of T after each.

    Gradients are those with respect to the representation that all tasks read, where there is one,
    else to all parameters that tasks share (the paper: to the last layer that they share).

    Parameters
    ----------
    alpha : float, default=1.5
        At least 0; how much faster tasks that lag behind shall train. With 0 all have gradients of
        one length.
    lr : float, default=0.025
        Length of a step on w, above 0. The division by mean(G), so that it has no unit, is ours.

    References
    ----------
    Chen et al., "GradNorm: Gradient Normalization for Adaptive Loss Balancing in Deep Multitask
    Networks", 2018, equations 1 and 2.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import GradNorm
    >>> X, y = load_linnerud(return_X_y=True)
    >>> model = MultiTaskRegressor(balancing=GradNorm(alpha=0.5), max_epochs=3).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    _parameter_constraints = {
        "alpha": [Interval(Real, 0, None, closed="left")],
        "lr": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, alpha: Any = 1.5, lr: Any = 0.025) -> None:
        self.alpha = alpha
        self.lr = lr

    def build(self, task_weight: Any) -> Any:
        """Return the balancer; see `Balancing.build`."""
        nn = backend()
        return nn.GradientNorms(task_weight, float(self.alpha), float(self.lr))
