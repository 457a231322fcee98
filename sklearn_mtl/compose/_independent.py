from collections.abc import Hashable, Mapping
from typing import Any, Self

from sklearn.base import clone
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils import metadata_routing
from sklearn.utils.metadata_routing import _raise_for_params
from sklearn.utils.parallel import Parallel, delayed

from sklearn_mtl.compose._fit_one import fit_one
from sklearn_mtl.compose._part import sliceable
from sklearn_mtl.compose._taskwise import TaskwiseComposition


class IndependentTasks(CallbackSupportMixin, TaskwiseComposition):
    """One scikit-learn estimator for each task, fitted on that task's rows alone.

    For each task t

        f_t = clone(estimator).fit(X_t, y_t),    X_t, y_t: the rows on which task t is labelled

    and nothing is shared. This is the single-task baseline that multi-task estimators have to
    beat, so it is exact: each f_t is what the same clone fitted by hand would be. It also gives
    any scikit-learn estimator missing labels, named tasks and tasks of mixed kinds.

    Parameters
    ----------
    estimator : estimator, or dict from task name to estimator
        One for all tasks, or one for each. A task is regression if its estimator is a regressor
        and classification if it is a classifier, whatever its labels look like. In the dict form
        ``estimator__quality__max_depth`` is a parameter of task "quality", for ``set_params`` and
        ``GridSearchCV``, and ``estimator__quality`` replaces its estimator.
    task_kinds : dict from task name to {"regression", "classification"}, default=None
        Kinds of tasks whose estimator is neither a regressor nor a classifier. Where it is
        silent, float labels are regression and all others classification.
    task_feature : str or int, default=None
        Name or number of the column of X that says which task a row belongs to (long form). The
        estimators do not see that column.
    n_jobs : int, default=None
        Tasks fitted at a time; None is 1 unless in a :obj:`joblib.parallel_config` context, -1 is
        all processors. Results do not depend on it.

    Attributes
    ----------
    estimators_ : dict from task name to fitted estimator
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
        A dict that lacks a task of y or has one too many; labels that the tasks' kinds do not
        allow, such as continuous labels for a classifier; a task without a label.
    TypeError
        An estimator that is a class or has no ``fit``, ``predict`` or ``get_params``, or that is
        given a `sample_weight` which its ``fit`` does not take.
    ValueError
        `task_kinds` contradicts an estimator; an estimator's own ValueError, with the name of its
        task. (Its TypeError stays one, everything else is a RuntimeError; the original is the
        cause.)

    See Also
    --------
    MultiTaskEstimator : One network for all tasks.
    sklearn.multioutput.MultiOutputRegressor : Complete labels of one kind, without names.

    Notes
    -----
    *Labels* reach the estimators as classes in the caller's own values, or as float64. *X*
    reaches them in the caller's own type, cut to the task's rows. A label whose `sample_weight` is
    0 is no label: the row is left out.

    *Metadata.* `sample_weight` is given to every estimator, and only if passed. With
    ``sklearn.set_config(enable_metadata_routing=True)`` it and all other metadata of ``fit`` go to
    the estimators that request them: ``IndependentTasks(Ridge().set_fit_request(
    sample_weight=True))``. Metadata with one entry a row are cut to the task's rows; where each
    task has its own X, pass them as a dict by task.

    *Callbacks.* ``set_callbacks(ProgressBar())`` shows one step a task, and within it the steps of
    estimators that support callbacks; of those that do not, scikit-learn warns.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn_mtl import IndependentTasks
    >>> X = np.arange(8.0).reshape(-1, 1)
    >>> y = {
    ...     "price": np.array([0.0, 1.0, np.nan, 3.0, 4.0, 5.0, np.nan, 7.0]),
    ...     "good": np.array(["no", "no", "no", "no", "yes", "yes", None, "yes"]),
    ... }
    >>> model = IndependentTasks(
    ...     {"price": Ridge(alpha=1e-6), "good": RandomForestClassifier(random_state=0)}
    ... )
    >>> predicted = model.fit(X, y).predict(X[[2, 6]])
    >>> predicted["price"].round(3)
    array([2., 6.])
    >>> predicted["good"]
    array(['no', 'yes'], dtype=object)
    >>> model.set_params(estimator__price__alpha=0.1).estimator["price"]
    Ridge(alpha=0.1)
    """

    # its own `fit` hands sample_weight on to the estimators, who request it
    __metadata_request__fit = {"sample_weight": metadata_routing.UNUSED}

    def __init__(
        self,
        estimator: Any,
        *,
        task_kinds: Mapping[Hashable, str] | None = None,
        task_feature: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.task_kinds = task_kinds
        self.task_feature = task_feature
        self.n_jobs = n_jobs

    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self:
        """Fit a clone of the estimator for each task.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n, p), or dict name -> (n_t, p_t)
        y : array-like of shape (n,) or (n, T), frame, dict name -> labels, or MultiTaskTarget
            NaN, None and NA mark labels that nobody observed.
        sample_weight : array-like of shape (n,) or (n, T), frame or dict by task, default=None
        **params : dict
            Metadata for the estimators, with metadata routing enabled.

        Returns
        -------
        self : IndependentTasks
        """
        _raise_for_params(params, self, "fit")
        X = sliceable(X)
        layout, parts = self._prepare(X, y, sample_weight, params)

        context = self._init_callback_context(
            max_subtasks=layout.n_tasks, sequential_subtasks=False
        )
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        context.call_on_fit_task_begin(estimator=self, X=X, y=y, metadata=metadata)
        # all of them before the first fit: workers are sent the tree of contexts
        steps = [
            context.subcontext(task_name=f"fit-{part.task.name}", task_id=part.number)
            for part in parts
        ]
        fitted = Parallel(n_jobs=self.n_jobs)(
            delayed(fit_one)(
                clone(self._estimator_of(part.task.name)),
                part.inputs(),
                part.labels(),
                part.fit_params(),
                task=part.task,
                caller=self,
                context=step,
            )
            for part, step in zip(parts, steps, strict=True)
        )
        self._set_layout(layout)
        self.estimators_ = dict(zip(layout.names, fitted, strict=True))
        context.call_on_fit_task_end(estimator=self, X=X, y=y, metadata=metadata)
        return self

    def _models_of_tasks(self) -> list[tuple[list[Hashable], Any]]:
        """Return the fitted estimators that answer, each with the tasks it answers for."""
        return [([name], estimator) for name, estimator in self.estimators_.items()]
