from numbers import Real
from typing import Any

from sklearn.utils._param_validation import Interval

from sklearn_mtl.neural_network._backend import backend
from sklearn_mtl.neural_network.balancing._base import Balancing


class FAMO(Balancing):
    """Let all losses fall at one relative rate, at the cost of loss values: ``balancing="famo"``.

    After each step the losses of its batch are measured again. Logits of the weights, which an Adam
    optimiser of their own moves by `lr`, fall for tasks whose log-loss fell more than others'. The
    weights are λ_t T c z_t / loss_t, with z the softmax of the logits, and c so that without λ they
    sum to T.

    A task without a label in a batch counts as unchanged by its step.

    Parameters
    ----------
    lr : float, default=0.025
        Learning rate of the logits, at least 0.
    weight_decay : float, default=1e-3
        Weight decay of the logits, at least 0.

    References
    ----------
    Liu et al., "FAMO: Fast Adaptive Multitask Optimization", 2023, algorithm 2. The factor T, for
    steps as long as those of equal weights, is ours.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import FAMO
    >>> X, y = load_linnerud(return_X_y=True)
    >>> model = MultiTaskRegressor(balancing=FAMO(lr=0.01), max_epochs=3).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    _parameter_constraints = {
        "lr": [Interval(Real, 0, None, closed="left")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, lr: Any = 0.025, weight_decay: Any = 1e-3) -> None:
        self.lr = lr
        self.weight_decay = weight_decay

    def build(self, task_weight: Any) -> Any:
        """Return the balancer; see `Balancing.build`."""
        nn = backend()
        n_tasks = len(task_weight)
        method = nn.scalarization.FAMO(
            n_tasks, lr=float(self.lr), weight_decay=float(self.weight_decay)
        )
        return nn.ScalarizedAgain(task_weight, method, factor=float(n_tasks))
