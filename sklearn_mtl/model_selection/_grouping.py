from collections.abc import Hashable, Iterator, Mapping
from dataclasses import replace
from numbers import Integral
from typing import Any, Self

import numpy as np
from sklearn.utils import _safe_indexing, get_tags, metadata_routing
from sklearn.utils.parallel import Parallel, delayed

from sklearn_mtl.compose._base import BaseComposition
from sklearn_mtl.compose._fit_one import check_takes_sample_weight
from sklearn_mtl.compose._member import Member
from sklearn_mtl.compose._one_or_dict import OneOrDictOfEstimators
from sklearn_mtl.compose._part import sliceable
from sklearn_mtl.compose._tags import is_tagged, kind_of
from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.model_selection._affinity import TaskAffinity
from sklearn_mtl.model_selection._comparison_rows import ComparisonRows
from sklearn_mtl.model_selection._given_affinity import given_affinity
from sklearn_mtl.model_selection._measure_affinity import (
    MEASURES_OF_ONE_FIT,
    METHODS,
    labelled_splits,
    measure_affinity,
    task_subsets,
)
from sklearn_mtl.model_selection._n_groups import score_numbers
from sklearn_mtl.model_selection._paired_folds import Splits
from sklearn_mtl.model_selection._partition import best_partition
from sklearn_mtl.model_selection._task_errors import check_scoring
from sklearn_mtl.model_selection._task_subsets import Subset, TaskSubsets
from sklearn_mtl.tasks import TaskData, TaskLayout, infer_layout
from sklearn_mtl.tasks._chosen import ChosenTasks, parameters_for
from sklearn_mtl.tasks._containers import FRAME, MATRIX, VECTOR
from sklearn_mtl.tasks._layout import LONG, OWN, SHARED
from sklearn_mtl.tasks._nested import find_task_feature, innermost
from sklearn_mtl.utils._validation import check_option, draw_seed


