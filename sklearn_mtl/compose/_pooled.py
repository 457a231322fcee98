import warnings
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import clone
from sklearn.utils import _safe_indexing, get_tags, metadata_routing
from sklearn.utils.metadata_routing import (
    _raise_for_params,
    _routing_enabled,
    process_routing,
)

from sklearn_mtl.compose._base import BaseComposition, require_probabilities
from sklearn_mtl.compose._fit_one import one_column, takes_sample_weight
from sklearn_mtl.compose._one_or_dict import OneOrDictOfEstimators
from sklearn_mtl.compose._part import sliceable
from sklearn_mtl.compose._pooled_rows import PooledRows, joined, pooled_rows
from sklearn_mtl.compose._same_features import check_same_features
from sklearn_mtl.compose._shared_classes import SharedClasses
from sklearn_mtl.compose._tags import kind_of
from sklearn_mtl.compose._target_scale import target_moments
from sklearn_mtl.compose._task_features import task_features
from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks import TaskData, TaskLayout, infer_layout
from sklearn_mtl.tasks._chosen import ChosenTasks
from sklearn_mtl.tasks._column import is_dict_of_rows
from sklearn_mtl.tasks._weights import resolve_task_weight
from sklearn_mtl.utils._validation import check_option, listing, plain
from sklearn_mtl.utils._warnings import level_of_caller


