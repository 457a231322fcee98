import warnings
from collections.abc import Hashable
from typing import Any

import numpy as np
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils.parallel import Parallel, delayed

from sklearn_mtl.compose._one_or_dict import OneOrDictOfEstimators
from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.metrics._gain import check_level
from sklearn_mtl.model_selection._budget import check_equal_budget
from sklearn_mtl.model_selection._called import called
from sklearn_mtl.model_selection._comparison_rows import ComparisonRows
from sklearn_mtl.model_selection._counterpart import single_task_counterpart
from sklearn_mtl.model_selection._gain import relative_gains
from sklearn_mtl.model_selection._paired_fits import SplitResult, compare_on_split
from sklearn_mtl.model_selection._paired_folds import count_labels, make_splits
from sklearn_mtl.model_selection._task_errors import best_score, check_scoring, errors
from sklearn_mtl.model_selection._transfer_report import TransferReport
from sklearn_mtl.tasks._nested import find_task_feature, innermost, levels, own_parameters
from sklearn_mtl.utils._validation import check_option, draw_seed, listing, plain
from sklearn_mtl.utils._warnings import level_of_caller


def transfer_report(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    baseline: Any = None,
    cv: Any = 5,
    n_repeats: int | None = None,
    scoring: Any = None,
    level: float = 0.05,
    budget: str = "equal",
    groups: Any = None,
    sample_weight: Any = None,
    task_feature: Any = None,
    random_state: Any = None,
    n_jobs: int | None = None,
) -> TransferReport:
    """Tell for each task whether sharing helps it, hurts it, or cannot be told to do either.

    Fits the multi-task `estimator` and its single-task counterpart on the same training rows, from
    the same seeds and with the same tuning budget, and compares their errors on the same test
    rows. With b_k and m_k the errors of baseline and estimator on the labels of a task in the test
    part of split k, of J,

        gain = mean_k (b_k - m_k) / mean_k b_k

    with the interval mean ± t_{J-1} sqrt((1 / J + n_test / n_train) s²) of Nadeau and Bengio for
    the mean of b_k - m_k, which knows that training parts overlap, over mean_k b_k. A task is
    "helped" where all of the interval is above 0, and "hurt" where all of it is below.

    Parameters
    ----------
    estimator : estimator
        Of several tasks, or a pipeline that ends with one, or a search over either.
    X : array-like, frame or sparse matrix of shape (n, p), or dict name -> (n_t, p_t)
    y : array-like of shape (n,) or (n, T), frame, dict name -> labels, or MultiTaskTarget
        NaN, None and NA mark labels that nobody observed.
    baseline : estimator of the same tasks, default=None
        None makes the single-task counterpart of `estimator`, with everything equal but the
        sharing:

        * with a parameter `sharing`: the same with ``sharing="separate"``; a search keeps its
          candidates;
        * a composition such as `StackedTasks`: `IndependentTasks` of the estimators in it;
          `TaskGrouping`: the counterpart of its estimator;
        * else, and where a search tries several ways of sharing, ``IndependentTasks(estimator)``,
          in which each task has its task weight, and is penalised as the estimator penalises T
          tasks that share nothing, where it says so by a method ``decoupled(task, names)``,
          as linear estimators do. A search becomes ``IndependentTasks(search)``: each task alone
          tries the same candidates in as many inner splits.

        In a pipeline the last step alone is replaced.
    cv : int, splitter or iterable of (train, test), default=5
        An integer K: ``MultiTaskKFold(K, shuffle=True)``. A splitter that has a `task_feature`
        is told the task column, if it is not. Where X is a dict, splits are of each task's rows:
        row numbers count through the tasks, one after another, and a splitter gets the task
        number as X.
    n_repeats : int, default=None
        Repeats of all splits, with other seeds. None is 2 for an integer `cv`, and 1 for others,
        which say themselves how often they split. Intervals from 2 repeats are 30 % narrower than
        from 1. With 5 and more, equally good models are told apart more often than `level` says:
        the correction does not know that repeats share their rows.
    scoring : None, str, callable or dict name -> one of these, default=None
        As `score_per_task` takes it. None: root mean squared error for regression tasks; for
        classification tasks log loss, or accuracy where one side has no ``predict_proba``. The
        error is 1 - score for scores of which 1 is the best (R², accuracy, area under the ROC
        curve) and -score for those to be minimised.
    level : float, default=0.05
        One minus the confidence of intervals.
    budget : {"equal", "any"}, default="equal"
        "equal" refuses to compare a search with one over another number of candidates or inner
        splits for some task, or what is tuned with what is not; searches inside searches count,
        and both stages of `StackedTasks`. What chooses by its own cross-validation (RidgeCV,
        LowRankRegressorCV, RFECV, ``TaskGrouping(n_groups="auto")``) counts as tuned, however much
        it tries. "any" compares all.
    groups : array-like of shape (n,), or dict of them by task, default=None
        Rows of a group are not split.
    sample_weight : array-like of shape (n,) or (n, T), frame or dict by task, default=None
        Given to ``fit`` of both sides, and to their scores.
    task_feature : str or int, default=None
        Long form: the column of X that holds each row's task. None: the estimator's own.
    random_state : int, RandomState, Generator or None, default=None
        Draws splits, and one seed a split for all of both sides that has ``random_state=None``.
    n_jobs : int, default=None
        Splits compared at a time; None is 1, -1 all processors.

    Returns
    -------
    report : TransferReport

    Warns
    -----
    UserWarning
        Names tasks without labels in some test parts, or with labels that leave their score
        undefined, and tasks on which the baseline makes no error, so that no gain is relative to
        it.

    Raises
    ------
    TaskLayoutError
        A task without labels in a training part, or in all but one test part, or of which a class
        is in a test part alone; two sides of different tasks; a search where X is a dict.
    ValueError
        Unequal budgets; fewer than two splits, or splits that overlap; a score without an error,
        or one that test parts leave undefined; an estimator that has no single-task counterpart,
        such as a search over parameters of a composition.
    TypeError
        What is no estimator.

    See Also
    --------
    score_per_task : Scores of one set of predictions.
    IndependentTasks : The baseline.

    Notes
    -----
    *Errors* of a split are averaged over splits, never pooled over rows. The baseline's mean error,
    which gains are relative to, is taken as known: that does not change which intervals contain 0.

    *Many tasks.* Flags are not corrected for their number. Of 139 tasks without any gain 3 or 4
    are flagged "helped" by luck, as the printed report says.

    References
    ----------
    C. Nadeau and Y. Bengio, "Inference for the Generalization Error", Machine Learning 52, 2003.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl import MeanRegularizedRegressor, transfer_report
    >>> rng = np.random.default_rng(0)
    >>> X = {name: rng.normal(size=(30, 20)) for name in ("east", "north", "west", "other")}
    >>> y = {name: rows.sum(axis=1) + rng.normal(size=30) for name, rows in X.items()}
    >>> y["other"] = -y["other"]
    >>> model = MeanRegularizedRegressor(alpha_shared=0.01, alpha_specific=1.0)
    >>> report = transfer_report(model, X, y, random_state=0)
    >>> dict(zip(report.task_names, report.flag))
    {'east': 'helped', 'north': 'helped', 'west': 'helped', 'other': 'hurt'}
    """
    check_option(budget, ("equal", "any"), parameter="budget", owner="transfer_report")
    check_level(level)
    for what, side in (("estimator", estimator), ("baseline", baseline)):
        _check_estimator(what, side)
    if task_feature is None:
        task_feature = find_task_feature(estimator, X)
    rows = ComparisonRows.read(X, y, sample_weight, task_feature)
    n_observed = np.array([len(own) for own in rows.observed])
    _check_observed(rows)
    is_made = baseline is None
    if is_made:
        baseline = single_task_counterpart(estimator, rows.names, n_observed)
    for what, side in (("baseline", baseline), ("estimator", estimator)):
        _check_tasks(what, side, rows)
    if budget == "equal":
        check_equal_budget(estimator, baseline, rows.names)
    metrics = check_scoring(scoring, rows.names, "transfer_report")

    rng = np.random.default_rng(draw_seed(random_state))
    splits = make_splits(cv, n_repeats, rows, groups, estimator, rng)
    n_train, n_test = count_labels(rows, splits)
    try:
        results = Parallel(n_jobs=n_jobs)(
            delayed(compare_on_split)(
                (baseline, estimator), rows, split, draw_seed(rng), metrics, k
            )
            for k, split in enumerate(splits)
        )
    except Exception as error:
        if is_made:
            error.add_note(
                f"baseline=None stood for {baseline!r}; if that cannot be fitted, pass baseline=."
            )
        raise
    test_share = n_test.sum(axis=1) / n_train.sum(axis=1)
    title = _title(estimator, baseline, results)
    _warn_of_undefined(rows.names, results, n_test)
    return _report(rows.names, n_observed, results, test_share, level, title)


