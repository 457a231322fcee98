from typing import Any

from sklearn_mtl.neural_network.balancing._gradient_balancing import GradientBalancing


class IMTLG(GradientBalancing):
    """The combination with equal projections on all gradients: ``balancing="imtl_g"``.

    With g_t the gradient of λ_t loss_t, the weights w have

        sum_t w_t = 1   and   (sum_s w_s g_s) . g_t / |g_t|   the same for all t.

    They may be negative. torchjd's, which holds for dependent gradients too.

    Parameters
    ----------
    gradients : {"auto", "exact", "representation"}, default="auto"
        At the representation that all tasks read, or by the parameters they share; see
        `GradientBalancing`. "auto" is the representation where there is one.

    References
    ----------
    Liu et al., "Towards Impartial Multi-task Learning", 2021, section 3.1.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import IMTLG
    >>> X, y = load_linnerud(return_X_y=True)
    >>> model = MultiTaskRegressor(balancing=IMTLG(gradients="exact"), max_epochs=2).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    def _method(self, nn: Any, n_tasks: int) -> Any:
        return nn.aggregation.IMTLG()
