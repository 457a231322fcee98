import numpy as np
import torch

from sklearn_mtl.nn.losses._absolute_error import AbsoluteError
from sklearn_mtl.nn.losses._activated import ActivatedLoss
from sklearn_mtl.nn.losses._activations import ACTIVATIONS, identity
from sklearn_mtl.nn.losses._base import Loss
from sklearn_mtl.nn.losses._cross_entropy import CrossEntropy
from sklearn_mtl.nn.losses._huber import Huber
from sklearn_mtl.nn.losses._logistic import LogisticLoss
from sklearn_mtl.nn.losses._own import OwnLoss
from sklearn_mtl.nn.losses._poisson import Poisson
from sklearn_mtl.nn.losses._squared_error import SquaredError
from sklearn_mtl.tasks._outputs import LossFunction, OutputGroup
from sklearn_mtl.tasks._spec import BINARY, MULTICLASS, REGRESSION

# word and kind of task -> loss(outputs (B, T_g) or (B, T_g, K), labels (B, T_g)) -> (B, T_g)
LOSSES: dict[tuple[str, str], type[Loss]] = {
    ("squared_error", REGRESSION): SquaredError,
    ("absolute_error", REGRESSION): AbsoluteError,
    ("huber", REGRESSION): Huber,
    ("poisson", REGRESSION): Poisson,
    ("log_loss", BINARY): LogisticLoss,
    ("log_loss", MULTICLASS): CrossEntropy,
}


def make_loss(group: OutputGroup) -> Loss:
    """Return the loss of a group of tasks."""
    spec = group.spec
    if isinstance(spec.loss, LossFunction):
        return OwnLoss(spec.loss, ACTIVATIONS[spec.activation])
    loss = LOSSES[spec.loss, group.kind]
    if group.kind != REGRESSION:
        return loss(spec.smoothing)
    activation = loss.activations[spec.activation]
    return loss() if activation is identity else ActivatedLoss(loss(), activation)


@torch.no_grad()
def mean_loss(
    group: OutputGroup, outputs: np.ndarray, labels: np.ndarray, weights: np.ndarray
) -> float:
    """Return the mean loss of one task where every row has the same outputs.

    Parameters
    ----------
    outputs : ndarray of shape (K,)
    labels, weights : ndarray of shape (n_t,)
    """
    kind = torch.int64 if group.kind == MULTICLASS else torch.float64
    numbers = torch.tensor(labels, dtype=kind)[:, None]
    constant = torch.tensor(outputs, dtype=torch.float64).expand(len(labels), 1, group.width)
    block = constant[..., 0] if group.width == 1 else constant
    elements = make_loss(group).double().elements(block, numbers, None)
    return float(np.average(elements[:, 0].numpy(), weights=weights))
