import copy
from collections.abc import Hashable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics._scorer import _BaseScorer, _cached_call
from sklearn.utils.metadata_routing import MetadataRequest, _MetadataRequester, _raise_for_params

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.metrics._kinds import estimator_kinds, has_tags
from sklearn_mtl.metrics._labels import TrueLabels, read_true
from sklearn_mtl.metrics._metric import (
    average_scores,
    defined_scores,
    resolve_metric,
    resolve_metrics,
    score_tasks,
)
from sklearn_mtl.metrics._outputs import METHODS, EstimatorOutputs
from sklearn_mtl.tasks._layout import LONG
from sklearn_mtl.tasks._long import split_task_column
from sklearn_mtl.tasks._nested import find_layout, find_task_feature
from sklearn_mtl.utils._validation import did_you_mean, listing

MACRO, WORST, WEIGHTED = "macro", "worst", "weighted"


def make_task_scorer(
    metric: Any = None,
    *,
    average: Hashable | None = MACRO,
    task_feature: Any = None,
    task_kinds: Any = None,
) -> "TaskScorer | TaskVectorScorer":
    """Make a scorer that scores tasks by themselves, on observed labels, and sums them up.

    The scorer is called as ``scorer(estimator, X, y)``, which `GridSearchCV`, `cross_validate`
    and every other ``scoring=`` do. The score s_t of each task is that of
    :func:`score_per_task`; with n_t the weights of the observed labels of task t,

        macro = mean_t s_t        worst = min_t s_t        weighted = sum_t n_t s_t / sum_t n_t

    over the tasks whose score is defined. Greater is better throughout.

    Parameters
    ----------
    metric : None, str, callable or dict name -> one of these, default=None
        None: R² for regression tasks, accuracy for classification tasks. A name of
        :func:`sklearn.metrics.get_scorer_names`, those of probabilities too. A callable
        ``metric(y_true, y_pred)`` of which more is better, or what
        :func:`sklearn.metrics.make_scorer` returned. Tasks that a dict lacks are scored as by
        None.
    average : {"macro", "worst", "weighted"}, task name or None, default="macro"
        A task's name gives the score of that task. None makes the scorer return a dict
        ``{task: score}``, of which ``cross_validate`` makes a column a task, and
        ``GridSearchCV(refit=<task name>)`` too.
    task_feature : str or int, default=None
        Long form: the column of X that holds each row's task. None: the estimator's own, if it
        is one of this package.
    task_kinds : {"regression", "classification"} or dict name -> one of these, default=None
        Overrides what the estimator says (its ``layout_``, or being a scikit-learn classifier or
        regressor), and what the labels say where it says nothing.

    Returns
    -------
    scorer : TaskScorer (returns a float) or TaskVectorScorer (returns a dict)
        Can be pickled, cloned, and asked to route sample weights by
        ``scorer.set_score_request(sample_weight=True)``.

    Warns
    -----
    UndefinedMetricWarning
        When called: names the tasks without a score, which the summary leaves out.

    Raises
    ------
    ValueError
        An unknown metric, or one of which less is better; when called, what
        :func:`score_per_task` raises, and no task with a score.
    TaskLayoutError
        When called: `average` names no task.

    Notes
    -----
    In long form under an estimator without ``task_names_``, the dict has the tasks in the rows
    at hand: split by :class:`MultiTaskKFold`, which puts every task into every fold.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from sklearn.model_selection import cross_validate
    >>> from sklearn_mtl import make_task_scorer
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(90, 3))
    >>> y = np.column_stack([X[:, 0], rng.normal(size=90)])
    >>> forest = RandomForestRegressor(n_estimators=20, random_state=0)
    >>> found = cross_validate(forest, X, y, cv=3, scoring=make_task_scorer(average=None))
    >>> print(f"{found['test_task0'].mean():.1f} against {found['test_task1'].mean():.1f}")
    0.9 against -0.5
    >>> make_task_scorer("neg_mean_absolute_error", average="worst")
    make_task_scorer('neg_mean_absolute_error', average='worst')
    """
    metrics = metric.values() if isinstance(metric, Mapping) else [metric]
    for one in metrics:
        resolve_metric(one, "make_task_scorer")
        _refuse_loss(one)
    if average is not None and not isinstance(average, Hashable):
        raise TypeError(
            "average must be 'macro', 'worst', 'weighted', a task name or None, got "
            f"{type(average).__name__}."
        )
    recipe = {"metric": metric, "task_feature": task_feature, "task_kinds": task_kinds}
    return TaskVectorScorer(recipe) if average is None else TaskScorer(recipe, average)


def _refuse_loss(metric: Any) -> None:
    # scikit-learn's convention: functions that end so are to be minimised
    name = "" if isinstance(metric, (_BaseScorer, str)) else getattr(metric, "__name__", "")
    if name.endswith(("_error", "_loss", "_deviance")):
        raise ValueError(
            f"metric={name} is better when it is smaller, but scorers are maximised; pass its "
            f"scorer name (such as 'neg_{name}') or make_scorer({name}, greater_is_better=False)."
        )


