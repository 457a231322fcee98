from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np

from sklearn_mtl.bayes._posterior import Posterior

MEMORY = 5  # steps that the extrapolation looks back on
# of the least squares that combine steps, relative: below it, differences of steps are rounding
LEAST_DIRECTION = 1e-12
LONGEST = 5.0  # of an extrapolation, in any entry: of logarithms, a factor of 150


class EvidenceModel(Protocol):
    """What `maximise` needs of a model: hyper-parameters of any type, and their EM step.

    Attributes
    ----------
    n_labels : float
        Labels that the evidence is of, repetitions counted.
    """

    @property
    def n_labels(self) -> float: ...

    def posterior(self, at: Any) -> Posterior:
        """Return the posterior of all coefficients: the one costly call, once an iteration."""

    def score(self, at: Any, posterior: Posterior) -> float:
        """Return log evidence plus log hyper-prior."""

    def update(self, at: Any, posterior: Posterior) -> Any:
        """Return hyper-parameters whose score is not lower: the EM step."""

    def pack(self, at: Any) -> np.ndarray:
        """Return hyper-parameters as one vector, on which there are no constraints."""

    def unpack(self, vector: np.ndarray) -> Any:
        """Return the hyper-parameters that a vector stands for."""


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
        Posteriors that were computed after the first.
    converged : bool
    """

    at: Any
    posterior: Posterior
    scores: list[float]
    n_iter: int
    converged: bool


def maximise(model: EvidenceModel, start: Any, *, tol: float, max_iter: int) -> Maximum:
    """Return the hyper-parameters of greatest evidence, by accelerated expectation-maximisation.

    Anderson's method extrapolates the last EM steps to where the step would be 0. Where the score
    falls there, the EM step itself is taken, which cannot lower it, and the memory is cleared: the
    price of a failure is one more posterior, and the scores never fall.

    Parameters
    ----------
    model : EvidenceModel
    start : Hyperparameters
    tol : float
        What two steps in a row must add to the score, for each label, lest the search stops.
    max_iter : int

    References
    ----------
    N. Henderson and R. Varadhan, "Damped Anderson acceleration with restarts and monotonicity
    control for accelerating EM and EM-like algorithms", Journal of Computational and Graphical
    Statistics 28, 2019. Here with neither damping nor any tolerance for falling scores.
    """
    best = _Candidate.of(model, start, model.pack(start))
    scores, memory, small_gains = [best.score], _Memory(), 0
    while len(scores) <= max_iter and small_gains < 2:
        plain = model.update(best.at, best.posterior)
        target = model.pack(plain)
        beyond = memory.extrapolate(best.vector, target)
        if beyond is None:
            found = _Candidate.of(model, plain, target)
        else:
            found = _Candidate.beyond(model, beyond)
            if not found.score >= best.score:
                memory.forget()
                scores.append(best.score)
                if len(scores) > max_iter:
                    break
                found = _Candidate.of(model, plain, target)
        # at the top, rounding decides which of two scores is higher
        gain = max(found.score - best.score, 0.0)
        small_gains = small_gains + 1 if gain <= tol * model.n_labels else 0
        best = found if found.score >= best.score else best
        scores.append(best.score)
    return Maximum(best.at, best.posterior, scores, len(scores) - 1, small_gains == 2)


@dataclass(frozen=True, eq=False)
class _Candidate:
    at: Any
    vector: np.ndarray
    posterior: Any
    score: float

    @classmethod
    def of(cls, model: EvidenceModel, at: Any, vector: np.ndarray) -> Self:
        posterior = model.posterior(at)
        return cls(at, vector, posterior, model.score(at, posterior))

    @classmethod
    def beyond(cls, model: EvidenceModel, vector: np.ndarray) -> Self:
        at = model.unpack(vector)
        try:
            return cls.of(model, at, vector)
        except np.linalg.LinAlgError:  # so far out that rounding leaves no covariance
            return cls(at, vector, None, -np.inf)


class _Memory:
    """The last points and their EM steps."""

    def __init__(self) -> None:
        self._points: list[np.ndarray] = []
        self._steps: list[np.ndarray] = []

    def forget(self) -> None:
        """Keep the last point alone."""
        del self._points[:-1], self._steps[:-1]

    def extrapolate(self, point: np.ndarray, target: np.ndarray) -> np.ndarray | None:
        """Return where the step from `point` to `target` and those before predict a step of 0.

        None before there are two steps to compare.
        """
        self._points, self._steps = self._points[-MEMORY:], self._steps[-MEMORY:]
        self._points.append(point)
        self._steps.append(target - point)
        if len(self._points) == 1:
            return None
        moves, changes = np.diff(self._points, axis=0), np.diff(self._steps, axis=0)
        share = np.linalg.lstsq(changes.T, self._steps[-1], rcond=LEAST_DIRECTION)[0]
        further = -share @ (moves + changes)
        return target + further * (LONGEST / max(np.abs(further).max(), LONGEST))
