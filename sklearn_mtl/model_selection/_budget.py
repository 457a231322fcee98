"""How much each side of a comparison may try before it is compared."""

from dataclasses import dataclass
from typing import Any

from sklearn.model_selection import ParameterGrid
from sklearn.model_selection._search import BaseSearchCV

from sklearn_mtl.model_selection._search_space import search_space
from sklearn_mtl.tasks._nested import own_parameters


@dataclass(frozen=True)
class Tuning:
    """What one side tries.

    Attributes
    ----------
    searches : set of (candidates, inner splits)
        Of every search in it; splits are None if only the data can tell.
    chooses_itself : bool
        Whether some part chooses its own strengths by cross-validation, as RidgeCV does: tuned,
        by a number of fits that nobody can count.
    """

    searches: frozenset[tuple[int, int | None]]
    chooses_itself: bool

    def __bool__(self) -> bool:
        return bool(self.searches) or self.chooses_itself

    def __str__(self) -> str:
        if not self.searches:
            return "its own cross-validation"
        return "a search over " + " and over ".join(
            f"{count} candidate(s) x {'?' if splits is None else splits} inner splits"
            for count, splits in sorted(self.searches, key=str)
        )

    def differs(self, other: "Tuning") -> bool:
        """Return whether what can be counted on both sides differs."""
        if bool(self) != bool(other):
            return True
        if not (self.searches and other.searches):
            return False
        if any(splits is None for _, splits in self.searches | other.searches):
            return {count for count, _ in self.searches} != {count for count, _ in other.searches}
        return self.searches != other.searches


def check_equal_budget(estimator: Any, baseline: Any) -> None:
    """Raise a ValueError where one side is tuned and the other is not, or tries more."""
    ours, theirs = tuning_of(estimator), tuning_of(baseline)
    if ours.differs(theirs):
        raise ValueError(
            f"The estimator is tuned by {ours if ours else 'nothing'}, the baseline by "
            f"{theirs if theirs else 'nothing'}, and who tries more wins by that alone; give both "
            "as many candidates and inner splits, or pass budget='any'."
        )


def tuning_of(estimator: Any) -> Tuning:
    """Return what an estimator, or any estimator inside it, tries."""
    parts = _parts(estimator)
    searches = [part for part in parts if isinstance(part, BaseSearchCV)]
    return Tuning(
        frozenset((_n_candidates(search), _n_splits(search.cv)) for search in searches),
        # meta-estimators have a `cv` too, for out-of-fold predictions: those choose nothing
        any("cv" in own_parameters(part) and len(_parts(part)) == 1 for part in parts),
    )


def _parts(estimator: Any) -> list[Any]:
    """Return the estimator and all that it is made of."""
    params = estimator.get_params(deep=True) if hasattr(estimator, "get_params") else {}
    return [estimator, *(value for value in params.values() if hasattr(value, "fit"))]


def _n_candidates(search: Any) -> int:
    space, n_iter = search_space(search), getattr(search, "n_iter", None)
    if any(hasattr(values, "rvs") for one in space for values in one.values()):
        return int(search.n_iter)
    # lists are drawn from without replacement
    return len(ParameterGrid(space)) if n_iter is None else min(n_iter, len(ParameterGrid(space)))


def _n_splits(cv: Any) -> int | None:
    if cv is None:
        return 5  # scikit-learn's own default
    if not hasattr(cv, "get_n_splits"):
        return cv if isinstance(cv, int) else (len(cv) if hasattr(cv, "__len__") else None)
    try:
        return cv.get_n_splits()
    except (TypeError, ValueError):  # leave-one-out counts rows
        return None