class TaskGrouping(BaseComposition, OneOrDictOfEstimators):
    """One model for each group of tasks, the groups learned: tasks that help one another share.

    With A[i, j] how much task i helps task j, measured by :func:`task_affinity`, the groups are

        argmax over partitions into K groups  sum_j  mean of A[i, j] over the others i of j's group

    where a task that is alone receives 0: the gain that pairs predict for larger groups (Standley
    et al. and Fifty et al., who let a model serve only some of its tasks; here each task is in
    one group). Exact up to 10 tasks, a local maximum beyond. A clone of the estimator is then
    fitted to each group.

    Parameters
    ----------
    estimator : estimator
        Of several tasks, and of one.
    n_groups : int or "auto", default="auto"
        K. "auto" cross-validates the best partitions into 1, …, `max_groups` and T groups, and
        takes the fewest groups whose mean gain over one group of all tasks, relative to its
        errors, is within one standard error of the best. Affinities that take one fit are measured
        anew on the training rows of each split; those of pairs are not.
    max_groups : int, default=6
        For ``n_groups="auto"``.
    affinity : {"pairwise", "gradient", "coefficients"}, TaskAffinity, or array or frame of shape \
(T, T), default="pairwise"
        What to measure, or what was: the entry [i, j] says how much i helps j. Tasks of a frame go
        by name, those of an array by their order in y.
    cv : int, splitter or iterable of (train, test), default=5
        Of affinity="pairwise" and ``n_groups="auto"``; see :func:`task_affinity`.
    scoring : None, str, callable or dict name -> one of these, default=None
        Of the same; see :func:`task_affinity`.
    task_feature : str or int, default=None
        Long form: the column of X that holds each row's task. None: the estimator's own.
    random_state : int, RandomState, Generator or None, default=None
        Draws splits, and one seed for everything in the estimator that has none.
    n_jobs : int, default=None
        Fits at a time; None is 1, -1 all processors.

    Attributes
    ----------
    groups_ : list of lists of task names
    n_groups_ : int
    estimators_ : list of fitted estimators
        One for each group.
    affinity_ : TaskAffinity
        Absent where there is one group to choose only.
    cv_results_ : dict
        For ``n_groups="auto"`` and several tasks: "n_groups", "mean_gain", "std_gain" and
        "split0_gain", …, an entry a candidate.
    task_names_ : list of T names
    layout_ : TaskLayout
        The tasks' kinds and classes, and the container that ``fit`` received.
    classes_ : ndarray, or list of T arrays
        Where a task is classification. An array for one column of labels, in long form the union
        over tasks; else a list with None for regression tasks.
    n_features_in_ : int
        Number of features, where X is one array.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, where X is one frame whose columns are all strings.

    Raises
    ------
    TaskLayoutError
        More groups than tasks, an affinity of other tasks, labels that make no task.
    ValueError
        What :func:`task_affinity` raises; an estimator that cannot be fitted to one of the
        groups, named by the message.

    See Also
    --------
    task_affinity : The measurements, and what each costs.
    transfer_report : Whether grouping helps; ``budget="any"`` where it chooses by cross-validation.

    Notes
    -----
    *Optimism.* With ``affinity="pairwise"`` the candidates of "auto" are chosen by errors on all
    rows of ``fit``, so ``cv_results_`` flatters: score the whole estimator on other rows.

    *Labels.* A group of one task gets one column of labels, in long form the task's rows; what
    the estimator's parameters say of each task (`task_weight`, `loss`, `graph`, a dict of
    estimators, …) is cut to the group.

    *Cost.* For T tasks the default measures T (T + 1) / 2 cross-validations;
    ``affinity="gradient"`` and ``"coefficients"`` take one fit. "auto" adds one cross-validation
    for each group of a candidate, and to these two a measurement a split.

    References
    ----------
    T. Standley et al., "Which Tasks Should Be Learned Together in Multi-task Learning?", ICML 2020.

    C. Fifty et al., "Efficiently Identifying Task Groupings for Multi-Task Learning", NeurIPS 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl import MeanRegularizedRegressor, TaskGrouping
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 12))
    >>> warm, cold = X @ rng.normal(size=12), X @ rng.normal(size=12)
    >>> y = {"july": warm, "january": cold, "august": warm, "february": cold}
    >>> y = {name: level + rng.normal(size=40) for name, level in y.items()}
    >>> model = TaskGrouping(MeanRegularizedRegressor(alpha_specific=1.0), random_state=0)
    >>> model.fit(X, y).groups_
    [['july', 'august'], ['january', 'february']]
    """

    # its own `fit` hands sample_weight on to the estimators
    __metadata_request__fit = {"sample_weight": metadata_routing.UNUSED}

    def __init__(
        self,
        estimator: Any,
        *,
        n_groups: Any = "auto",
        max_groups: int = 6,
        affinity: Any = "pairwise",
        cv: Any = 5,
        scoring: Any = None,
        task_feature: Any = None,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.n_groups = n_groups
        self.max_groups = max_groups
        self.affinity = affinity
        self.cv = cv
        self.scoring = scoring
        self.task_feature = task_feature
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn the groups, and fit a clone of the estimator to each.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n, p), or dict name -> (n_t, p_t)
        y : array-like of shape (n,) or (n, T), frame, dict name -> labels, or MultiTaskTarget
            NaN, None and NA mark labels that nobody observed.
        sample_weight : array-like of shape (n,) or (n, T), frame or dict by task, default=None

        Returns
        -------
        self : TaskGrouping
        """
        self._check_parameters()
        X = sliceable(X)
        task_feature = find_task_feature(self.estimator, X, self.task_feature)
        layout = infer_layout(
            X,
            y,
            family=kind_of(self.estimator) or "mixed",
            task_kinds=innermost(self.estimator).parameter("task_kinds"),
            task_feature=task_feature,
        )
        self._check_X(X, reset=True)
        if sample_weight is not None:
            check_takes_sample_weight(self.estimator, "all of them")
        layout.check_observed(layout.encode(X, y, sample_weight))
        n_groups = self._possible_numbers(layout.n_tasks)
        for attribute in ("affinity_", "cv_results_"):
            self.__dict__.pop(attribute, None)

        subsets = task_subsets(self.estimator, X, y, sample_weight, task_feature)
        rng = np.random.default_rng(draw_seed(self.random_state))
        groups = self._choose(subsets, n_groups, rng)
        seed = draw_seed(rng)
        fitted = Parallel(n_jobs=self.n_jobs)(delayed(subsets.fit)(group, seed) for group in groups)
        self._set_layout(layout)
        self.groups_ = [subsets.names(group) for group in groups]
        self.n_groups_ = len(groups)
        self.estimators_ = list(fitted)
        return self

    # -- which ------------------------------------------------------------------------------------

    def _check_parameters(self) -> None:
        if isinstance(self.estimator, Mapping):
            raise TypeError(
                "estimator is a dict, but TaskGrouping fits one estimator to groups of tasks; pass "
                "one estimator of several tasks."
            )
        self._check_estimators()
        if isinstance(self.affinity, str):
            check_option(self.affinity, METHODS, parameter="affinity", owner="TaskGrouping")
        _check_count(self.max_groups, "max_groups")
        if isinstance(self.n_groups, str):
            check_option(self.n_groups, ("auto",), parameter="n_groups", owner="TaskGrouping")
        else:
            _check_count(self.n_groups, "n_groups")

    def _parameters_for(self, tasks: ChosenTasks) -> dict[str, Any]:
        """Return the parameters that are of each task, for some of the tasks."""
        affinity, inner = self.affinity, parameters_for(self.estimator, tasks)
        if isinstance(affinity, TaskAffinity):
            whole = given_affinity(affinity, tasks.all_names)
            affinity = TaskAffinity(tasks.by_pair(whole.matrix), tasks.new_names, whole.method)
        own = {"affinity": tasks.by_pair(affinity), "scoring": tasks.by_task(self.scoring)}
        return own | {f"estimator__{name}": value for name, value in inner.items()}

    def _possible_numbers(self, n_tasks: int) -> list[int]:
        """Return the numbers of groups to choose from, ascending."""
        if not isinstance(self.n_groups, str):
            if self.n_groups > n_tasks:
                raise TaskLayoutError(
                    f"n_groups={self.n_groups} is more than the {n_tasks} task(s) of y; no group "
                    "may be empty: lower n_groups."
                )
            return [int(self.n_groups)]
        return sorted({*range(1, min(n_tasks, int(self.max_groups)) + 1), n_tasks})

    def _choose(
        self, subsets: TaskSubsets, numbers: list[int], rng: np.random.Generator
    ) -> list[Subset]:
        """Return the groups; set `affinity_` and `cv_results_`."""
        names, is_measured = subsets.rows.names, isinstance(self.affinity, str)
        if numbers == [1] and is_measured:
            return [tuple(range(len(names)))]
        metrics = check_scoring(self.scoring, names, "TaskGrouping")
        splits: Splits = []
        if len(numbers) > 1 or (is_measured and self.affinity not in MEASURES_OF_ONE_FIT):
            splits = labelled_splits(subsets, self.cv, rng)
        if is_measured:
            seed = draw_seed(rng)
            measured = measure_affinity(subsets, self.affinity, splits, metrics, seed, self.n_jobs)
            self.affinity_ = TaskAffinity(measured, names, self.affinity)
        else:
            self.affinity_ = given_affinity(self.affinity, names)
        partitions = [best_partition(self.affinity_.matrix, k) for k in numbers]
        if len(partitions) == 1:
            return partitions[0]
        candidates = [
            self._partitions_of_part(subsets, train, numbers, draw_seed(rng)) or partitions
            for train, _ in splits
        ]
        scored = score_numbers(subsets, candidates, splits, metrics, draw_seed(rng), self.n_jobs)
        self.cv_results_ = scored.table()
        return partitions[scored.chosen]

    def _partitions_of_part(
        self, subsets: TaskSubsets, train: np.ndarray, numbers: list[int], seed: int
    ) -> list[list[Subset]] | None:
        """Return what would be chosen from training rows; None where groups must stay the same."""
        if not isinstance(self.affinity, str) or self.affinity not in MEASURES_OF_ONE_FIT:
            return None
        rows = ComparisonRows(*subsets.rows.part(train), subsets.rows.task_feature)
        part = TaskSubsets(subsets.estimator, rows)
        matrix = MEASURES_OF_ONE_FIT[self.affinity](part, seed)
        return [best_partition(matrix, k) for k in numbers]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        if is_tagged(self.estimator):
            # several columns at a time reach the estimator
            given = get_tags(self.estimator).target_tags
            tags.target_tags.multi_output = given.multi_output
        return tags

    # -- predictions ------------------------------------------------------------------------------

    def _encode(self, X: Any, y: Any = None, sample_weight: Any = None) -> TaskData:
        data = super()._encode(X, y, sample_weight)
        # the groups' estimators read the task column themselves
        return replace(data, X=sliceable(X)) if self.layout_.rows == LONG else data

    def _asked(self, data: TaskData) -> Iterator[tuple[Member, TaskLayout, Any, Any, list[int]]]:
        """Yield each group's estimator, layout, inputs, rows in data, and numbers of tasks."""
        layout = self.layout_
        number = {name: t for t, name in enumerate(layout.names)}
        for k, (estimator, names) in enumerate(zip(self.estimators_, self.groups_, strict=True)):
            tasks = [number[name] for name in names]
            # one task out of several columns was a column of its own
            alone = len(tasks) == 1 and layout.container in (MATRIX, FRAME)
            own = replace(
                layout,
                tasks=tuple(layout.tasks[t] for t in tasks),
                container=VECTOR if alone else layout.container,
            )
            X, rows = data.X, np.arange(data.n_rows)
            if layout.rows != SHARED:
                rows = np.sort(np.concatenate([data.rows(t, observed=False) for t in tasks]))
            if layout.rows == OWN:
                X = {name: data.X[t] for name, t in zip(names, tasks, strict=True)}
            elif layout.rows == LONG:
                X = _safe_indexing(data.X, rows)
            if len(rows):
                yield Member(f"group {k}", estimator), own, X, rows, tasks

    def _predict(self, data: TaskData) -> np.ndarray:
        tagged = data.task_index is not None
        values = np.zeros(data.n_rows if tagged else (data.n_rows, data.n_tasks))
        for member, layout, X, rows, tasks in self._asked(data):
            values[rows if tagged else (slice(None), tasks)] = member.predict(X, layout)
        return values

    def _models_of_tasks(self) -> list[tuple[list[Hashable], Any]]:
        """Return the fitted estimators that answer, each with the tasks it answers for."""
        return list(zip(self.groups_, self.estimators_, strict=True))

    def _has_probabilities(self) -> bool:
        if not hasattr(self, "estimators_"):
            # its AttributeError says what lacks it
            self.estimator.predict_proba  # noqa: B018
            return kind_of(self.estimator) != "regression"
        asked = [
            estimator
            for estimator, names in zip(self.estimators_, self.groups_, strict=True)
            if any(task.is_classification and task.name in names for task in self.layout_.tasks)
        ]
        for estimator in asked:
            estimator.predict_proba  # noqa: B018
        return bool(asked)

    def _probabilities(self, data: TaskData) -> list[np.ndarray | None]:
        blocks: list[np.ndarray | None] = [None] * data.n_tasks
        for member, layout, X, _, tasks in self._asked(data):
            if any(task.is_classification for task in layout.tasks):
                found = member.probabilities(X, layout, layout.encode(X))
                for t, block in zip(tasks, found, strict=True):
                    blocks[t] = block
        return blocks


def _check_count(value: Any, parameter: str) -> None:
    if not isinstance(value, Integral) or value < 1:
        raise ValueError(
            f"The {parameter!r} parameter of TaskGrouping must be an integer of at least 1, got "
            f"{value!r}."
        )
