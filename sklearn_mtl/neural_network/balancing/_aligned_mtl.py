from typing import Any

from sklearn.utils._param_validation import StrOptions

from sklearn_mtl.neural_network.balancing._gradient_balancing import GradientBalancing


class AlignedMTL(GradientBalancing):
    """Turn the gradients orthogonal and of one length: ``balancing="aligned_mtl"``.

    With J the gradients of λ_t loss_t, a row a task, and J J' = V diag(σ^2) V', the step is the
    mean of the rows of

        s V diag(1 / σ) V' J,

    the matrix with orthogonal rows of length s that is nearest in direction. torchjd's.

    Parameters
    ----------
    scale : {"min", "median", "rmse"}, default="min"
        s: the least of σ, their median, or the root of the mean of σ^2.
    gradients : {"auto", "exact", "representation"}, default="auto"
        At the representation that all tasks read, or by the parameters they share; see
        `GradientBalancing`. "auto" is the representation where there is one.

    References
    ----------
    Senushkin et al., "Independent Component Alignment for Multi-Task Learning", 2023, Algorithm 1.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import AlignedMTL
    >>> X, y = load_linnerud(return_X_y=True)
    >>> model = MultiTaskRegressor(balancing=AlignedMTL(scale="rmse"), max_epochs=2).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **GradientBalancing._parameter_constraints,
        "scale": [StrOptions({"min", "median", "rmse"})],
    }

    def __init__(self, scale: Any = "min", gradients: Any = "auto") -> None:
        super().__init__(gradients)
        self.scale = scale

    def _method(self, nn: Any, n_tasks: int) -> Any:
        return nn.aggregation.AlignedMTL(scale_mode=self.scale)
