from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from sklearn.utils.metaestimators import _BaseComposition

from sklearn_mtl.convex._rows import CoefRows
from sklearn_mtl.convex.penalties._base import NormPenalty, Penalty, QuadraticPenalty
from sklearn_mtl.convex.penalties._task_relationship import TaskRelationship


class PenaltySum(_BaseComposition, Penalty):
    """The sum of one norm, or TaskRelationship, at most and any quadratic penalties.

    ``a + b`` makes it.

    Parameters
    ----------
    penalties : list of (str, Penalty)
        Names, by which ``set_params`` reaches the terms, and terms.

    Examples
    --------
    >>> from sklearn_mtl.convex import NuclearNorm, Ridge
    >>> penalty = NuclearNorm(0.1) + Ridge(0.01)
    >>> penalty.set_params(nuclearnorm__alpha=0.5).penalties
    [('nuclearnorm', NuclearNorm(alpha=0.5)), ('ridge', Ridge())]
    """

    def __init__(self, penalties: list[tuple[str, Penalty]]) -> None:
        self.penalties = penalties

    @classmethod
    def of(cls, *terms: Penalty) -> "PenaltySum":
        """Return the sum of these terms, named by their classes."""
        flat: list[Penalty] = []
        for term in terms:
            flat += [inner for _, inner in term.penalties] if isinstance(term, cls) else [term]
        named, seen = [], {}  # type: ignore[var-annotated]
        for term in flat:
            name = type(term).__name__.lower()
            seen[name] = seen.get(name, 0) + 1
            named.append((name if seen[name] == 1 else f"{name}{seen[name]}", term))
        return cls(named)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the terms and, where `deep`, their parameters by ``name__parameter``."""
        return self._get_params("penalties", deep=deep)

    def set_params(self, **params: Any) -> "PenaltySum":
        """Set terms by name, or their parameters by ``name__parameter``."""
        self._set_params("penalties", **params)
        return self

    @property
    def terms(self) -> list[Penalty]:
        """The terms without their names."""
        return [term for _, term in self.penalties]

    def check(self) -> None:
        """Raise an error where the terms cannot be summed or a parameter is out of range."""
        for term in self.terms:
            if not isinstance(term, (NormPenalty, QuadraticPenalty, TaskRelationship)):
                raise TypeError(
                    "Each term of a sum must be a NormPenalty, a QuadraticPenalty or a "
                    f"TaskRelationship, found {term!r}."
                )
            term.check()
        norms = [term for term in self.terms if not isinstance(term, QuadraticPenalty)]
        if len(norms) > 1:
            raise ValueError(
                f"A sum may hold one norm, or one TaskRelationship, besides quadratic penalties; "
                f"found {norms!r}. The prox "
                "of a sum of norms is not the composition of their proxes."
            )

    def decoupled(self, task: Hashable, names: Sequence[Hashable]) -> "PenaltySum":
        """Return the sum of what the terms are where tasks share nothing."""
        return PenaltySum([(name, term.decoupled(task, names)) for name, term in self.penalties])

    def value(self, W: np.ndarray, rows: CoefRows) -> float:
        """Return Omega(W)."""
        return sum(term.value(W, rows) for term in self.terms)

    def scaled(self, factor: float) -> "PenaltySum":
        """Return the penalty ``factor * Omega``."""
        return PenaltySum([(name, term.scaled(factor)) for name, term in self.penalties])
