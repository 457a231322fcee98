from collections.abc import Hashable, Sequence
from typing import Any, Self

from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if


def decoupled(estimator: Any, task: Hashable, names: Sequence[Hashable]) -> Any:
    """Return a clone for one task where tasks of these names share nothing.

    It is what the estimator says, by a method ``decoupled(task, names)``, or else as it is.
    """
    if hasattr(estimator, "decoupled"):
        return estimator.decoupled(task, names)
    return clone(estimator)


class Decoupled(MetaEstimatorMixin, BaseEstimator):
    """What an estimator is for one task where tasks share nothing, found in ``fit``.

    So that a search can set parameters of `estimator` before: strengths of what is shared count
    as they do beside other tasks that the task has nothing to learn from.

    Parameters
    ----------
    estimator : estimator
    task : name
    names : sequence of T names
        With `task` among them.

    Attributes
    ----------
    estimator_ : fitted estimator
    """

    def __init__(self, estimator: Any, task: Hashable, names: Sequence[Hashable]) -> None:
        self.estimator = estimator
        self.task = task
        self.names = names

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the decoupled estimator; parameters are those of its ``fit``."""
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        self.estimator_ = decoupled(self.estimator, self.task, self.names).fit(X, y, **weights)
        return self

    def predict(self, X: Any) -> Any:
        """Predict as the decoupled estimator does."""
        return self.estimator_.predict(X)

    @available_if(lambda self: hasattr(self.estimator, "predict_proba"))
    def predict_proba(self, X: Any) -> Any:
        """Return class probabilities as the decoupled estimator does."""
        return self.estimator_.predict_proba(X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the score of the decoupled estimator."""
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        return self.estimator_.score(X, y, **weights)

    @property
    def classes_(self) -> Any:
        """Classes, where the estimator has them."""
        return self.estimator_.classes_

    def __sklearn_tags__(self) -> Any:
        return get_tags(self.estimator)