def _check_estimator(what: str, side: Any) -> None:
    """Raise a TypeError where a side is no estimator; the baseline may be None."""
    if side is None and what == "baseline":
        return
    if isinstance(side, type):
        raise TypeError(
            f"{what} is the class {side.__name__}; pass an instance: {side.__name__}()."
        )
    if not hasattr(side, "fit") or not hasattr(side, "get_params"):
        raise TypeError(
            f"{what} must be a scikit-learn estimator, with fit and get_params; found {side!r} "
            f"({type(side).__name__})."
        )


def _check_observed(rows: ComparisonRows) -> None:
    for name, own in zip(rows.names, rows.observed, strict=True):
        if not len(own):
            raise TaskLayoutError(
                f"Task {plain(name)!r} has no observed label, so nothing can be compared on it; "
                "give it labels, or leave it out of y."
            )


def _check_tasks(what: str, side: Any, rows: ComparisonRows) -> None:
    """Raise a TaskLayoutError where one side can be seen to have other tasks, before any fit."""
    inner = innermost(side)
    if isinstance(inner.estimator, OneOrDictOfEstimators):
        try:
            inner.estimator._check_estimator_names(rows.names)
        except TaskLayoutError as error:
            raise TaskLayoutError(f"The {what} has other tasks than y: {error}") from error
    reads_long_form = inner.parameter("task_feature") is not None
    if "task_feature" in own_parameters(inner.estimator) and reads_long_form != (
        rows.task_feature is not None
    ):
        raise TaskLayoutError(
            f"The {what} has task_feature={inner.parameter('task_feature')!r}, but the comparison "
            f"reads X with task_feature={rows.task_feature!r}; give both sides the same tasks."
        )
    if rows.is_own and any(isinstance(one.estimator, BaseSearchCV) for one in levels(side)):
        raise TaskLayoutError(
            f"The {what} is a search, which cannot split X given as a dict (each task has its own "
            "rows); stack_tasks puts X and y into long form."
        )


