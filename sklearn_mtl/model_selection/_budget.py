"""How much each side of a comparison may try before it is compared."""

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from sklearn.feature_selection import RFECV, SequentialFeatureSelector
from sklearn.model_selection import (
    GridSearchCV,
    ParameterGrid,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.model_selection._search import BaseSearchCV
from sklearn.model_selection._search_successive_halving import BaseSuccessiveHalving

from sklearn_mtl.compose import StackedTasks
from sklearn_mtl.model_selection._grouping import TaskGrouping
from sklearn_mtl.model_selection._search_space import SPACES, search_space
from sklearn_mtl.tasks._nested import own_parameters
from sklearn_mtl.utils._validation import plain

# estimators made of others that choose by cross-validation; others have a `cv` for predictions
CHOOSING = (RFECV, SequentialFeatureSelector, TunedThresholdClassifierCV)
HALVING = ("factor", "resource", "min_resources", "max_resources", "aggressive_elimination")


@dataclass(frozen=True)
class Search:
    """One search.

    Attributes
    ----------
    n_candidates, n_splits : int or str
        Words where only the data can tell.
    how : str
        How candidates are dropped on the way; "" where all are tried on all rows.
    """

    n_candidates: int | str
    n_splits: int | str
    how: str = ""

    def __str__(self) -> str:
        return (
            f"a search over {self.n_candidates} candidate(s) x {self.n_splits} inner splits"
            f"{self.how}"
        )


OWN = "its own cross-validation"  # of as many fits as nobody can count

# searches inside searches, from outside inwards
Chain = tuple[Search | str, ...]


def check_equal_budget(estimator: Any, baseline: Any, names: Sequence[Hashable]) -> None:
    """Raise a ValueError where one side tries more than the other for some task."""
    tried = [(tuning_of(estimator, name), tuning_of(baseline, name)) for name in names]
    for name, (ours, theirs) in zip(names, tried, strict=True):
        if _differ(ours, theirs):
            same = all(pair == tried[0] for pair in tried)
            raise ValueError(
                f"{'' if same else f'Task {plain(name)!r}: '}The estimator is tuned by "
                f"{_words(ours)}, the baseline by {_words(theirs)}, and who tries more wins by "
                "that alone; give both as many candidates and inner splits, or pass budget='any'."
            )


def tuning_of(estimator: Any, name: Hashable) -> list[Chain]:
    """Return what is tried for a task: searches inside searches, for each part that is tuned.

    Parts of an estimator add up, as the stages of `StackedTasks` do. How often folds of other
    tasks' predictions make it fit the same says nothing.
    """
    inside = [chain for part in _parts(estimator, name) for chain in tuning_of(part, name)]
    own = _own_tuning(estimator)
    return inside if own is None else [(own, *chain) for chain in inside or [()]]


def _own_tuning(estimator: Any) -> Search | str | None:
    if isinstance(estimator, BaseSearchCV):
        return _search(estimator)
    params = own_parameters(estimator)
    if any(space in params for space in SPACES):
        raise _unknown(estimator)
    if isinstance(estimator, CHOOSING):
        return OWN
    if isinstance(estimator, TaskGrouping):
        return OWN if isinstance(estimator.n_groups, str) else None
    is_made_of_others = "estimator" in params or "estimators" in params
    chooses = "cv" in params and hasattr(estimator, "predict") and not is_made_of_others
    return OWN if chooses else None


def _parts(estimator: Any, name: Hashable) -> Iterator[Any]:
    """Yield the estimators that an estimator is made of, as far as a task has to do with them."""
    for value in own_parameters(estimator).values():
        yield from _estimators_in(value, name)
    if isinstance(estimator, StackedTasks) and estimator.final_estimator is None:
        yield from _estimators_in(estimator.estimator, name)


def _estimators_in(value: Any, name: Hashable) -> Iterator[Any]:
    """Yield a parameter's estimator, that of the task in a dict, or all of (name, estimator)."""
    for one in value if isinstance(value, list) else [value]:
        for part in one if isinstance(one, tuple) else [one]:
            own = part.get(name) if isinstance(part, Mapping) else part
            if hasattr(own, "fit") and not isinstance(own, type):
                yield own


def _search(search: BaseSearchCV) -> Search:
    n_splits = _n_splits(search.cv)
    space = search_space(search)
    if isinstance(search, BaseSuccessiveHalving):
        params = own_parameters(search)
        how = ", halving with " + ", ".join(f"{key}={params[key]!r}" for key in HALVING)
        # drawn ones have a number, or the word "exhaust"
        return Search(params.get("n_candidates", None) or _n_listed(space), n_splits, how)
    if isinstance(search, RandomizedSearchCV):
        if any(hasattr(values, "rvs") for one in space for values in one.values()):
            return Search(int(search.n_iter), n_splits)
        # lists are drawn from without replacement
        return Search(min(int(search.n_iter), _n_listed(space)), n_splits)
    if isinstance(search, GridSearchCV):
        return Search(_n_listed(space), n_splits)
    raise _unknown(search)


def _n_listed(space: Sequence[Mapping[str, Any]]) -> int:
    return len(ParameterGrid(list(space)))


def _n_splits(cv: Any) -> int | str:
    if cv is None:
        return 5  # scikit-learn's own default
    if isinstance(cv, Integral):
        return int(cv)
    if not hasattr(cv, "get_n_splits"):
        return len(cv) if hasattr(cv, "__len__") else "an iterator's"
    try:
        return int(cv.get_n_splits())
    except (TypeError, ValueError):  # leave-one-out counts rows
        return type(cv).__name__


def _unknown(search: Any) -> ValueError:
    return ValueError(
        f"{type(search).__name__} is no search of scikit-learn, so nobody can tell how much it "
        "tries; search by GridSearchCV or RandomizedSearchCV, or pass budget='any'."
    )


def _differ(ours: list[Chain], theirs: list[Chain]) -> bool:
    if bool(ours) != bool(theirs):
        return True
    left = [Counter(ours) - Counter(theirs), Counter(theirs) - Counter(ours)]
    # what cannot be counted is as good as any search
    own = [counts.pop((OWN,), 0) for counts in left]
    return any(left[side].total() > own[1 - side] for side in (0, 1))


def _words(chains: list[Chain]) -> str:
    told = [", for each of them ".join(map(str, chain)) for chain in chains]
    return " and ".join(sorted(told)) or "nothing"
