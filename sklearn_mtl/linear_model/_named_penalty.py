from collections.abc import Hashable, Sequence
from typing import Any

from sklearn.base import clone
from sklearn.utils._param_validation import StrOptions

from sklearn_mtl.convex import Penalty
from sklearn_mtl.convex.penalties import PENALTIES

PENALTY = [StrOptions(set(PENALTIES)), Penalty]


def resolve_penalty(penalty: str | Penalty) -> Penalty:
    """Return the penalty of that name with its default strength, or the object given."""
    return PENALTIES[penalty]() if isinstance(penalty, str) else penalty


class NamedPenalty:
    """Estimators whose ``penalty`` may be a word; ``penalty__alpha`` then is of that penalty."""

    penalty: str | Penalty

    def set_params(self, **params: Any) -> Any:
        """Set parameters, those of the penalty by ``penalty__name``.

        Parameters
        ----------
        **params : dict

        Returns
        -------
        self
        """
        given = params.get("penalty", self.penalty)
        inner = any(name.startswith("penalty__") for name in params)
        if inner and isinstance(given, str) and given in PENALTIES:
            params["penalty"] = PENALTIES[given]()
        return super().set_params(**params)  # type: ignore[misc]

    def decoupled(self, task: Hashable, names: Sequence[Hashable]) -> Any:
        """Return the estimator with what the penalty is where tasks share nothing.

        Parameters
        ----------
        task : name
        names : sequence of T names
            With `task` among them.

        Returns
        -------
        estimator : estimator
            Not fitted.
        """
        penalty = resolve_penalty(self.penalty).decoupled(task, names)
        return clone(self).set_params(penalty=penalty)
