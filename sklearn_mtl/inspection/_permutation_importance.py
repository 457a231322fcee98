import warnings
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils import Bunch, check_scalar
from sklearn.utils.parallel import Parallel, delayed

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.inspection._columns import as_table, feature_names, with_reordered_column
from sklearn_mtl.metrics import make_task_scorer
from sklearn_mtl.metrics._scorer import TaskScorer, TaskVectorScorer
from sklearn_mtl.tasks._column import is_dict_of_rows
from sklearn_mtl.tasks._data import group_rows
from sklearn_mtl.tasks._long import find_column, find_names, split_task_column
from sklearn_mtl.utils._validation import draw_seed, listing, plain


def task_permutation_importance(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    scoring: Any = None,
    n_repeats: int = 5,
    random_state: Any = None,
    n_jobs: int | None = None,
    sample_weight: Any = None,
) -> Bunch:
    """Measure which features matter for which task, by what a task loses when one is permuted.

    With s_t(X) the score of task t on its observed labels, the importance of feature j is

        I_tj = s_t(X) - s_t(X with the entries of column j permuted),

    repeated over permutations. One prediction of all tasks serves all T scores.

    Parameters
    ----------
    estimator : fitted estimator
        Of several tasks; also a pipeline, a search, or scikit-learn's own for several outputs.
    X : array-like, frame or sparse matrix of shape (n, p), or dict name -> (n_t, p)
        Rows to score on, best held out. Entries are permuted among all rows, labelled or not;
        where each row belongs to one task (X a dict, long form), among the rows of each task. The
        task column of long form is no feature.
    y : the container that ``fit`` received
        Labels that are not observed do not count.
    scoring : None, str, callable, dict name -> one of these, or scorer, default=None
        What `make_task_scorer` takes as ``metric``: None is R² for regression tasks and accuracy
        for classification tasks. Or what it returns with ``average=None``.
    n_repeats : int, default=5
        Permutations of each feature, R.
    random_state : int, RandomState, Generator or None, default=None
        Draws the permutations, which are the same for all features.
    n_jobs : int, default=None
        Features permuted at once; None is 1, -1 all processors. Results do not depend on it.
    sample_weight : array-like of shape (n,) or (n, T), frame or dict by task, default=None
        Weights of rows or labels in the scores.

    Returns
    -------
    importances : Bunch
        importances : ndarray of shape (T, p, R)
            NaN for a task without a score.
        importances_mean, importances_std : ndarray of shape (T, p)
            Over repeats.
        baseline_scores : ndarray of shape (T,)
            s_t(X).
        task_names : list of T names
        feature_names : list of p names

    Warns
    -----
    UndefinedMetricWarning
        Names the tasks without a score.

    Raises
    ------
    TaskLayoutError
        Tasks whose X have other features, or labels that are not those of the estimator's tasks.
    ValueError
        `n_repeats` below 1, or a scorer that averages over tasks.

    See Also
    --------
    sklearn.inspection.permutation_importance : The same for one score.

    Notes
    -----
    Of two features that say the same, neither may matter: the other stands in for it.

    References
    ----------
    L. Breiman, "Random forests", Machine Learning 45, 2001, section 10.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl import GraphRegressor, task_permutation_importance
    >>> X = np.random.default_rng(0).normal(size=(60, 3))
    >>> y = {"sold": 2 * X[:, 0], "returned": X[:, 0] - X[:, 1]}
    >>> model = GraphRegressor(gamma=0.0).fit(X, y)
    >>> found = task_permutation_importance(model, X, y, random_state=0)
    >>> found.task_names, found.importances_mean.round(0) + 0.0
    (['sold', 'returned'], array([[2., 0., 0.],
           [1., 1., 0.]]))
    """
    check_scalar(n_repeats, "n_repeats", Integral, min_val=1)
    scorer = _resolve_scorer(scoring)
    rows = _read_rows(estimator, X, scorer)
    baseline = scorer(estimator, rows.X, y, sample_weight=sample_weight)
    # as in scikit-learn: one seed, so that features differ by what they hold alone
    seed = np.random.RandomState(draw_seed(random_state)).randint(np.iinfo(np.int32).max + 1)
    found = Parallel(n_jobs=n_jobs)(
        delayed(_scores_without)(estimator, rows, y, sample_weight, column, seed, n_repeats, scorer)
        for column in rows.columns
    )
    scores = np.array(list(baseline.values()))
    importances = scores[:, None, None] - np.moveaxis(np.array(found), 2, 0)
    return Bunch(
        importances=importances,
        importances_mean=importances.mean(axis=2),
        importances_std=importances.std(axis=2),
        baseline_scores=scores,
        task_names=list(baseline),
        feature_names=rows.names,
    )


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows whose entries are permuted within groups.

    Attributes
    ----------
    X : matrix or frame, or dict name -> matrix or frame
    groups : list of ndarray
        The rows of each group, counted through the tables of a dict.
    columns : list of int
        Those that are features.
    names : list
        Of the features.
    """

    X: Any
    groups: list[np.ndarray]
    columns: list[int]
    names: list[Hashable]

    def orders(self, seed: int, n_repeats: int) -> Iterator[np.ndarray]:
        """Yield permutations of all rows, each of which keeps every group together."""
        random_state = np.random.RandomState(seed)
        order = np.arange(sum(map(len, self.groups)))
        shuffles = [np.arange(len(group)) for group in self.groups]
        for _ in range(n_repeats):
            for group, shuffle in zip(self.groups, shuffles, strict=True):
                random_state.shuffle(shuffle)
                order[group] = order[group[shuffle]]
            yield order.copy()

    def reordered(self, column: int, order: np.ndarray) -> Any:
        """Return X with the entries of one column in another order."""
        if not isinstance(self.X, dict):
            return with_reordered_column(self.X, column, order)
        tables, start = {}, 0
        for (name, table), group in zip(self.X.items(), self.groups, strict=True):
            tables[name] = with_reordered_column(table, column, order[group] - start)
            start += len(group)
        return tables


def _read_rows(estimator: Any, X: Any, scorer: TaskVectorScorer) -> _Rows:
    if is_dict_of_rows(X):
        return _read_own_rows(estimator, X)
    X = as_table(X)
    names = feature_names(X, estimator)
    task_feature = scorer.task_feature_of(estimator, X)
    if task_feature is None:
        return _Rows(X, [np.arange(X.shape[0])], list(range(len(names))), names)
    tasks, codes = find_names(split_task_column(X, task_feature)[0])
    position = find_column(names, task_feature)
    features = [j for j in range(len(names)) if j != position]
    return _Rows(X, group_rows(codes, len(tasks)), features, [names[j] for j in features])


def _read_own_rows(estimator: Any, X: Mapping[Hashable, Any]) -> _Rows:
    tables = {name: as_table(table) for name, table in X.items()}
    (first, names), *others = [
        (name, feature_names(table, estimator)) for name, table in tables.items()
    ]
    for name, found in others:
        if found != names:
            raise TaskLayoutError(
                f"Task {plain(name)!r} has the features {listing(found)}, but task "
                f"{plain(first)!r} has {listing(names)}: importances are a table of tasks and the "
                "features that they share; ask for tasks of the same features at a time."
            )
    ends = np.cumsum([table.shape[0] for table in tables.values()])
    groups = np.split(np.arange(ends[-1]), ends[:-1])
    return _Rows(tables, groups, list(range(len(names))), names)


def _resolve_scorer(scoring: Any) -> TaskVectorScorer:
    if isinstance(scoring, TaskVectorScorer):
        return scoring
    if isinstance(scoring, TaskScorer):
        raise ValueError(
            f"scoring={scoring!r} gives one number for all tasks, but importances are of each "
            "task; make it with average=None."
        )
    scorer = make_task_scorer(scoring, average=None)
    assert isinstance(scorer, TaskVectorScorer)  # that is what average=None asks for
    return scorer


def _scores_without(
    estimator: Any,
    rows: _Rows,
    y: Any,
    sample_weight: Any,
    column: int,
    seed: int,
    n_repeats: int,
    scorer: TaskVectorScorer,
) -> list[list[float]]:
    """Return the score of each task, for each permutation of a column: shape (n_repeats, T)."""
    scores = []
    for order in rows.orders(seed, n_repeats):
        permuted = rows.reordered(column, order)
        with warnings.catch_warnings():
            # what is undefined is undefined without permutation too, of which one warning told
            warnings.simplefilter("ignore", UndefinedMetricWarning)
            scores.append(
                list(scorer(estimator, permuted, y, sample_weight=sample_weight).values())
            )
    return scores
