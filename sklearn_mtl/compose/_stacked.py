from collections.abc import Hashable, Iterator, Mapping
from typing import Any, Self

import numpy as np
from sklearn.utils import metadata_routing
from sklearn.utils.parallel import Parallel, delayed

from sklearn_mtl.compose._cross_fitted import CrossFittedComposition
from sklearn_mtl.compose._folds import read_cv
from sklearn_mtl.compose._out_of_fold import Learner, ask_everywhere, fit_all, fit_out_of_fold
from sklearn_mtl.compose._part import sliceable
from sklearn_mtl.compose._predicted_columns import Beside, PredictionTable
from sklearn_mtl.compose._tags import kind_of
from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks import TaskData, TaskLayout
from sklearn_mtl.utils._validation import check_option, plain

_READS = ("others", "all")


class StackedTasks(CrossFittedComposition):
    """Two estimators a task, of which the second reads what the first ones of other tasks predict.

    For each task t, on the rows on which it is labelled,

        f_t = clone(estimator).fit(X, y_t)
        g_t = clone(final_estimator).fit([X, z_s for s ≠ t], y_t)

    where z_s are predictions of task s by estimators that did not see the label they predict: f_s
    fitted without the fold that holds the row, or f_s itself on rows where s has no label. In
    ``predict`` they are what f_s predicts. Tasks of all kinds may read each other.

    Parameters
    ----------
    estimator : estimator, or dict from task name to estimator
        The first of each task: one for all, or one for each, as in :class:`IndependentTasks`.
    final_estimator : estimator, or dict from task name to estimator, default=None
        The second of each task. None is a clone of the task's first.
    cv : int, splitter, iterable of (train, test) rows of X, or None, default=5
        Folds of each task's labelled rows; a number is of stratified ones for classification and
        of unshuffled ones for regression. Rows in an order of their own, such as by time or by
        size, want ``KFold(5, shuffle=True)`` where those to be predicted lie among them: without
        whole ranges of rows estimators predict worse than in ``predict``, and are trusted less.
        None reads labels: z_s is the label of s where it is known and the prediction of f_s
        elsewhere. Then the second estimators learn from values that are better than those they
        will read in ``predict``, but every estimator is fitted once.
    reads : {"others", "all"}, default="others"
        Whose predictions g_t reads. "all" includes task t's own, which is stacked single-target
        regression (SST, also called multi-target stacking) of [1]_.
    passthrough : bool, default=True
        Whether g_t reads X too.
    stack_method : {"auto", "predict_proba", "predict"}, default="auto"
        How a classification task is read: by its probabilities, or by indicators of the predicted
        class (of two classes, of the second alone). "auto" is probabilities where the estimator
        has them.
    task_kinds : dict from task name to {"regression", "classification"}, default=None
        Kinds of tasks whose estimator is neither a regressor nor a classifier. Where it is
        silent, float labels are regression and all others classification.
    task_feature : str or int, default=None
        Name or number of the column of X that says which task a row belongs to (long form). The
        estimators do not see that column.
    n_jobs : int, default=None
        Fits at a time, over tasks and folds. Results do not depend on it.

    Attributes
    ----------
    estimators_ : dict from task name to fitted estimator
        f_t.
    final_estimators_ : dict from task name to fitted estimator
        g_t.
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
        Tasks whose own X differ in features; one task that has nothing to read; what
        :class:`IndependentTasks` raises.
    ValueError
        A `cv` that holds no row out, or cannot split a task, which is named with its number of
        labels; a final estimator of another kind than its task; an estimator's own ValueError,
        with its task.

    See Also
    --------
    TaskChain : Each task reads those before it.
    IndependentTasks : No task reads another.
    sklearn.ensemble.StackingRegressor : Several estimators of one task.

    Notes
    -----
    *Rows.* A task that is labelled on few rows lends its predictions to all: f_s is asked about
    every row without a label of s, also about the rows of other tasks where each has its own X or
    a row belongs to one task (long form). So tasks with their own X need the same features, and as
    none of their rows has labels of two tasks, `cv` holds rows out there for ``reads="all"`` alone.

    *Frames.* The columns are named ``predicted_<task>`` and ``predicted_<task>_<class>``, and
    stand after those of X, so that estimators that pick columns by name find their own.

    *Metadata.* `sample_weight` is given to every estimator, in the folds too, and only if passed;
    ``groups`` to a splitter such as ``GroupKFold``. With metadata routing enabled, all of it goes
    where it is requested. A class that has no label outside a fold has probability 0 in it.

    References
    ----------
    .. [1] Spyromitros-Xioufis, Tsoumakas, Groves & Vlahavas (2016). Multi-target regression via
       input space expansion: treating targets as inputs. Machine Learning 104.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn_mtl import StackedTasks
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> size = np.abs(X[:, 0])
    >>> y = {"size": size, "price": 3 * size + X[:, 1]}
    >>> y["price"][::3] = np.nan
    >>> forest = RandomForestRegressor(20, random_state=0)
    >>> model = StackedTasks(forest, final_estimator=Ridge()).fit(X, y)
    >>> model.final_estimators_["price"].n_features_in_  # X and the predicted size
    3
    >>> model.set_params(final_estimator__alpha=0.1).final_estimator
    Ridge(alpha=0.1)
    """

    # its own `fit` hands sample_weight on to the estimators, who request it
    __metadata_request__fit = {"sample_weight": metadata_routing.UNUSED}
    _estimator_parameters = ("estimator", "final_estimator")

    def __init__(
        self,
        estimator: Any,
        final_estimator: Any = None,
        *,
        cv: Any = 5,
        reads: str = "others",
        passthrough: bool = True,
        stack_method: str = "auto",
        task_kinds: Mapping[Hashable, str] | None = None,
        task_feature: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.final_estimator = final_estimator
        self.cv = cv
        self.reads = reads
        self.passthrough = passthrough
        self.stack_method = stack_method
        self.task_kinds = task_kinds
        self.task_feature = task_feature
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self:
        """Fit both estimators of each task.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n, p), or dict name -> (n_t, p)
        y : array-like of shape (n,) or (n, T), frame, dict name -> labels, or MultiTaskTarget
            NaN, None and NA mark labels that nobody observed.
        sample_weight : array-like of shape (n,) or (n, T), frame or dict by task, default=None
        **params : dict
            ``groups`` for the splitter `cv`; other metadata with metadata routing enabled.

        Returns
        -------
        self : StackedTasks
        """
        self._check_params(params)
        X = sliceable(X)
        layout, parts = self._prepare(X, y, sample_weight, params)
        self._check_finals(layout)
        predicted = self._predicted_columns(layout, self.stack_method, parameter="stack_method")
        finals = parts
        if self.final_estimator is not None:
            fit_params = self._fit_params(layout, sample_weight, params, "final_estimator")
            finals = self._cut(layout, X, y, fit_params, "final_estimator")
        table = PredictionTable(predicted, parts[0].data.n_rows)
        cv = read_cv(self.cv, layout)
        learners = [
            Learner(self._estimator_of(part.task.name), part, Beside(table, [])) for part in parts
        ]
        read = {s for t in range(layout.n_tasks) for s in self._read(table, t).tasks}
        reads_own = self.reads == "all"
        folds = self._folds(cv, parts, sample_weight, params, read=read, reads_own=reads_own)
        first, columns = fit_out_of_fold(learners, folds, self.n_jobs)
        for t, own in enumerate(columns):
            table.write(t, np.arange(len(own)), own)
        answering = self._answering_parameter()
        second = fit_all(
            (
                Learner(self._estimator_of(part.task.name, answering), part, self._read(table, t))
                for t, part in enumerate(finals)
            ),
            self.n_jobs,
        )
        self._set_layout(layout)
        self._predicted = predicted
        self.estimators_ = dict(zip(layout.names, first, strict=True))
        self.final_estimators_ = dict(zip(layout.names, second, strict=True))
        return self

    def _check_params(self, params: dict[str, Any]) -> None:
        super()._check_params(params)
        check_option(self.reads, _READS, parameter="reads", owner=type(self).__name__)
        if self.cv is None and self.reads == "all":
            raise ValueError(
                "With cv=None and reads='all' a task would be predicted from its own labels; pass "
                "a number of folds as cv, or reads='others'."
            )

    def _check_finals(self, layout: TaskLayout) -> None:
        """Raise unless second estimators are of their tasks' kinds and have something to read."""
        if self.final_estimator is not None:
            for task in layout.tasks:
                final = self._estimator_of(task.name, "final_estimator")
                kind = "classification" if task.is_classification else "regression"
                if kind_of(final) not in (None, kind):
                    raise ValueError(
                        f"Task {plain(task.name)!r} is {kind}, but its final_estimator "
                        f"{type(final).__name__} is for {kind_of(final)}; pass a dict with a final "
                        "estimator for each task, or one that fits all."
                    )
        if not self.passthrough and self.reads == "others" and layout.n_tasks == 1:
            raise TaskLayoutError(
                f"Task {plain(layout.names[0])!r} is the only one, so with passthrough=False and "
                "reads='others' its final estimator has nothing to read; pass passthrough=True, "
                "or more tasks."
            )

    def _read(self, table: PredictionTable, task: int) -> Beside:
        """Return what the second estimator of a task reads."""
        everyone = range(len(table.predicted))
        tasks = [s for s in everyone if self.reads == "all" or s != task]
        return Beside(table, tasks, self.passthrough)

    # -- answers --------------------------------------------------------------------------------

    def _answering(self) -> Mapping[Hashable, Any]:
        return self.final_estimators_

    def _answering_parameter(self) -> str:
        return "estimator" if self.final_estimator is None else "final_estimator"

    def _parts(self) -> list[Any]:
        return [*self.estimators_.values(), *self.final_estimators_.values()]

    def _features(self, data: TaskData, asked: list[int]) -> Iterator[Any]:
        table = PredictionTable(self._predicted, data.n_rows)
        beside = {t: self._read(table, t) for t in asked}
        sources = sorted({s for own in beside.values() for s in own.tasks})
        everywhere, nothing = np.arange(data.n_rows), Beside(table, [])
        columns = Parallel(n_jobs=self.n_jobs, prefer="threads")(
            delayed(ask_everywhere)(
                self.estimators_[self.layout_.names[s]],
                self._predicted[s],
                data,
                everywhere,
                nothing,
            )
            for s in sources
        )
        for s, own in zip(sources, columns, strict=True):
            table.write(s, everywhere, own)
        return (own.features(data, t, data.rows(t, observed=False)) for t, own in beside.items())
