from dataclasses import dataclass
from typing import Any

from sklearn_mtl.bayes._posterior import Posterior


@dataclass(frozen=True, eq=False)
class Maximum:
    """Hyper-parameters of greatest evidence, as far as they were found.

    Attributes
    ----------
    at : Hyperparameters
    posterior : Posterior
    scores : list of float
        Before each iteration and after the last; they never fall.
    n_iter : int
    converged : bool
    """

    at: Any
    posterior: Posterior
    scores: list[float]
    n_iter: int
    converged: bool


def maximise(model: Any, start: Any, *, tol: float, max_iter: int) -> Maximum:
    """Return the hyper-parameters of greatest evidence, by expectation-maximisation.

    Parameters
    ----------
    model : GaussianModel
    start : Hyperparameters
    tol : float
        Gain in log evidence of an iteration, for each label, at which to stop.
    max_iter : int
    """
    at, posterior = start, model.posterior(start)
    scores = [model.score(at, posterior)]
    labels = float(model.moments.mass.sum())
    for n_iter in range(1, max_iter + 1):
        at = model.update(at, posterior)
        posterior = model.posterior(at)
        scores.append(model.score(at, posterior))
        if scores[-1] - scores[-2] <= tol * labels:
            return Maximum(at, posterior, scores, n_iter, True)
    return Maximum(at, posterior, scores, max_iter, False)