def _warn_of_undefined(
    names: list[Hashable], results: list[SplitResult], n_test: np.ndarray
) -> None:
    """Name tasks whose score some test parts leave open; raise where they leave all of them so."""
    scores = np.stack([result.scores for result in results], axis=-1)  # (2, T, n_splits)
    is_open = np.isnan(scores).any(axis=0)
    if ((~is_open).sum(axis=1) < 2).all():
        raise ValueError(
            f"scoring is defined on fewer than two of {len(results)} test parts for every task, "
            "such as areas under curves where a part has one class, or R² of one row; make test "
            "parts larger, or choose another scoring."
        )
    count = (is_open & (n_test > 0)).sum(axis=1)
    if count.any():
        told = [f"{plain(names[t])} ({count[t]})" for t in np.flatnonzero(count)]
        warnings.warn(
            f"scoring is not defined on some of the {len(results)} test parts for the task(s) "
            f"{listing(told)}: too few labels there, or of one class; these splits are left out "
            "for those tasks. Make test parts larger, or choose another scoring.",
            UserWarning,
            stacklevel=level_of_caller(),
        )


def _report(
    names: list[Hashable],
    n_observed: np.ndarray,
    results: list[SplitResult],
    test_share: np.ndarray,
    level: float,
    title: str,
) -> TransferReport:
    baseline, multitask = np.stack([result.scores for result in results], axis=-1)
    best = np.array([best_score(metric) for metric in results[0].metrics])
    gains = relative_gains(
        errors(baseline, best, names, "baseline"),
        errors(multitask, best, names, "estimator"),
        test_share,
        level,
        np.nanmean([result.rounding for result in results], axis=0),
    )
    is_told = (~np.isnan(baseline - multitask)).sum(axis=1) > 1
    perfect = [
        name
        for name, gain, told in zip(names, gains.gain, is_told, strict=True)
        if told and np.isnan(gain)
    ]
    if perfect:
        warnings.warn(
            f"The baseline makes no error on the task(s) {listing(perfect)}, or one of rounding: "
            "their gain, relative to that, is NaN and left out of delta_m; score probabilities, or "
            "drop them.",
            UserWarning,
            stacklevel=level_of_caller(),
        )
    # medians: the first fit of a side may import its backend
    seconds = np.median([result.seconds for result in results], axis=0)
    return TransferReport(
        task_names=names,
        n_observed=n_observed,
        baseline_scores=baseline,
        multitask_scores=multitask,
        gain=gains.gain,
        low=gains.low,
        high=gains.high,
        level=level,
        delta_m=gains.mean,
        delta_m_interval=(gains.mean_low, gains.mean_high),
        fit_time_ratio=float(seconds[1] / seconds[0]),
        title=title,
    )


def _title(estimator: Any, baseline: Any, results: list[SplitResult]) -> str:
    scores = dict.fromkeys(metric.name for metric in results[0].metrics)
    return (
        f"{called(estimator)} against {called(baseline)}: "
        f"{', '.join(scores)} on {len(results)} splits"
    )
