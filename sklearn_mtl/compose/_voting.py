from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from sklearn.base import clone
from sklearn.utils import Bunch, metadata_routing
from sklearn.utils.metadata_routing import (
    _raise_for_params,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.parallel import Parallel, delayed

from sklearn_mtl.compose._base import BaseComposition, place, require_probabilities
from sklearn_mtl.compose._fit_one import takes_sample_weight
from sklearn_mtl.compose._member import Member, check_kind, check_same_tasks
from sklearn_mtl.compose._named_estimators import NamedEstimators, is_dropped
from sklearn_mtl.compose._part import sliceable
from sklearn_mtl.compose._tags import kind_of
from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks import TaskData, TaskLayout, infer_layout
from sklearn_mtl.tasks._chosen import ChosenTasks, parameters_for
from sklearn_mtl.tasks._column import column_names, is_frame
from sklearn_mtl.tasks._layout import LONG
from sklearn_mtl.tasks._nested import find_layout
from sklearn_mtl.utils._errors import told_of
from sklearn_mtl.utils._validation import check_option, listing, plain


class VotingTasks(BaseComposition, NamedEstimators):
    """The average, or the vote, of several multi-task estimators of the same tasks.

    With weights w_m that sum to 1, for each task and each row x

        regression:       f(x) = sum_m w_m f_m(x)
        soft voting:      P(c | x) = sum_m w_m P_m(c | x),    f(x) = argmax_c P(c | x)
        hard voting:      f(x) = argmax_c sum_m w_m [f_m(x) = c]

    and the first of classes that are level. The squared error of an average is the average squared
    error of its members less the variance between them (Krogh & Vedelsby 1995): what helps
    are members that are good and differ, such as a linear model beside a forest a task.

    Parameters
    ----------
    estimators : list of (str, estimator) tuples
        Any of this package, pipelines and searches of them, and, where y is one array or frame of
        complete labels, scikit-learn's own. ``forest__estimator__max_depth`` is a parameter of the
        one called "forest"; ``set_params(forest="drop")`` leaves it out.
    voting : {"soft", "hard"}, default="soft"
        For classification tasks. "soft" needs ``predict_proba`` of every estimator.
    weights : array-like of shape (n_estimators,), default=None
        Not negative, in any unit; None weights all equally.
    task_feature : str or int, default=None
        Name or number of the column of X that says which task a row belongs to (long form). None
        is the column that the estimators name. Needed where they do not see this X: where none of
        them knows of tasks, or pipelines put columns into another order.
    n_jobs : int, default=None
        Estimators fitted at a time; None is 1 unless in a :obj:`joblib.parallel_config` context, -1
        is all processors. Results do not depend on it.

    Attributes
    ----------
    estimators_ : list of fitted estimators
        Without those that are "drop".
    named_estimators_ : Bunch
        The fitted estimators by name, "drop" where they were left out.
    task_names_ : list of T names
    layout_ : TaskLayout
        The tasks' kinds and classes, and the container that ``fit`` received.
    classes_ : ndarray, or list of T arrays
        Where a task is classification. An array for one column of labels, in long form the union
        over tasks; else a list with None for regression tasks.
    n_features_in_ : int
        Number of features (in long form with the task column), where X is one array.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, where X is one frame whose columns are all strings.

    Raises
    ------
    TaskLayoutError
        Estimators that do not fit together: a regressor and a classifier of the same labels, tasks,
        kinds or classes that differ, predictions of another shape; the message names both.
    ValueError
        An empty list, names that are not unique, hold "__" or are parameters of this class; nothing
        but "drop"; weights of another length or all 0; soft voting with an estimator that has no
        ``predict_proba``; an estimator's own ValueError, with its name.
    TypeError
        What is no list of pairs, or no estimator; an estimator's own TypeError, with its name.

    See Also
    --------
    IndependentTasks : One estimator for each task, nothing shared.
    sklearn.ensemble.VotingRegressor : One column of labels.

    Notes
    -----
    *Metadata.* `sample_weight` is given to every estimator, and only if passed. With metadata
    routing enabled it and all other metadata of ``fit`` go to the estimators that request them.

    References
    ----------
    Krogh, A., and Vedelsby, J. (1995). "Neural Network Ensembles, Cross Validation, and Active
    Learning." Advances in Neural Information Processing Systems 7, 231-238.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from sklearn_mtl import IndependentTasks, LowRankRegressor, VotingTasks
    >>> X = np.arange(12.0).reshape(-1, 1)
    >>> y = {"price": 2.0 * X[:, 0], "size": np.where(X[:, 0] < 9, 3.0 * X[:, 0], np.nan)}
    >>> forests = IndependentTasks(RandomForestRegressor(random_state=0))
    >>> model = VotingTasks([("lowrank", LowRankRegressor(alpha=0.01)), ("forests", forests)])
    >>> predicted = model.fit(X, y).predict(X)
    >>> members = [member.predict(X)["size"] for member in model.estimators_]
    >>> np.allclose(predicted["size"], (members[0] + members[1]) / 2)
    True
    """

    # its own `fit` hands sample_weight on to the estimators, who request it
    __metadata_request__fit = {"sample_weight": metadata_routing.UNUSED}

    def __init__(
        self,
        estimators: Sequence[tuple[str, Any]],
        *,
        voting: str = "soft",
        weights: Any = None,
        task_feature: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.estimators = estimators
        self.voting = voting
        self.weights = weights
        self.task_feature = task_feature
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self:
        """Fit a clone of each estimator on X and y as they are.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n, p), or dict name -> (n_t, p_t)
        y : array-like of shape (n,) or (n, T), frame, dict name -> labels, or MultiTaskTarget
            NaN, None and NA mark labels that nobody observed, for estimators that know of them.
        sample_weight : array-like of shape (n,) or (n, T), frame or dict by task, default=None
            In a form that every estimator takes.
        **params : dict
            Metadata for the estimators, with metadata routing enabled.

        Returns
        -------
        self : VotingTasks
        """
        _raise_for_params(params, self, "fit")
        check_option(self.voting, ("soft", "hard"), parameter="voting", owner="VotingTasks")
        self._check_estimators()
        self._check_kinds()
        self._member_weights = self._check_weights()
        X = sliceable(X)
        self._check_X(X, reset=True)
        if sample_weight is not None:
            params["sample_weight"] = sample_weight
        routed = process_routing(self, "fit", **params) if _routing_enabled() else None
        fitted = Parallel(n_jobs=self.n_jobs)(
            delayed(_fit)(name, clone(est), X, y, params if routed is None else routed[name]["fit"])
            for name, est in self._kept()
        )
        members = [Member(name, est) for (name, _), est in zip(self._kept(), fitted, strict=True)]
        layout = self._common_layout(members, X, y)
        if any(task.is_classification for task in layout.tasks):
            self._check_probabilities([(member.name, member.estimator) for member in members])
        self._set_layout(layout)
        self.estimators_ = fitted
        by_name = {member.name: member.estimator for member in members}
        self.named_estimators_ = Bunch(
            **{name: by_name.get(name, "drop") for name, _ in self.estimators}
        )
        return self

    # -- what is checked -------------------------------------------------------------------------

    def _parameters_for(self, tasks: ChosenTasks) -> dict[str, Any]:
        """Return the parameters that are of each task, for some of the tasks."""
        return {
            f"{name}__{key}": value
            for name, est in self._kept()
            for key, value in parameters_for(est, tasks).items()
        }

    def _check_kinds(self) -> None:
        """Raise where the estimators' tags say, before any is fitted, that they do not fit."""
        kinds = {kind_of(est): name for name, est in self._kept()}
        if {"regression", "classification"} <= set(kinds):
            raise TaskLayoutError(
                f"Estimators {kinds['regression']!r} and {kinds['classification']!r} do not fit "
                "together: the one is a regressor, the other a classifier of the same labels."
            )
        if set(kinds) == {"classification"}:
            self._check_probabilities(self._kept())

    def _check_probabilities(self, estimators: Sequence[tuple[str, Any]]) -> None:
        for name, est in estimators:
            if self.voting == "soft" and not hasattr(est, "predict_proba"):
                raise ValueError(
                    f"Soft voting averages probabilities, but estimator {name!r} "
                    f"({type(est).__name__}) has no predict_proba; set voting='hard', or choose an "
                    "estimator that has it."
                )

    def _check_weights(self) -> np.ndarray:
        """Return the weights of the estimators that are kept."""
        if self.weights is None:
            return np.ones(len(self._kept()))
        weights = np.asarray(self.weights, dtype=np.float64)
        if weights.shape != (len(self.estimators),):
            raise ValueError(
                f"weights must have one number for each of {len(self.estimators)} estimators "
                f"{listing(name for name, _ in self.estimators)}, found shape {weights.shape}."
            )
        kept = weights[[not is_dropped(est) for _, est in self.estimators]]
        if not np.isfinite(weights).all() or (weights < 0).any() or not kept.any():
            raise ValueError(
                "weights must be finite and not negative, and positive for an estimator that is "
                f"kept; got {plain(self.weights)!r}."
            )
        return kept

    # -- the tasks ----------------------------------------------------------------------------

    def _common_layout(self, members: Sequence[Member], X: Any, y: Any) -> TaskLayout:
        """Return the tasks that all members have, in the caller's containers."""
        known = [
            (member, layout, is_inner)
            for member in members
            for layout, is_inner in [find_layout(member.estimator)]
            if layout is not None
        ]
        if not known:  # none of them knows of tasks
            family = kind_of(members[0].estimator) or "mixed"
            return infer_layout(X, y, family=family, task_feature=self.task_feature)
        # a pipeline may have moved the task column, so whoever saw this X comes first
        first, layout, is_inner = min(known, key=lambda entry: entry[2])
        for member, others, _ in known:
            check_same_tasks(first, layout, member, others)
        for member in members:
            check_kind(member, layout)
        feature = layout.task_feature if self.task_feature is None else self.task_feature
        if layout.rows != LONG and feature is not None:
            raise TaskLayoutError(
                f"task_feature={feature!r} asks for long form, but estimator {first.title} was "
                "fitted without a task column; set its own task_feature too."
            )
        if is_inner and self.task_feature is None and layout.rows == LONG:
            _check_is_column(feature, X)
        return replace(layout, task_feature=feature)

    # -- what they say ------------------------------------------------------------------------

    def _encode(self, X: Any, y: Any = None, sample_weight: Any = None) -> TaskData:
        # estimators read the caller's X by themselves, with its task column or as a dict
        return replace(super()._encode(X, y, sample_weight), X=sliceable(X))

    def _members(self) -> list[Member]:
        """Return the fitted estimators with their names."""
        fitted = self.named_estimators_.items()
        return [Member(name, est) for name, est in fitted if not is_dropped(est)]

    def _predict(self, data: TaskData) -> np.ndarray:
        layout = self.layout_
        shares: list[np.ndarray | None] = [None] * layout.n_tasks
        if self.voting == "soft" and any(task.is_classification for task in layout.tasks):
            shares = self._probabilities(data)
        found: list[np.ndarray] = []
        if any(block is None for block in shares):
            found = [member.predict(data.X, layout) for member in self._members()]
        answers = {}
        for t, (task, block) in enumerate(zip(layout.tasks, shares, strict=True)):
            rows = data.rows(t, observed=False)
            columns = [data.column(values, t, rows) for values in found]
            if task.classes is None:
                answers[t] = self._average(columns)
            else:
                votes = self._votes(columns, len(task.classes)) if block is None else block
                answers[t] = votes.argmax(axis=1)
        return place(answers, data)

    def _average(self, values: Sequence[Any]) -> np.ndarray:
        # not divided before they are summed, since level votes are to stay level
        weights = self._member_weights
        return np.tensordot(weights, np.stack(values), axes=1) / weights.sum()

    def _votes(self, codes: Sequence[np.ndarray], n_classes: int) -> np.ndarray:
        """Return the weight of the members that say each class, shape (n_t, n_classes)."""
        return self._average([np.eye(n_classes)[own.astype(np.intp)] for own in codes])

    def _has_probabilities(self) -> bool:
        if self.voting != "soft":
            raise AttributeError(
                f"predict_proba is for voting='soft', but voting is {self.voting!r}."
            )
        if hasattr(self, "layout_"):
            return any(task.is_classification for task in self.layout_.tasks)
        return require_probabilities([est for _, est in self._kept()])

    def _probabilities(self, data: TaskData) -> list[np.ndarray | None]:
        found = [member.probabilities(data.X, self.layout_, data) for member in self._members()]
        return [
            None if task.classes is None else self._average([blocks[t] for blocks in found])
            for t, task in enumerate(self.layout_.tasks)
        ]


def _fit(name: str, estimator: Any, X: Any, y: Any, params: dict[str, Any]) -> Any:
    """Fit one estimator; an error says whose it is."""
    if "sample_weight" in params and not takes_sample_weight(estimator):
        raise TypeError(
            f"sample_weight was passed, but fit of estimator {name!r} ({type(estimator).__name__}) "
            "takes no sample_weight; leave it out, or drop that estimator."
        )
    try:
        return estimator.fit(X, y, **params)
    except Exception as error:
        work = f"Estimator {name!r}: {type(estimator).__name__}.fit"
        raise told_of(work, error) from error


def _check_is_column(task_feature: Any, X: Any) -> None:
    """Raise unless the task column that a pipeline's last step names is one of this X too."""
    if not is_frame(X) or task_feature not in column_names(X):
        raise TaskLayoutError(
            f"All estimators are pipelines, whose last steps have task_feature={task_feature!r}, "
            "which is no column name of the X that VotingTasks is given; say where that X has the "
            "task: VotingTasks(task_feature=...)."
        )
