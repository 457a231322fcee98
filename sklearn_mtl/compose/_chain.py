from collections.abc import Callable, Hashable, Mapping, Sequence
from math import factorial
from typing import Any, Self

import numpy as np
from sklearn.utils import metadata_routing
from sklearn.utils.parallel import Parallel, delayed

from sklearn_mtl.compose._base import place
from sklearn_mtl.compose._cross_fitted import CrossFittedComposition
from sklearn_mtl.compose._fit_one import predict_one, predict_proba_one
from sklearn_mtl.compose._folds import Fold, read_cv
from sklearn_mtl.compose._out_of_fold import Learner, ask_everywhere, fit_all, fit_out_of_fold
from sklearn_mtl.compose._part import Part, sliceable
from sklearn_mtl.compose._predicted_columns import Beside, PredictedColumns, PredictionTable
from sklearn_mtl.compose._taskwise import can_be_asked
from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks import TaskData, TaskSpec
from sklearn_mtl.tasks._chosen import ChosenTasks
from sklearn_mtl.utils._validation import check_count, check_tasks, draw_seed, listing


class TaskChain(CrossFittedComposition):
    """One estimator a task, each of which reads what those before it predict; or several chains.

    In a chain with the order s_1, …, s_T, the k-th estimator is fitted on the rows on which task
    s_k is labelled, on X and a column (or more) for each task before it,

        f_k = clone(estimator).fit([X, z_1, …, z_{k-1}], y_{s_k})

    where z_j are predictions of task s_j by estimators that did not see the label they predict:
    f_j fitted without the fold that holds the row, or f_j itself on rows without a label. In
    ``predict`` they are what f_1, f_2, … predict in turn. Tasks of all kinds may stand in a chain.

    Parameters
    ----------
    estimator : estimator, or dict from task name to estimator
        One for all tasks, or one for each, as in :class:`IndependentTasks`.
    order : sequence of T task names or "random", default=None
        None is the order of the tasks in y.
    cv : int, splitter, iterable of (train, test) rows of X, or None, default=5
        Folds of each task's labelled rows; a number is of stratified ones for classification and
        of unshuffled ones for regression. Rows in an order of their own, such as by time or by
        size, want ``KFold(5, shuffle=True)`` where those to be predicted lie among them: without
        whole ranges of rows estimators predict worse than in ``predict``, and are trusted less.
        None chains labels: z_j is the label of s_j where it is known and the prediction of f_j
        elsewhere. Then later estimators learn from values that are better than those they will
        read in ``predict``, but each task is fitted once.
    n_chains : int, default=1
        Number of chains of different random orders. They predict together: the mean of their
        values, the class of the highest mean probability, or the class that most of them predict
        where there are no probabilities. There are no more than the T! orders.
        ``TaskChain(estimator, order="random", n_chains=10)`` is ERC of [1]_.
    chain_method : {"auto", "predict_proba", "predict"}, default="auto"
        How a classification task is read by later ones: by its probabilities, or by indicators of
        the predicted class (of two classes, of the second alone). "auto" is probabilities where
        the estimator has them.
    task_kinds : dict from task name to {"regression", "classification"}, default=None
        Kinds of tasks whose estimator is neither a regressor nor a classifier. Where it is
        silent, float labels are regression and all others classification.
    task_feature : str or int, default=None
        Name or number of the column of X that says which task a row belongs to (long form). The
        estimators do not see that column.
    random_state : int, RandomState, Generator or None, default=None
        Draws orders, where ``order="random"``. It does not reach the estimators.
    n_jobs : int, default=None
        Fits at a time: all chains take a step together, and with it its folds. Results do not
        depend on it.

    Attributes
    ----------
    chains_ : list of n_chains dicts from task name to fitted estimator
        In the order of the chain.
    orders_ : list of n_chains lists of T task names
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
        An order that is not of the tasks; tasks whose own X differ in features; what
        :class:`IndependentTasks` raises.
    ValueError
        A `cv` that holds no row out, or cannot split a task, which is named with its number of
        labels; several chains of one order; an estimator's own ValueError, with its task.

    See Also
    --------
    StackedTasks : Each task reads all others.
    IndependentTasks : No task reads another.
    sklearn.multioutput.RegressorChain : Complete labels of one kind.

    Notes
    -----
    *Rows.* A task that is labelled on few rows lends its predictions to all: f_j is asked about
    every row without a label of s_j, also about the rows of other tasks where each has its own X
    or a row belongs to one task (long form). So tasks with their own X need the same features,
    and as none of their rows has labels of two tasks, `cv` has nothing to hold out there.

    *Frames.* The columns are named ``predicted_<task>`` and ``predicted_<task>_<class>``, and
    stand after those of X, so that estimators that pick columns by name find their own.

    *Metadata.* `sample_weight` is given to every estimator, in the folds too, and only if passed;
    ``groups`` to a splitter such as ``GroupKFold``. With metadata routing enabled, all of it goes
    where it is requested. A class that has no label outside a fold has probability 0 in it.

    References
    ----------
    .. [1] Spyromitros-Xioufis, Tsoumakas, Groves & Vlahavas (2016). Multi-target regression via
       input space expansion: treating targets as inputs. Machine Learning 104.
    .. [2] Read, Pfahringer, Holmes & Frank (2011). Classifier chains for multi-label
       classification. Machine Learning 85.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression, Ridge
    >>> from sklearn_mtl import TaskChain
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> size = np.abs(X[:, 0])  # no linear function of X, but the price follows it
    >>> y = {"size": size > 0.7, "price": 3 * size + X[:, 1]}
    >>> y["price"][::3] = np.nan
    >>> chain = TaskChain(
    ...     {"size": LogisticRegression(), "price": Ridge()}, order=["price", "size"]
    ... ).fit(X, y)
    >>> list(chain.chains_[0]), chain.chains_[0]["size"].n_features_in_
    (['price', 'size'], 3)
    >>> chain.predict(X[:2])["size"]
    array([False, False])
    """

    # its own `fit` hands sample_weight on to the estimators, who request it
    __metadata_request__fit = {"sample_weight": metadata_routing.UNUSED}

    def __init__(
        self,
        estimator: Any,
        *,
        order: Sequence[Hashable] | str | None = None,
        cv: Any = 5,
        n_chains: int = 1,
        chain_method: str = "auto",
        task_kinds: Mapping[Hashable, str] | None = None,
        task_feature: Any = None,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.order = order
        self.cv = cv
        self.n_chains = n_chains
        self.chain_method = chain_method
        self.task_kinds = task_kinds
        self.task_feature = task_feature
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _parameters_for(self, tasks: ChosenTasks) -> dict[str, Any]:
        found, new = super()._parameters_for(tasks), tasks.renamed
        if isinstance(self.order, str) or self.order is None:
            return found
        return found | {"order": [new[name] for name in self.order if name in new]}

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self:
        """Fit the estimators, in the order of the chain.

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
        self : TaskChain
        """
        self._check_params(params)
        X = sliceable(X)
        layout, parts = self._prepare(X, y, sample_weight, params)
        predicted = self._predicted_columns(layout, self.chain_method, parameter="chain_method")
        orders = self._draw_orders(layout.names)
        cv = read_cv(self.cv, layout)
        read = {t for order in orders for t in order[:-1]}
        folds = self._folds(cv, parts, sample_weight, params, read=read, reads_own=False)
        chains = self._fit_chains(orders, parts, folds, predicted)

        self._set_layout(layout)
        self._predicted = predicted
        self.chains_ = [
            {layout.names[t]: estimator for t, estimator in zip(order, chain, strict=True)}
            for order, chain in zip(orders, chains, strict=True)
        ]
        self.orders_ = [list(chain) for chain in self.chains_]
        return self

    def _draw_orders(self, names: list[Hashable]) -> list[list[int]]:
        """Return task numbers in the order of each chain."""
        n_chains = check_count(self.n_chains, 1, parameter="n_chains", owner="TaskChain")
        if isinstance(self.order, str) and self.order == "random":
            generator = np.random.RandomState(draw_seed(self.random_state))
            found: dict[tuple[int, ...], None] = {}  # in the order of drawing, each once
            while len(found) < min(n_chains, factorial(len(names))):
                found[tuple(generator.permutation(len(names)).tolist())] = None
            return [list(order) for order in found]
        if n_chains > 1:
            raise ValueError(
                f"n_chains={n_chains} chains need orders that differ; pass order='random', "
                "or n_chains=1."
            )
        if self.order is None:
            return [list(range(len(names)))]
        if isinstance(self.order, str):
            raise ValueError(
                f"order must be 'random', None or a sequence of the task names; got {self.order!r}."
            )
        check_tasks(self.order, names, "order")
        order = [names.index(name) for name in self.order]
        if sorted(order) != list(range(len(names))):
            raise TaskLayoutError(
                f"order must have each task once; it has {listing(self.order)}, the tasks are "
                f"{listing(names)}."
            )
        return [order]

    def _fit_chains(
        self,
        orders: list[list[int]],
        parts: list[Part],
        folds: list[list[Fold] | None],
        predicted: list[PredictedColumns],
    ) -> list[list[Any]]:
        """Return the fitted estimators of each chain, all chains a step at a time."""
        data = parts[0].data
        tables = [PredictionTable(predicted, data.n_rows) for _ in orders]
        everywhere = np.arange(data.n_rows)
        steps = []
        for k, step in enumerate(zip(*orders, strict=True)):
            learners = [
                Learner(
                    self._estimator_of(parts[t].task.name),
                    parts[t],
                    Beside(table, order[:k]),
                    _rows_after(data, order, k),
                )
                for t, table, order in zip(step, tables, orders, strict=True)
            ]
            if k == len(parts) - 1:  # read by none
                steps.append(fit_all(learners, self.n_jobs))
                break
            fitted, columns = fit_out_of_fold(learners, [folds[t] for t in step], self.n_jobs)
            for t, table, own in zip(step, tables, columns, strict=True):
                table.write(t, everywhere, own)
            steps.append(fitted)
        return [list(chain) for chain in zip(*steps, strict=True)]

    # -- answers --------------------------------------------------------------------------------

    def _answering(self) -> Mapping[Hashable, Any]:
        return self.chains_[0]

    def _parts(self) -> list[Any]:
        return [estimator for chain in self.chains_ for estimator in chain.values()]

    def _predict(self, data: TaskData) -> np.ndarray:
        if len(self.chains_) == 1:
            return super()._predict(data)
        answers = self._ask(data, _opinion, [True] * data.n_tasks)
        decided = {t: one if one.ndim == 1 else one.argmax(axis=1) for t, one in answers.items()}
        return place(decided, data)

    def _ask(
        self, data: TaskData, question: Callable[..., np.ndarray], wanted: list[bool]
    ) -> dict[int, np.ndarray]:
        """Return the chains' mean answers for the wanted tasks that have rows in data."""
        # threads: a process would be sent every fitted estimator
        answers = Parallel(n_jobs=self.n_jobs, prefer="threads")(
            delayed(_follow)(chain, self.layout_.names, self._predicted, data, question, wanted)
            for chain in self.chains_
        )
        return {t: np.mean([answer[t] for answer in answers], axis=0) for t in answers[0]}


def _follow(
    chain: Mapping[Hashable, Any],
    names: list[Hashable],
    predicted: Sequence[PredictedColumns],
    data: TaskData,
    question: Callable[..., np.ndarray],
    wanted: Sequence[bool],
) -> dict[int, np.ndarray]:
    """Return one chain's answers by task number."""
    table = PredictionTable(predicted, data.n_rows)
    order = [names.index(name) for name in chain]
    found = {}
    for k, (t, estimator) in enumerate(zip(order, chain.values(), strict=True)):
        beside, task = Beside(table, order[:k]), predicted[t].task
        is_read = k < len(order) - 1
        if is_read:
            later = _rows_after(data, order, k)
            table.write(t, later, ask_everywhere(estimator, predicted[t], data, later, beside))
        if not wanted[t] or not can_be_asked(data, t):
            continue
        rows = data.rows(t, observed=False)
        if is_read and data.task_index is None and not task.is_classification:
            found[t] = table.read([t], rows)[:, 0]  # the same question
        else:
            found[t] = question(estimator, beside.features(data, t, rows), task)
    return found


def _rows_after(data: TaskData, order: Sequence[int], k: int) -> np.ndarray:
    """Return the rows of tasks that stand after the k-th in a chain."""
    if data.task_index is None:
        return np.arange(data.n_rows)
    return np.flatnonzero(np.argsort(order)[data.task_index] > k)


def _opinion(estimator: Any, X: Any, task: TaskSpec) -> np.ndarray:
    """Return values, or for each class its probability or 1 for the one that is predicted."""
    if task.classes is None:
        return predict_one(estimator, X, task)
    if hasattr(estimator, "predict_proba"):
        return predict_proba_one(estimator, X, task)
    return np.eye(len(task.classes))[predict_one(estimator, X, task).astype(np.intp)]