class PooledTasks(BaseComposition, OneOrDictOfEstimators):
    """One scikit-learn estimator for all tasks, which sees the task as features of each row.

    One row (x_ti, e_t) -> y_ti for every observed label, and one model of them all,

        f = clone(estimator).fit(rows, labels),    prediction of task t at x:  f(x, e_t)

    with e_t the t-th unit vector, or the number t. What is shared is up to the estimator: a forest
    splits on the task where tasks differ. **A linear model gives each task a constant of its own
    and all of them the same slopes**, since e_t enters by a sum; for slopes by task, put products
    of features and task columns into a pipeline, or use :class:`MeanRegularizedRegressor`.

    Parameters
    ----------
    estimator : estimator
        A regressor or a classifier; one task's labels are one column to it.
    task_encoding : {"onehot", "ordinal"}, default="onehot"
        "onehot" writes T columns of 0 and 1, "ordinal" one column of task numbers 0 … T - 1, for
        estimators that take categories (``HistGradientBoostingRegressor(
        categorical_features=["task"])``) and where T columns a row are too many. They come after
        the features of X, tasks in the order of ``task_names_``. In frames they are called
        "task_<name>" and "task", in long form after the task column: "school_<name>", "school".
        Next to a sparse X they are sparse.
    target_scaling : {"standard"} or None, default="standard"
        "standard" gives the estimator regression labels with mean 0 and standard deviation 1, each
        task by its own observed labels, so that no task counts more for its units. Predictions are
        in the units of y. None leaves labels as they are: for tasks that are one quantity in one
        unit, such as one target in many places, whose levels and spreads tell of one another (see
        Notes), and for estimators of positive labels.
    task_weight : {"n_samples"}, None, dict or array-like of shape (T,), default="n_samples"
        λ_t of the objective sum_t λ_t mean_i loss_ti. "n_samples", λ_t = n_t / mean(n), weights
        labels equally: one row is one label. None weights tasks equally, as other estimators of
        this package do by default. All but "n_samples" need an estimator whose ``fit`` takes
        `sample_weight`.
    task_kinds : dict from task name to {"regression", "classification"}, default=None
        Kinds of tasks where the estimator is neither a regressor nor a classifier. Where it is
        silent, float labels are regression and all others classification.
    task_feature : str or int, default=None
        Name or number of the column of X that says which task a row belongs to (long form).

    Attributes
    ----------
    estimator_ : fitted estimator
    task_names_ : list of T names
    layout_ : TaskLayout
        The tasks' kinds and classes, and the container that ``fit`` received.
    classes_ : ndarray, or list of T arrays
        For classification. An array for one column of labels, in long form the union over tasks.
    target_mean_, target_scale_ : ndarray of shape (T,)
        What regression labels were centred by and divided by: 0 and 1 without `target_scaling`.
    n_features_in_ : int
        Number of features (in long form with the task column).
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, where X is of frames whose columns are all strings.

    Raises
    ------
    TaskLayoutError
        Tasks of both kinds; classes that are text in one task and numbers in another; a column of X
        that is called as the task's columns are; a task without a label; in ``predict``, a task
        that ``fit`` never saw.
    TypeError
        A dict of estimators, a class, what cannot be fitted, or `sample_weight` or `task_weight`
        for an estimator whose ``fit`` takes no `sample_weight`.
    ValueError
        An unknown word for a parameter; tasks whose own X differ in features; scaled targets for an
        estimator of positive labels.

    Warns
    -----
    UserWarning
        In ``predict`` and ``predict_proba``, where the model finds nothing but classes of other
        tasks. See Notes.

    See Also
    --------
    IndependentTasks : One estimator for each task, nothing shared.
    stack_tasks : Long form from tasks with rows of their own.

    Notes
    -----
    *Order.* Rows go to the estimator task after task, in long form in the order of the caller, in
    the type of the caller's X. With shared rows a row of X is repeated for each of its labels.

    *Scaling.* The mean of a few labels is no better known than their number allows. Of the 139
    schools of the ILEA examination scores, with 16 labels a school and ``Ridge(10)``, scaled
    targets explain 0.33 of the variance of held-out scores and targets as they are 0.36; with 83
    labels a school they are level, at 0.38 (``IndependentTasks(Ridge(100))``: 0.05 and 0.19).

    *Classes.* A classifier learns the union of the tasks' classes; predictions are a task's own.
    Its probabilities are restricted to the task's classes and divided by their sum. A predicted
    class that the task does not have gives way to the task's most probable one. Where the model
    gives all of the task's classes probability 0, or has no ``predict_proba``, the class
    frequencies of the task's labels stand in, and a warning says in how many answers.

    *Metadata.* `sample_weight` multiplies the weights of `task_weight`, whose n_t is then the sum
    of the task's weights; a label of weight 0 is no label. With metadata routing enabled it and all
    other metadata of ``fit`` go to the estimator if it requests them; what has an entry a row of X
    is repeated with the rows.

    The estimator's own `n_jobs` says how many processors work on the one model.

    References
    ----------
    Caruana, R. (1997). "Multitask Learning." Machine Learning 28, 41-75.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from sklearn_mtl import PooledTasks
    >>> X = np.arange(8.0).reshape(-1, 1)
    >>> y = {"metres": X[:, 0], "feet": np.where(X[:, 0] < 6, 3.28 * X[:, 0], np.nan)}
    >>> model = PooledTasks(RandomForestRegressor(random_state=0)).fit(X, y)
    >>> model.estimator_.n_features_in_
    3
    >>> model.predict(X[:2])["feet"].shape
    (2,)
    """

    # its own `fit` hands sample_weight on to the estimator, who requests it
    __metadata_request__fit = {"sample_weight": metadata_routing.UNUSED}

    def __init__(
        self,
        estimator: Any,
        *,
        task_encoding: str = "onehot",
        target_scaling: str | None = "standard",
        task_weight: Any = "n_samples",
        task_kinds: Mapping[Hashable, str] | None = None,
        task_feature: Any = None,
    ) -> None:
        self.estimator = estimator
        self.task_encoding = task_encoding
        self.target_scaling = target_scaling
        self.task_weight = task_weight
        self.task_kinds = task_kinds
        self.task_feature = task_feature

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self:
        """Fit one clone of the estimator on the labels of all tasks.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n, p), or dict name -> (n_t, p)
        y : array-like of shape (n,) or (n, T), frame, dict name -> labels, or MultiTaskTarget
            NaN, None and NA mark labels that nobody observed.
        sample_weight : array-like of shape (n,) or (n, T), frame or dict by task, default=None
        **params : dict
            Metadata for the estimator, with metadata routing enabled.

        Returns
        -------
        self : PooledTasks
        """
        _raise_for_params(params, self, "fit")
        self._check_parameters()
        X = sliceable(X)
        layout = infer_layout(
            X,
            y,
            family=kind_of(self.estimator) or "mixed",
            task_kinds=self.task_kinds,
            task_feature=self.task_feature,
        )
        _check_one_kind(layout)
        self._check_X(X, reset=True)
        fit_params = self._routed(sample_weight, params)
        data = layout.encode(X, y, fit_params.pop("sample_weight", None))
        layout.check_observed(data)
        pooled = pooled_rows(data)
        fit_params = pooled.metadata(layout, fit_params)
        weights = self._weights(layout, pooled)
        if weights is not None:
            self._check_takes_weights()
            fit_params["sample_weight"] = weights

        self._set_layout(layout)
        prefix = self.task_feature if isinstance(self.task_feature, str) else "task"
        self._task_features = task_features(layout.names, self.task_encoding, prefix)
        inputs = self._task_features.beside(pooled.inputs(), pooled.task_index)
        self.estimator_ = clone(self.estimator).fit(inputs, self._labels(pooled), **fit_params)
        return self

    # -- how --------------------------------------------------------------------------------------

    def _parameters_for(self, tasks: ChosenTasks) -> dict[str, Any]:
        own = {name: tasks.by_task(getattr(self, name)) for name in ("task_kinds", "task_weight")}
        return super()._parameters_for(tasks) | own

    def _check_parameters(self) -> None:
        if isinstance(self.estimator, Mapping):
            raise TypeError(
                "estimator is a dict, but PooledTasks fits one model of all tasks; pass one "
                "estimator, or use IndependentTasks for an estimator a task."
            )
        self._check_estimators()
        check_option(
            self.task_encoding,
            ("onehot", "ordinal"),
            parameter="task_encoding",
            owner="PooledTasks",
        )
        if self.target_scaling is None:
            return
        check_option(
            self.target_scaling, ("standard",), parameter="target_scaling", owner="PooledTasks"
        )
        if kind_of(self.estimator) == "regression" and (
            get_tags(self.estimator).target_tags.positive_only
        ):
            raise ValueError(
                f"{type(self.estimator).__name__} takes positive labels, and those that "
                "target_scaling='standard' makes have mean 0; set target_scaling=None."
            )

    def _check_X(self, X: Any, *, reset: bool) -> None:
        if is_dict_of_rows(X):
            check_same_features(X)
            X = next(iter(X.values()), X)  # the first stands for all
        super()._check_X(X, reset=reset)

    def _routed(self, sample_weight: Any, params: dict[str, Any]) -> dict[str, Any]:
        """Return what the estimator's fit is to be given, by row of X."""
        if sample_weight is not None:
            params = {**params, "sample_weight": sample_weight}
        if not _routing_enabled():
            return params
        return dict(process_routing(self, "fit", **params)["estimator"]["fit"])

    def _weights(self, layout: TaskLayout, pooled: PooledRows) -> np.ndarray | None:
        """Return the weight of each label, None where all count the same."""
        data = pooled.data
        own = None if data.weights is None else pooled.at(data.weights)
        mass = np.bincount(pooled.task_index, own, minlength=layout.n_tasks)
        weight = resolve_task_weight(self.task_weight, layout.names, mass)
        if isinstance(self.task_weight, str):
            return own  # λ_t / n_t is the same for all tasks
        # sum_t λ_t mean_i loss_ti, at the scale of a sum over labels
        by_task = weight * mass.mean() / mass
        return by_task[pooled.task_index] * (1.0 if own is None else own)

    def _check_takes_weights(self) -> None:
        if not takes_sample_weight(self.estimator):
            raise TypeError(
                f"sample_weight, and every task_weight but 'n_samples', are weights of labels, but "
                f"{type(self.estimator).__name__}.fit takes no sample_weight; leave them out, or "
                "choose an estimator that weights rows."
            )

    def _labels(self, pooled: PooledRows) -> np.ndarray:
        """Return what the estimator learns: classes of the union, or scaled values."""
        layout, data = self.layout_, pooled.data
        labels = pooled.at(data.labels)  # type: ignore[arg-type]
        for attribute in ("_classes", "target_mean_", "target_scale_"):  # of an earlier fit
            self.__dict__.pop(attribute, None)
        if layout.tasks[0].is_classification:
            self._classes = SharedClasses(layout)
            weights = None if data.weights is None else pooled.at(data.weights)
            return self._classes.read(labels, pooled.task_index, weights)
        if self.target_scaling is None:
            mean, scale = np.zeros(layout.n_tasks), np.ones(layout.n_tasks)
        else:
            mean, scale = target_moments(data)
        self.target_mean_, self.target_scale_ = mean, scale
        return (labels - mean[pooled.task_index]) / scale[pooled.task_index]

    def _blocks(self, data: TaskData) -> Iterator[tuple[Any, np.ndarray]]:
        """Yield inputs for the model and the task of each: all tagged rows, else task by task."""
        if data.task_index is not None:
            X = joined(data.X) if isinstance(data.X, list) else data.X
            yield self._task_features.beside(X, data.task_index), data.task_index
            return
        for t in range(data.n_tasks):  # all at once would be T times the rows
            task_index = np.full(data.n_rows, t)
            yield self._task_features.beside(data.X, task_index), task_index

    def _predict(self, data: TaskData) -> np.ndarray:
        work = f"{type(self.estimator_).__name__}.predict"
        answers, without = [], []
        for inputs, task_index in self._blocks(data):
            predicted = one_column(np.asarray(self.estimator_.predict(inputs)), inputs, work)
            if self.layout_.tasks[0].is_classification:
                found, lost = self._numbers(inputs, predicted, task_index)
                without.append(task_index[lost])
            else:
                found = predicted * self.target_scale_[task_index] + self.target_mean_[task_index]
            answers.append(found)
        self._warn_lost(without, data)
        return np.column_stack(answers) if data.task_index is None else answers[0]

    def _numbers(
        self, inputs: Any, predicted: np.ndarray, task_index: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return class numbers within tasks, and the rows about which the model says nothing.

        Classes of other tasks give way to the task's own.
        """
        numbers = self._classes.numbers(predicted, task_index)
        foreign = np.flatnonzero(numbers < 0)
        if len(foreign) == 0:
            return numbers, foreign
        here = task_index[foreign]
        if hasattr(self.estimator_, "predict_proba"):
            shares, lost = self._restricted(_safe_indexing(inputs, foreign), here)
        else:
            shares, lost = self._classes.frequencies[here], np.full(len(here), True)
        numbers[foreign] = self._classes.most_probable(shares, here)
        return numbers, foreign[lost]

    def _restricted(self, inputs: Any, task_index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        estimator = self.estimator_
        probabilities = np.asarray(estimator.predict_proba(inputs))
        return self._classes.restricted(estimator, probabilities, task_index)

    def _warn_lost(self, without: Sequence[np.ndarray], data: TaskData) -> None:
        """Warn once, given the task of each answer about which the model says nothing."""
        lost = np.concatenate([np.empty(0, np.intp), *without])
        if len(lost):
            n_answers = data.n_rows * (data.n_tasks if data.task_index is None else 1)
            names = [self.layout_.names[t] for t in np.unique(lost)]
            warnings.warn(
                f"In {len(lost)} of {n_answers} answers the model finds only classes that the "
                f"answer's task does not have; the class frequencies of the task(s) "
                f"{listing(names)} stand in. IndependentTasks keeps the classes of tasks apart.",
                UserWarning,
                stacklevel=level_of_caller(),
            )

    def _parts(self) -> list[Any]:
        return [self.estimator_]

    def _has_probabilities(self) -> bool:
        estimator = getattr(self, "estimator_", self.estimator)
        if kind_of(estimator) == "regression":
            return False
        if hasattr(self, "layout_") and not self.layout_.tasks[0].is_classification:
            return False
        return require_probabilities([estimator])

    def _probabilities(self, data: TaskData) -> list[np.ndarray | None]:
        blocks, without = [], []
        for inputs, task_index in self._blocks(data):
            shares, lost = self._restricted(inputs, task_index)
            blocks.append(shares)
            without.append(task_index[lost])
        self._warn_lost(without, data)
        own = self._classes.own
        if data.task_index is None:
            return [block[:, classes] for block, classes in zip(blocks, own, strict=True)]
        pairs = zip(data.groups, own, strict=True)
        return [blocks[0][np.ix_(rows, classes)] for rows, classes in pairs]


def _check_one_kind(layout: TaskLayout) -> None:
    first = layout.tasks[0]
    for task in layout.tasks:
        if task.is_classification != first.is_classification:
            raise TaskLayoutError(
                f"One model of all tasks needs tasks of one kind, but {plain(first.name)!r} is "
                f"{first.kind} and {plain(task.name)!r} {task.kind}; say so in task_kinds if "
                "numbers were taken for classes, or use IndependentTasks."
            )
