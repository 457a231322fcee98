"""The best constant outputs of each task: where heads start, and what losses are measured by."""

import numpy as np

from sklearn_mtl.neural_network._backend import backend
from sklearn_mtl.neural_network._losses import number_loss
from sklearn_mtl.tasks._activations import ACTIVATIONS
from sklearn_mtl.tasks._outputs import LossFunction, OutputGroup
from sklearn_mtl.tasks._spec import BINARY

# a task whose classes are almost all one would otherwise count without bound
LEAST_ENTROPY = 0.1
# a class that no training row has must not start at log 0
LEAST_FREQUENCY = 1e-4


def number_base_rate(
    group: OutputGroup, labels: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, float]:
    """Return the output (1,) that is the best constant for a task of numbers, and its mean loss.

    For a caller's own loss the best is taken to be the mean.

    Parameters
    ----------
    labels, weights : ndarray of shape (n_t,)
        Observed ones, labels in the units of training.
    """
    best = number_loss(group.spec).best_constant(labels, weights)
    output = np.array([ACTIVATIONS[group.spec.activation].output_for(best)])
    return output, _unit(backend().mean_loss(group, output, labels, weights))


def class_base_rate(
    group: OutputGroup, codes: np.ndarray, share: np.ndarray, n_classes: int
) -> tuple[np.ndarray, float]:
    """Return the outputs (K,) that are the class frequencies, and their mean loss.

    That of log-loss is their entropy in nats, and at least 0.1.

    Parameters
    ----------
    codes, share : ndarray of shape (n_t,)
        Class numbers of the observed labels, and their weights, which sum to 1.
    """
    frequency: np.ndarray = np.bincount(codes, share, minlength=n_classes)
    smoothing = group.spec.smoothing
    frequency = (1.0 - smoothing) * frequency + smoothing / n_classes
    frequency = np.maximum(frequency, LEAST_FREQUENCY)
    frequency = frequency / frequency.sum()
    logits = np.log(frequency)
    output = logits[1:] - logits[:1] if group.kind == BINARY else logits
    if isinstance(group.spec.loss, LossFunction):
        return output, _unit(backend().mean_loss(group, output, codes, share))
    return output, max(-(frequency @ logits), LEAST_ENTROPY)


def _unit(loss: float) -> float:
    """Return what divides a loss: 1 where a constant is perfect, or the loss is no such measure."""
    return loss if 10 * np.finfo(np.float64).eps < loss < np.inf else 1.0
