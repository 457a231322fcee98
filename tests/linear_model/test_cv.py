"""The CV estimators: what a grid search over the plain estimators finds, at one look at X."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import MultiTaskElasticNetCV, MultiTaskLassoCV
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    PredefinedSplit,
    RepeatedKFold,
    ShuffleSplit,
)

from sklearn_mtl import (
    GraphRegressor,
    GraphRegressorCV,
    JointFeatureRegressor,
    JointFeatureRegressorCV,
    LowRankRegressor,
    LowRankRegressorCV,
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
    MultiTaskKFold,
    MultiTaskLinearRegressor,
    MultiTaskLinearRegressorCV,
    MultiTaskShuffleSplit,
    MultiTaskTarget,
    TaskLayoutError,
    stack_tasks,
)
from sklearn_mtl.convex import GramStats, GroupL21, NuclearNorm, Ridge
from sklearn_mtl.linear_model._cells import batches

TOL = 1e-10
# fits within a relative gap g differ by sqrt(2 g) of the norm of y in their fitted values
CLOSE = {"rtol": 1e-4, "atol": 1e-7}
# statistics that are merged differ from those of all rows by rounding alone
ROUNDING = {"rtol": 1e-9, "atol": 1e-12}


def make(n=60, p=6, n_tasks=4, rank=2, noise=1.0, seed=0):
    rng = np.random.default_rng(seed)
    W = rng.normal(size=(n_tasks, rank)) @ rng.normal(size=(rank, p))
    X = rng.normal(size=(n, p)) @ (np.eye(p) + 0.3 * rng.normal(size=(p, p))) + 1.0
    return X, X @ W.T + noise * rng.normal(size=(n, n_tasks)) + np.arange(n_tasks)


def hide(y, share=0.3, seed=0):
    y = y.copy()
    y[np.random.default_rng(seed).random(y.shape) < share] = np.nan
    return y


def own_rows(sizes=(20, 31, 12), p=4, seed=0):
    rng = np.random.default_rng(seed)
    w = rng.normal(size=p)
    X = {f"t{t}": rng.normal(size=(n, p)) for t, n in enumerate(sizes)}
    y = {
        name: rows @ (w + 0.3 * rng.normal(size=p)) + rng.normal(size=len(rows))
        for name, rows in X.items()
    }
    return X, y


def held_out_error(model, X, y, task_weight=None):
    """The mean over tasks of the mean squared error of known labels, for arrays of labels."""
    y = y.to_numpy() if hasattr(y, "to_numpy") else y
    residual = np.square(np.asarray(model.predict(X)) - y)
    known = ~np.isnan(y).all(axis=0)
    weight = np.ones(y.shape[1]) if task_weight is None else np.asarray(task_weight)
    return np.average(np.nanmean(residual[:, known], axis=0), weights=weight[known])


def negative_error(model, X, y):
    return -held_out_error(model, X, y, model.task_weight)


QUICK = {"alphas": 5}
MODELS = {
    "low_rank": LowRankRegressorCV(**QUICK),
    "joint_feature": JointFeatureRegressorCV(**QUICK),
    "graph": GraphRegressorCV(alphas=3, gammas=2),
    "mean": MeanRegularizedRegressorCV(alphas_shared=2, alphas_specific=3),
    "any": MultiTaskLinearRegressorCV(NuclearNorm(1.0) + Ridge(0.1), **QUICK),
}


def path_of(model):
    """The plain estimators of a fitted CV estimator, in the shape of its errors."""
    shared = {
        name: value
        for name, value in model.get_params(deep=False).items()
        if name
        not in (
            "alphas",
            "eps",
            "cv",
            "n_jobs",
            "gammas",
            "alphas_shared",
            "alphas_specific",
            "penalty",
            "l1_ratio",
        )
    }
    if isinstance(model, LowRankRegressorCV):
        return [LowRankRegressor(alpha, **shared) for alpha in model.alphas_]
    if isinstance(model, JointFeatureRegressorCV):
        return [
            JointFeatureRegressor(alpha, l1_ratio=model.l1_ratio, **shared)
            for alpha in model.alphas_
        ]
    if isinstance(model, MultiTaskLinearRegressorCV):
        return [
            MultiTaskLinearRegressor(model.penalty.scaled(alpha), **shared)
            for alpha in model.alphas_
        ]
    if isinstance(model, GraphRegressorCV):
        return [
            [GraphRegressor(gamma=gamma, alpha=alpha, **shared) for alpha in model.alphas_]
            for gamma in model.gammas_
        ]
    return [
        [
            MeanRegularizedRegressor(shared_, alpha_specific=specific, **shared)
            for specific in model.alphas_specific_
        ]
        for shared_ in model.alphas_shared_
    ]


def cold_errors(models, X, y, splits):
    if isinstance(models, list):
        return np.array([cold_errors(inner, X, y, splits) for inner in models])
    take = (
        (lambda values, rows: values.iloc[rows])
        if hasattr(y, "iloc")
        else (lambda values, rows: values[rows])
    )
    return [
        held_out_error(
            clone(models).fit(X[train], take(y, train)), X[test], take(y, test), models.task_weight
        )
        for train, test in splits
    ]


# -- the same as a search of independent fits -----------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_errors_along_the_path_are_those_of_independent_cold_fits(name):
    X, y = make()
    model = clone(MODELS[name]).set_params(tol=TOL, cv=3).fit(X, y)
    expected = cold_errors(path_of(model), X, y, list(KFold(3).split(X)))
    np.testing.assert_allclose(model.mse_path_, expected, **CLOSE)
    # the test can fail: errors differ along the path and between folds
    assert np.ptp(model.mse_path_.mean(axis=-1)) > 0.01 * model.mse_path_.mean()


@pytest.mark.parametrize("name", MODELS)
def test_the_last_fit_is_that_of_the_plain_estimator_with_the_strength_chosen(name):
    X, y = make()
    model = clone(MODELS[name]).set_params(tol=TOL).fit(X, y)
    mean = model.mse_path_.mean(axis=-1)
    plain = path_of(model)
    for i in np.unravel_index(np.argmin(mean), mean.shape):
        plain = plain[i]
    plain.fit(X, y)
    np.testing.assert_allclose(model.coef_, plain.coef_, **CLOSE)
    np.testing.assert_allclose(model.predict(X), plain.predict(X), **CLOSE)
    np.testing.assert_allclose(model.objective_, plain.objective_, rtol=10 * TOL)
    assert model.dual_gap_ <= TOL * np.square(y - y.mean(axis=0)).mean(axis=0).sum()
    for attribute in ("rank_", "shared_coef_", "specific_coef_"):
        assert hasattr(model, attribute) == hasattr(plain, attribute)


def test_a_grid_search_scores_and_chooses_the_same():
    X, y = make(noise=3.0)
    y = hide(y)
    weight = [1.0, 2.0, 0.5, 1.0]
    cv = KFold(4, shuffle=True, random_state=0)
    model = LowRankRegressorCV(alphas=12, cv=cv, task_weight=weight, tol=TOL).fit(X, y)
    search = GridSearchCV(
        LowRankRegressor(task_weight=weight, tol=TOL),
        {"alpha": model.alphas_},
        scoring=negative_error,
        cv=cv,
    ).fit(X, y)
    scores = np.transpose([search.cv_results_[f"split{k}_test_score"] for k in range(4)])
    np.testing.assert_allclose(model.mse_path_, -scores, **CLOSE)
    assert model.alpha_ == search.best_params_["alpha"]
    assert model.alphas_[-1] < model.alpha_ < model.alphas_[0]
    np.testing.assert_allclose(model.coef_, search.best_estimator_.coef_, **CLOSE)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_joint_feature_paths_are_those_of_multi_task_lasso_cv(fit_intercept):
    X, y = make(n=80, p=10, n_tasks=3)
    y[:, 0] += X[:, 0]
    theirs = MultiTaskLassoCV(
        alphas=15, cv=4, tol=1e-10, max_iter=10**5, fit_intercept=fit_intercept
    ).fit(X, y)
    ours = JointFeatureRegressorCV(alphas=15, cv=4, tol=1e-12, fit_intercept=fit_intercept).fit(
        X, y
    )
    np.testing.assert_allclose(ours.alphas_, theirs.alphas_, rtol=1e-12)
    # gaps of 1e-10 |y|^2 and 1e-12 of the objective at 0: errors agree to the root of the former
    np.testing.assert_allclose(ours.mse_path_, theirs.mse_path_, rtol=1e-4)
    assert ours.alpha_ == pytest.approx(theirs.alpha_, rel=1e-12)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-4)


def test_a_list_of_l1_ratios_is_searched_as_by_multi_task_elastic_net_cv():
    X, y = make(n=50, p=8, n_tasks=3, noise=4.0)
    ratios = [0.2, 0.6, 1.0]
    theirs = MultiTaskElasticNetCV(l1_ratio=ratios, alphas=8, cv=3, tol=1e-10, max_iter=10**5).fit(
        X, y
    )
    ours = JointFeatureRegressorCV(l1_ratio=ratios, alphas=8, cv=3, tol=1e-12).fit(X, y)
    np.testing.assert_allclose(ours.alphas_, theirs.alphas_, rtol=1e-12)
    np.testing.assert_allclose(ours.mse_path_, theirs.mse_path_, rtol=1e-4)
    assert (ours.alpha_, ours.l1_ratio_) == (pytest.approx(theirs.alpha_), theirs.l1_ratio_)


# -- one look at each row -------------------------------------------------------------------------


@pytest.fixture
def rows_read(monkeypatch):
    """Rows that entered statistics, call by call."""
    seen = []
    original = GramStats.from_data.__func__

    def counted(cls, X, data):
        seen.append(X.shape[0])
        return original(cls, X, data)

    monkeypatch.setattr(GramStats, "from_data", classmethod(counted))
    return seen


@pytest.mark.parametrize("name", MODELS)
def test_k_folds_over_a_path_look_at_each_row_once(name, rows_read):
    X, y = make()
    clone(MODELS[name]).fit(X, y)
    assert rows_read == [12] * 5


def test_random_splits_look_at_each_row_once_until_their_cells_are_too_many(rows_read):
    X, y = make(n=600)
    LowRankRegressorCV(alphas=2, cv=ShuffleSplit(4, test_size=0.5, random_state=0)).fit(X, y)
    assert sum(rows_read) == 600
    rows_read.clear()
    cv = RepeatedKFold(n_splits=5, n_repeats=4, random_state=0)
    LowRankRegressorCV(alphas=2, cv=cv).fit(X, y)
    assert sum(rows_read) == 2 * 600  # 25 cells for two repeats; each split alone reads all rows


def test_a_grid_search_looks_at_rows_once_per_candidate_and_fold(rows_read):
    """What the counter must be able to see."""
    X, y = make()
    GridSearchCV(LowRankRegressor(), {"alpha": [0.1, 1.0]}, cv=5).fit(X, y)
    assert sum(rows_read) == 2 * 5 * 48 + 60


@pytest.mark.parametrize(
    "cv",
    [
        KFold(5, shuffle=True, random_state=0),
        ShuffleSplit(5, test_size=0.3, random_state=0),
        RepeatedKFold(n_splits=3, n_repeats=5, random_state=0),
        LeaveOneGroupOut(),
    ],
    ids=lambda cv: type(cv).__name__,
)
@pytest.mark.parametrize("most", [4, 9, 64])
def test_cells_of_a_batch_make_up_its_splits(cv, most):
    groups = np.arange(40) % 7 if isinstance(cv, LeaveOneGroupOut) else None
    splits = list(cv.split(np.zeros((40, 1)), groups=groups))
    seen = []
    for batch in batches(splits, 40, most):
        np.testing.assert_array_equal(np.sort(np.concatenate(batch.cells)), np.arange(40))
        assert len(batch.cells) <= max(most, 4)
        for number, parts in zip(batch.numbers, batch.splits, strict=True):
            seen.append(number)
            for cells, rows in zip(parts, splits[number], strict=True):
                found = np.concatenate([batch.cells[c] for c in cells])
                np.testing.assert_array_equal(np.sort(found), np.sort(rows))
    assert sorted(seen) == list(range(len(splits)))


# -- splitters ------------------------------------------------------------------------------------

SPLITTERS = {
    "shuffled": KFold(4, shuffle=True, random_state=0),
    "random": ShuffleSplit(6, test_size=0.3, random_state=0),
    "repeated": RepeatedKFold(n_splits=3, n_repeats=6, random_state=0),
    "stratified": MultiTaskKFold(4),
    "predefined": PredefinedSplit(np.where(np.arange(60) % 4 == 3, -1, np.arange(60) % 4)),
    "pairs": [(np.arange(20), np.arange(20, 40)), (np.arange(30, 60), np.arange(10))],
    "masks": [(np.arange(60) < 40, np.arange(60) >= 45)],
    "generator": ((np.arange(k, 60), np.arange(k)) for k in (10, 20)),
    "overlapping": [(np.arange(40), np.arange(30, 60))],
    "bootstrap": [
        (np.repeat(np.arange(15), np.arange(15) % 4 + 1), np.arange(20, 60)),
        (np.arange(30), np.arange(30, 60)),
    ],
}


@pytest.mark.parametrize("name", SPLITTERS)
def test_any_splitter_gives_the_errors_of_independent_fits(name):
    X, y = make()
    y = hide(y, 0.2)
    cv = SPLITTERS[name]
    if name == "generator":
        pairs = list(cv)
        cv = iter(pairs)
    else:
        pairs = cv if isinstance(cv, list) else list(cv.split(X, y))
    model = LowRankRegressorCV(alphas=4, cv=cv, tol=TOL).fit(X, y)
    expected = cold_errors(path_of(model), X, y, pairs)
    np.testing.assert_allclose(model.mse_path_, expected, **CLOSE)
    plain = LowRankRegressor(model.alpha_, tol=TOL).fit(X, y)
    np.testing.assert_allclose(model.coef_, plain.coef_, **CLOSE)


def test_groups_go_to_the_splitter_with_and_without_metadata_routing():
    X, y = make()
    groups = np.arange(60) // 7
    model = LowRankRegressorCV(alphas=3, cv=GroupKFold(3))
    expected = clone(model).set_params(cv=list(GroupKFold(3).split(X, y, groups))).fit(X, y)
    np.testing.assert_array_equal(
        clone(model).fit(X, y, groups=groups).mse_path_, expected.mse_path_
    )
    with config_context(enable_metadata_routing=True):
        routed = clone(model).fit(X, y, groups=groups)
    np.testing.assert_array_equal(routed.mse_path_, expected.mse_path_)
    with pytest.raises(TypeError, match=r"unexpected argument\(s\) \['group'\]"):
        clone(model).fit(X, y, group=groups)


def test_splits_without_rows_or_labels_are_named():
    X, y = make()
    for cv, message in (
        ([(np.arange(9), [])], "Split 0 of the 1 that cv makes has no held-out rows"),
        ([(np.arange(9), np.arange(9, 60)), ([], np.arange(9))], "Split 1 of the 2 .* no training"),
        ([], "cv makes no splits"),
    ):
        with pytest.raises(ValueError, match=message):
            LowRankRegressorCV(cv=cv).fit(X, y)
    y[40:] = np.nan
    with pytest.raises(TaskLayoutError, match=r"No task has both .* in split 1 of cv"):
        LowRankRegressorCV(
            cv=[(np.arange(20), np.arange(20, 60)), (np.arange(9), np.arange(45, 60))]
        ).fit(X, y)


# -- containers -----------------------------------------------------------------------------------


def test_every_container_of_shared_rows_gives_the_same():
    X, y = make()
    y = hide(y)
    names = ["a", "b", "c", "d"]
    frame = pd.DataFrame(y, columns=names)
    columns = dict(zip(names, y.T, strict=True))
    expected = LowRankRegressorCV(alphas=4).fit(X, y)
    for given in (frame, columns, MultiTaskTarget(columns)):
        model = LowRankRegressorCV(alphas=4, cv=5).fit(X, given)
        np.testing.assert_array_equal(model.mse_path_, expected.mse_path_)
        np.testing.assert_array_equal(model.coef_, expected.coef_)
        assert model.task_names_ == names
        stratified = clone(model).set_params(cv=MultiTaskKFold(3)).fit(X, given)
        assert stratified.mse_path_.shape == (4, 3)
    thin = LowRankRegressorCV(alphas=4).fit(sparse.csr_array(X), y)
    np.testing.assert_allclose(thin.mse_path_, expected.mse_path_, **CLOSE)
    single = LowRankRegressorCV(alphas=4).fit(X, make()[1][:, 0])
    assert single.predict(X).shape == (60,)


def test_own_rows_are_split_within_each_task_and_equal_long_form():
    X, y = own_rows()
    model = MeanRegularizedRegressorCV(alphas_shared=2, alphas_specific=3, cv=4).fit(X, y)
    splits = {name: list(KFold(4).split(rows)) for name, rows in X.items()}
    plain = MeanRegularizedRegressor(
        model.alphas_shared_[1], alpha_specific=model.alphas_specific_[2]
    )
    for k in range(4):
        train = {name: splits[name][k][0] for name in X}
        test = {name: splits[name][k][1] for name in X}
        plain.fit({n: X[n][train[n]] for n in X}, {n: y[n][train[n]] for n in X})
        predicted = plain.predict({n: X[n][test[n]] for n in X})
        error = np.mean([np.square(predicted[n] - y[n][test[n]]).mean() for n in X])
        np.testing.assert_allclose(model.mse_path_[1, 2, k], error, **CLOSE)
    with_splitter = clone(model).set_params(cv=KFold(4)).fit(X, y)
    np.testing.assert_array_equal(with_splitter.mse_path_, model.mse_path_)
    table, labels = stack_tasks({name: (X[name], y[name]) for name in X})
    long = clone(model).set_params(task_feature=-1).fit(table, labels)
    np.testing.assert_allclose(long.mse_path_, model.mse_path_, **ROUNDING)


def test_own_rows_take_pairs_of_numbers_over_all_tasks_and_groups_by_task():
    X, y = own_rows()
    splits = {name: list(KFold(3).split(rows)) for name, rows in X.items()}
    starts = dict(zip(X, np.cumsum([0, 20, 31]), strict=True))
    pairs = [
        tuple(np.concatenate([splits[n][k][part] + starts[n] for n in X]) for part in (0, 1))
        for k in range(3)
    ]
    expected = LowRankRegressorCV(alphas=3, cv=3).fit(X, y)
    by_pairs = LowRankRegressorCV(alphas=3, cv=pairs).fit(X, y)
    np.testing.assert_array_equal(by_pairs.mse_path_, expected.mse_path_)
    groups = {name: np.arange(len(rows)) % 5 for name, rows in X.items()}
    grouped = LowRankRegressorCV(alphas=3, cv=GroupKFold(5)).fit(X, y, groups=groups)
    assert grouped.mse_path_.shape == (3, 5)
    with pytest.raises(TaskLayoutError, match="groups must be a dict with a key for each task"):
        LowRankRegressorCV(cv=GroupKFold(5)).fit(X, y, groups=np.arange(63))
    with pytest.raises(TaskLayoutError, match=r"cv cannot split the 12 row\(s\) of task 't2'"):
        LowRankRegressorCV(cv=KFold(13)).fit(X, y)
    few = LowRankRegressorCV(alphas=3, cv=13).fit(X, y)
    assert np.isfinite(few.mse_path_).all()


def test_long_form_is_split_by_rows_where_a_splitter_is_given():
    rng = np.random.default_rng(0)
    X, y = own_rows((30, 30))
    table = np.column_stack([np.concatenate(list(X.values())), np.repeat([0, 1], 30)])
    labels = np.concatenate(list(y.values()))
    order = rng.permutation(60)
    table, labels = table[order], labels[order]
    model = LowRankRegressorCV(alphas=3, task_feature=4, cv=KFold(3), tol=TOL).fit(table, labels)
    for k, (train, test) in enumerate(KFold(3).split(table)):
        for a, alpha in enumerate(model.alphas_):
            plain = LowRankRegressor(alpha, task_feature=4, tol=TOL).fit(
                table[train], labels[train]
            )
            square = np.square(plain.predict(table[test]) - labels[test])
            error = np.mean([square[table[test, 4] == task].mean() for task in (0, 1)])
            np.testing.assert_allclose(model.mse_path_[a, k], error, **CLOSE)


def test_weights_count_in_training_and_in_held_out_errors_as_repeated_rows_do():
    X, y = make(n=30)
    weight = np.random.default_rng(0).integers(0, 4, size=30)
    repeated = np.repeat(np.arange(30), weight)
    groups = np.arange(30) % 3
    splits = [(groups != k, groups == k) for k in range(3)]
    again = [(groups[repeated] != k, groups[repeated] == k) for k in range(3)]
    model = LowRankRegressorCV(alphas=4, cv=splits, tol=TOL).fit(X, y, sample_weight=weight)
    expected = LowRankRegressorCV(alphas=4, cv=again, tol=TOL).fit(X[repeated], y[repeated])
    np.testing.assert_allclose(model.alphas_, expected.alphas_, **ROUNDING)
    np.testing.assert_allclose(model.mse_path_, expected.mse_path_, **CLOSE)


def test_n_samples_counts_each_held_out_label_the_same():
    X, y = make()
    y = hide(y, 0.5)
    model = LowRankRegressorCV(alphas=3, cv=3, task_weight="n_samples", tol=TOL).fit(X, y)
    for k, (train, test) in enumerate(KFold(3).split(X)):
        plain = LowRankRegressor(model.alphas_[1], task_weight="n_samples", tol=TOL)
        residual = plain.fit(X[train], y[train]).predict(X[test]) - y[test]
        np.testing.assert_allclose(model.mse_path_[1, k], np.nanmean(np.square(residual)), **CLOSE)


def test_a_task_that_a_split_does_not_train_is_not_scored_there_and_others_are():
    X, y = make()
    y[12:, 3] = np.nan  # the first of five folds has all labels of the last task
    model = MeanRegularizedRegressorCV(alphas_shared=2, alphas_specific=2, tol=TOL).fit(X, y)
    assert np.isfinite(model.mse_path_).all()
    others = MeanRegularizedRegressorCV(
        alphas_shared=model.alphas_shared_, alphas_specific=model.alphas_specific_, tol=TOL
    ).fit(X, y[:, :3])
    # without labels the fourth task takes no part: its weights are the shared ones
    np.testing.assert_allclose(model.mse_path_[..., 0], others.mse_path_[..., 0], **CLOSE)


# -- wide X ---------------------------------------------------------------------------------------


def test_wide_rows_are_rotated_once_and_give_the_same():
    X, y = make(n=30, p=200)
    model = LowRankRegressorCV(alphas=5, tol=TOL).fit(X, y)
    assert model.statistics_ is None
    assert model.coef_.shape == (4, 200)
    expected = cold_errors(path_of(model), X, y, list(KFold(5).split(X)))
    np.testing.assert_allclose(model.mse_path_, expected, **CLOSE)


@pytest.mark.parametrize("container", ["complete", "missing", "own", "sparse"])
def test_rows_where_gram_matrices_would_not_fit_give_the_same(container, monkeypatch, rows_read):
    X, y = own_rows() if container == "own" else make()
    if container in ("missing", "sparse"):
        y = hide(y)
    if container == "sparse":
        X = sparse.csr_array(np.where(X > 1.0, X, 0.0))
    weight = None if container == "own" else np.linspace(0.0, 2.0, len(y))
    model = JointFeatureRegressorCV(alphas=5, tol=1e-9, cv=3)
    expected = clone(model).fit(X, y, weight)
    rows_read.clear()
    monkeypatch.setattr("sklearn_mtl.linear_model._form.MOST_NUMBERS", 1)
    model.fit(X, y, weight)
    assert not rows_read
    assert model.statistics_ is None
    np.testing.assert_allclose(model.alphas_, expected.alphas_, **ROUNDING)
    np.testing.assert_allclose(model.mse_path_, expected.mse_path_, **CLOSE)
    np.testing.assert_allclose(model.coef_, expected.coef_, **CLOSE)
    np.testing.assert_allclose(model.intercept_, expected.intercept_, **CLOSE)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_can_work_on_rows(name, monkeypatch):
    X, y = make()
    model = clone(MODELS[name]).set_params(tol=1e-8)
    expected = clone(model).fit(X, y)
    monkeypatch.setattr("sklearn_mtl.linear_model._form.MOST_NUMBERS", 1)
    # gaps of 1e-8: fitted values differ by 1e-4 of y
    np.testing.assert_allclose(model.fit(X, y).mse_path_, expected.mse_path_, rtol=1e-3)
    assert model.statistics_ is None


# -- strengths ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["low_rank", "joint_feature", "any"])
def test_paths_of_norms_begin_where_weights_stop_being_zero(name):
    X, y = make()
    model = clone(MODELS[name]).fit(X, hide(y))
    np.testing.assert_allclose(model.alphas_[-1] / model.alphas_[0], 1e-3)
    assert (np.diff(model.alphas_) < 0).all()
    at_first = clone(path_of(model)[0]).fit(X, hide(y))
    np.testing.assert_allclose(at_first.coef_, 0, atol=1e-9)
    below = clone(model).set_params(alphas=[0.98 * model.alphas_[0]], tol=TOL).fit(X, hide(y))
    assert np.abs(below.coef_).max() > 1e-4


@pytest.mark.parametrize("name", ["graph", "mean"])
def test_strengths_of_quadratic_penalties_follow_the_scale_of_x_and_lead_from_nothing_to_all(name):
    X, y = make(n=200, noise=0.1)
    model = clone(MODELS[name]).set_params(tol=1e-12).fit(X, y)
    scaled = clone(model).fit(10.0 * X, y)
    np.testing.assert_allclose(scaled.mse_path_, model.mse_path_, rtol=1e-6)
    error = model.mse_path_.mean(axis=-1)
    assert error[0, 0] > 0.5 * y.var(axis=0).mean()  # the strongest leave little but means
    assert error[-1, -1] < 0.02  # the weakest: least squares, whose noise has variance 0.01


def test_strengths_may_be_given_in_any_order_and_are_checked():
    X, y = make()
    model = LowRankRegressorCV(alphas=[0.1, 3.0, 0.5]).fit(X, y)
    np.testing.assert_array_equal(model.alphas_, [3.0, 0.5, 0.1])
    for bad, message in (
        ([0.1, -1.0], r"alphas\[1\] must be finite and at least 0, got -1.0"),
        ([np.nan], r"alphas\[0\] must be finite"),
        ([], "alphas must be a number of strengths or a list"),
        ([[1.0]], "alphas must be a number"),
        (["a"], "alphas must be a number"),
        (0, "alphas"),
        ("50", "alphas"),
    ):
        with pytest.raises(ValueError, match=message):
            LowRankRegressorCV(alphas=bad).fit(X, y)
    with pytest.raises(ValueError, match=r"alphas_shared\[0\] must be finite"):
        MeanRegularizedRegressorCV(alphas_shared=[-1.0]).fit(X, y)
    with pytest.raises(ValueError, match=r"l1_ratio must be a number from 0 to 1 .* 1\.5"):
        JointFeatureRegressorCV(l1_ratio=[0.5, 1.5]).fit(X, y)
    with pytest.raises(ValueError, match="alpha"):
        MultiTaskLinearRegressorCV(Ridge(-1.0)).fit(X, y)
    for eps in (0.0, 1.0):
        with pytest.raises(ValueError, match="eps"):
            LowRankRegressorCV(eps=eps).fit(X, y)


def test_labels_without_variance_give_weights_of_zero():
    X, _ = make()
    for model in MODELS.values():
        fitted = clone(model).fit(X, np.ones((60, 2)))
        np.testing.assert_array_equal(fitted.coef_, 0)
        assert np.abs(fitted.mse_path_).max() < 1e-20


def test_any_penalty_finds_what_its_own_estimator_finds():
    X, y = make()
    own = JointFeatureRegressorCV(alphas=6).fit(X, y)
    general = MultiTaskLinearRegressorCV(GroupL21(2.0), alphas=6).fit(X, y)
    np.testing.assert_allclose(general.mse_path_, own.mse_path_, **CLOSE)
    np.testing.assert_allclose(2 * general.alpha_, own.alpha_)
    np.testing.assert_allclose(general.penalty_.alpha, own.alpha_)
    ridge = MultiTaskLinearRegressorCV("ridge", alphas=6).fit(X, y)
    np.testing.assert_allclose(ridge.alphas_[-1] / ridge.alphas_[0], 1e-6)


# -- conduct --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_paths_solved_at_once_are_the_same(name):
    X, y = make()
    one = clone(MODELS[name]).fit(X, y)
    two = clone(MODELS[name]).set_params(n_jobs=2).fit(X, y)
    np.testing.assert_array_equal(two.mse_path_, one.mse_path_)
    np.testing.assert_array_equal(two.coef_, one.coef_)


def test_one_warning_counts_the_solves_that_stopped_early():
    X, y = make(p=20)
    model = LowRankRegressorCV(alphas=10, solver="fista", tol=1e-12, max_iter=2)
    with pytest.warns(ConvergenceWarning) as caught:
        model.fit(X, y)
    assert len(caught) == 1
    message = str(caught[0].message)
    assert "LowRankRegressorCV solved" in message
    assert "of 51 problems" in message
    assert "tol is 1e-12" in message
    assert caught[0].filename == __file__
    # the strongest penalty of a path is solved at once in each split
    assert int(message.split()[2]) < 51
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clone(model).set_params(tol=1e-6, solver="auto", max_iter=1000).fit(X, y)


def test_fitted_models_pickle_and_leave_no_traces_of_the_search():
    X, y = make()
    model = LowRankRegressorCV(alphas=3).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert not hasattr(model, "_last_end")
    assert not hasattr(model, "partial_fit")


def test_x_and_y_stay_as_they_were():
    X, y = make_regression(40, 5, n_targets=3, random_state=0)
    before = X.copy(), y.copy()
    X.flags.writeable = y.flags.writeable = False
    LowRankRegressorCV(alphas=3).fit(X, y)
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(y, before[1])


@pytest.mark.parametrize("splitter", [MultiTaskKFold, MultiTaskShuffleSplit])
def test_whole_numbers_are_no_classes_to_a_stratified_splitter(splitter):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = (10 * X[:, 0]).round().astype(int)
    seen = []

    class Recording(splitter):
        def split(self, X, y=None, groups=None):
            seen.append(np.asarray(y).dtype)
            return super().split(X, y, groups)

    found = LowRankRegressorCV(alphas=3, cv=Recording(5)).fit(X, y)  # warnings are errors
    assert seen == [np.float64]
    assert found.mse_path_.shape == (3, 5)