def _task_scores(y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
    """Have the signature that scikit-learn reads metadata requests from."""


class TaskScorer(_BaseScorer):
    """The scorer that `make_task_scorer` makes for one number."""

    # what _BaseScorer reads; of the class, so that the state of a scorer holds no function
    _score_func = staticmethod(_task_scores)
    _sign = 1
    _kwargs: Mapping[str, Any] = MappingProxyType({})
    _response_method = "predict"

    def __init__(self, recipe: Mapping[str, Any], average: Hashable) -> None:
        self._recipe, self._average = recipe, average

    def __repr__(self) -> str:
        return _representation(self._recipe, self._average)

    def __sklearn_clone__(self) -> "TaskScorer":
        return copy.deepcopy(self)

    def _score(
        self, method_caller: Any, estimator: Any, X: Any, y_true: Any, **kwargs: Any
    ) -> float:
        true, scores = _scores(self._recipe, method_caller, estimator, X, y_true, **kwargs)
        if self._average == MACRO:
            return average_scores(scores)
        if self._average == WORST:
            return float(np.nanmin(defined_scores(scores)))
        if self._average == WEIGHTED:
            return average_scores(scores, np.array([_observed(task) for task in true.tasks]))
        if self._average not in scores:
            raise TaskLayoutError(
                f"average={self._average!r} is neither 'macro', 'worst' nor 'weighted', nor a "
                f"task; the tasks are {listing(scores)}{did_you_mean(self._average, scores)}."
            )
        return scores[self._average]


class TaskVectorScorer(_MetadataRequester):
    """The scorer that `make_task_scorer` makes for a dict of scores by task."""

    # no _BaseScorer, which scikit-learn takes to return one number
    __metadata_request__score = {"sample_weight": None}

    def __init__(self, recipe: Mapping[str, Any]) -> None:
        self._recipe = recipe

    def __call__(
        self, estimator: Any, X: Any, y_true: Any, *, sample_weight: Any = None, **kwargs: Any
    ) -> dict[Hashable, float]:
        """Score a fitted estimator; return {task name: score}."""
        _raise_for_params(kwargs, self, None)
        caller = partial(_cached_call, None)
        return _scores(self._recipe, caller, estimator, X, y_true, sample_weight=sample_weight)[1]

    def task_feature_of(self, estimator: Any, X: Any) -> Any:
        """Return the column of X that holds each row's task; None where rows have all tasks."""
        return find_task_feature(estimator, X, self._recipe["task_feature"], fitted=True)

    def __repr__(self) -> str:
        return _representation(self._recipe, None)

    def __sklearn_clone__(self) -> "TaskVectorScorer":
        return copy.deepcopy(self)

    def set_score_request(self, *, sample_weight: Any) -> "TaskVectorScorer":
        """Say whether metadata routing shall pass sample_weight: True, False, None or an alias."""
        self._metadata_request = MetadataRequest(owner=self)
        self._metadata_request.score.add_request(param="sample_weight", alias=sample_weight)
        return self

    def _routing_repr(self) -> str:
        return repr(self)

    def _accept_sample_weight(self) -> bool:
        return True


def _representation(recipe: Mapping[str, Any], average: Hashable | None) -> str:
    metric = recipe["metric"]
    words = [] if metric is None else [getattr(metric, "__name__", repr(metric))]
    words += [] if average == MACRO else [f"average={average!r}"]
    words += [f"{name}={recipe[name]!r}" for name in list(recipe)[1:] if recipe[name] is not None]
    return f"make_task_scorer({', '.join(words)})"


def _observed(task: Any) -> float:
    return len(task.rows) if task.weights is None else task.weights.sum()


def _scores(
    recipe: Mapping[str, Any],
    method_caller: Any,
    estimator: Any,
    X: Any,
    y_true: Any,
    sample_weight: Any = None,
) -> tuple[TrueLabels, dict[Hashable, float]]:
    """Read the labels, ask the estimator and score each task."""
    layout, _ = find_layout(estimator)
    task_feature = find_task_feature(estimator, X, recipe["task_feature"], fitted=True)
    tags = None if task_feature is None else split_task_column(X, task_feature)[0]
    names = layout.names if layout is not None and layout.rows == LONG else None
    true = read_true(y_true, sample_weight, tags, names)
    kinds = estimator_kinds(estimator, layout, true, recipe["task_kinds"])

    def call(method: str) -> Any:
        if has_tags(estimator) and not is_classifier(estimator):
            return method_caller(estimator, method, X, pos_label=None)  # shared between scorers
        return getattr(estimator, method)(X)  # scikit-learn's caller knows one column of classes

    methods = {method for method in METHODS if hasattr(estimator, method)}
    metrics = resolve_metrics(recipe["metric"], true.names, "make_task_scorer")
    return true, score_tasks(EstimatorOutputs(true, call, methods), kinds, metrics)
