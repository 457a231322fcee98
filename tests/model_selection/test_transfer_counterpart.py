"""What baseline=None stands for, and that neither side may try more than the other."""

from itertools import combinations_with_replacement

import numpy as np
import pandas as pd
import pytest
from scipy.stats import uniform
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import RFECV
from sklearn.linear_model import MultiTaskLasso, Ridge, RidgeCV
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    KFold,
    LeaveOneOut,
    RandomizedSearchCV,
)
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler, TargetEncoder

from sklearn_mtl import (
    GraphRegressor,
    IndependentTasks,
    LowRankRegressor,
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
    MultiTaskEstimator,
    MultiTaskKFold,
    MultiTaskRegressor,
    PooledTasks,
    StackedTasks,
    TaskChain,
    TaskGrouping,
    TaskRelationshipRegressor,
    VotingTasks,
    stack_tasks,
    transfer_report,
)
from sklearn_mtl.model_selection._budget import check_equal_budget
from sklearn_mtl.model_selection._counterpart import single_task_counterpart
from sklearn_mtl.neural_network import MMoE
from tests.model_selection._observed_estimators import FITS, Alone, Sharing, fits_by_sharing

NAMES = ["a", "b", "c"]
COUNTS = np.array([10, 20, 30])
ALPHAS = {"alpha": [0.1, 1.0, 10.0]}


@pytest.fixture(autouse=True)
def _nothing_fitted_yet():
    FITS.clear()


def make_data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 4))
    return X, X @ rng.normal(size=(4, 3)) + rng.normal(size=(40, 3))


def counterpart(estimator):
    return single_task_counterpart(estimator, NAMES, COUNTS)


# -- counterparts -----------------------------------------------------------------------------


@pytest.mark.parametrize("sharing", ["hard", MMoE(n_experts=2)])
def test_a_network_shares_nothing_and_is_else_the_same(sharing):
    network = MultiTaskRegressor(sharing=sharing, hidden_layer_sizes=(7,), max_epochs=3)
    found = counterpart(network)
    assert found.sharing == "separate"
    assert found.set_params(sharing="hard").get_params() == (
        network.set_params(sharing="hard").get_params()
    )


def test_networks_are_found_in_searches_of_pipelines():
    search = GridSearchCV(
        make_pipeline(StandardScaler(), MultiTaskEstimator()),
        {"multitaskestimator__max_epochs": [2, 3]},
    )
    found = counterpart(search)
    assert found.estimator[-1].sharing == "separate"
    assert found.param_grid == search.param_grid
    assert search.estimator[-1].sharing == "hard"


@pytest.mark.parametrize("key", ["sharing", "sharing__n_experts"])
def test_a_search_over_sharing_is_made_by_each_task_alone(key):
    search = GridSearchCV(MultiTaskRegressor(sharing=MMoE()), {key: [2, 3]}, cv=3)
    found = counterpart(search)
    assert isinstance(found, IndependentTasks)
    assert found.estimator.param_grid == search.param_grid
    assert found.estimator.cv == 3


def test_other_estimators_are_fitted_a_task_at_a_time():
    found = counterpart(LowRankRegressor(alpha=3.0))
    assert isinstance(found, IndependentTasks)
    assert found.estimator.alpha == 3.0


def test_a_task_alone_is_regularised_as_beside_tasks_that_share_nothing():
    found = counterpart(TaskRelationshipRegressor(gamma=0.5, prior_covariance=np.eye(3)))
    assert repr(found.estimator) == repr(TaskRelationshipRegressor(gamma=3 * 0.5))


@pytest.mark.parametrize("prefix", ["", "graph__"])
def test_candidates_of_a_search_are_each_decoupled(prefix):
    X, Y = make_data()

    def search(graph, **candidates):
        model = GraphRegressor(graph)
        if prefix:
            model = Pipeline([("scale", StandardScaler()), ("graph", model)])
        grid = {f"{prefix}{name}": values for name, values in candidates.items()}
        return GridSearchCV(model, grid, cv=3)

    tied = search([("a", "b")], alpha=[0.3, 30.0], gamma=[0.0, 1e9])
    found = counterpart(tied).fit(X, dict(zip(NAMES, Y.T, strict=True)))
    for name, labels in zip(NAMES, Y.T, strict=True):
        ties = 1e9 * (name != "c")
        alone = search([], alpha=[0.3, 30.0, 0.3 + ties, 30.0 + ties]).fit(X, labels)
        assert len(found.estimators_[name].cv_results_["params"]) == 4
        # closed forms of one system
        np.testing.assert_allclose(found.estimators_[name].predict(X), alone.predict(X), rtol=1e-8)


def test_a_search_may_try_several_estimators_as_a_step():
    tied = GraphRegressor([("a", "b")])
    grid = {"model": [tied, MeanRegularizedRegressor(alpha_specific=7.0)]}
    search = GridSearchCV(Pipeline([("scale", StandardScaler()), ("model", tied)]), grid, cv=3)
    X, Y = make_data()
    found = counterpart(search).fit(X, dict(zip(NAMES, Y.T, strict=True)))
    for name in NAMES:
        assert len(found.estimators_[name].cv_results_["params"]) == 2
    assert search.param_grid == grid


def test_in_a_pipeline_the_last_step_is_replaced():
    found = counterpart(make_pipeline(StandardScaler(), MeanRegularizedRegressor()))
    assert isinstance(found[0], StandardScaler)
    assert isinstance(found[-1], IndependentTasks)


def test_the_task_column_is_read_by_the_wrapper_and_split_by_nobody():
    search = GridSearchCV(
        MeanRegularizedRegressor(task_feature=0),
        {"alpha_shared": [0.1, 1.0]},
        cv=MultiTaskKFold(3, task_feature=0),
    )
    found = counterpart(search)
    assert found.task_feature == 0
    X, Y = make_data()
    long = pd.DataFrame(X).assign(task=np.array(NAMES)[np.arange(40) % 3])[["task", 0, 1, 2]]
    found.fit(long.set_axis(list("txyz"), axis=1), Y[:, 0])
    for alone in found.estimators_.values():
        assert alone.best_estimator_.estimator_.n_features_in_ == 3
        assert alone.cv.task_feature is None
    assert search.cv.task_feature == 0


@pytest.mark.parametrize(
    ("task_weight", "expected"),
    [
        ({"a": 3.0}, [3.0, 1.0, 1.0]),
        ([1.0, 2.0, 4.0], [1.0, 2.0, 4.0]),
        ("n_samples", [0.5, 1, 1.5]),
    ],
)
def test_each_task_keeps_its_weight(task_weight, expected):
    found = counterpart(MeanRegularizedRegressor(task_weight=task_weight))
    weights = [found.estimator[name].task_weight for name in NAMES]
    assert weights == [[value] for value in expected]


def test_one_task_with_a_weight_is_one_with_a_weaker_penalty():
    X, Y = make_data()
    y = dict(zip(NAMES, Y.T, strict=True))
    weighted = counterpart(
        MeanRegularizedRegressor(alpha_specific=1.0, task_weight={"a": 4.0})
    ).fit(X, y)
    weaker = GraphRegressor([], alpha=0.25).fit(X, Y[:, 0])
    # closed forms of one system, scaled
    np.testing.assert_allclose(weighted.estimators_["a"].coef_, weaker.coef_, rtol=1e-8)


def test_a_composition_is_compared_with_what_it_is_made_of():
    found = counterpart(StackedTasks(Ridge(alpha=3.0)))
    assert type(found) is IndependentTasks
    assert found.estimator.alpha == 3.0


def test_a_search_over_a_composition_keeps_its_candidates():
    grid = {"estimator__alpha": [0.1, 1.0]}
    found = counterpart(GridSearchCV(StackedTasks(Ridge()), grid, cv=3))
    assert found.param_grid == grid
    assert type(found.estimator) is IndependentTasks


def test_a_grouping_is_compared_with_the_counterpart_of_what_it_groups():
    found = counterpart(TaskGrouping(TaskRelationshipRegressor(gamma=0.5)))
    assert repr(found.estimator) == repr(TaskRelationshipRegressor(gamma=3 * 0.5))
    assert counterpart(TaskGrouping(MultiTaskRegressor())).sharing == "separate"


@pytest.mark.parametrize(
    ("estimator", "key"),
    [
        (StackedTasks(Ridge()), "final_estimator__alpha"),
        (StackedTasks(Ridge()), "cv"),
        (PooledTasks(Ridge()), "task_encoding"),
        (TaskChain(Ridge()), "order"),
        (TaskGrouping(Ridge()), "n_groups"),
    ],
)
def test_a_search_for_what_single_tasks_have_not_asks_for_a_baseline(estimator, key):
    search = GridSearchCV(
        make_pipeline(estimator), {f"{type(estimator).__name__.lower()}__{key}": [1, 2]}
    )
    with pytest.raises(ValueError, match=rf"{type(estimator).__name__}.* single tasks .*baseline="):
        counterpart(search)


def test_an_estimator_of_several_columns_only_asks_for_a_baseline():
    with pytest.raises(ValueError, match=r"MultiTaskLasso has no .* several columns .* baseline="):
        counterpart(MultiTaskLasso())


def test_a_compared_estimator_is_left_as_it_was():
    X, Y = make_data()
    model = make_pipeline(StandardScaler(), Sharing())
    transfer_report(model, X, Y, cv=2, n_repeats=1)
    assert model[-1].sharing == "hard"
    assert model[-1].random_state is None


# -- equal budgets ----------------------------------------------------------------------------


def test_both_sides_of_a_search_fit_as_often():
    X, Y = make_data()
    transfer_report(GridSearchCV(Sharing(), ALPHAS, cv=4), X, Y, cv=3, n_repeats=2, random_state=0)
    once = 3 * 4 + 1  # candidates times inner splits, and the best on all training rows
    assert fits_by_sharing() == {"hard": 6 * once, "separate": 6 * once}


def test_each_task_alone_fits_as_often_as_the_estimator_of_all():
    X, Y = make_data()
    model = GridSearchCV(Sharing(), ALPHAS, cv=4)
    baseline = IndependentTasks(GridSearchCV(Alone(), ALPHAS, cv=4))
    transfer_report(model, X, Y, baseline=baseline, cv=2, n_repeats=1, random_state=0)
    assert fits_by_sharing() == {"hard": 2 * 13, "none": 3 * 2 * 13}


def grid(n_candidates=3, cv=4):
    return GridSearchCV(Ridge(), {"alpha": np.arange(1, n_candidates + 1)}, cv=cv)


@pytest.mark.parametrize(
    ("ours", "theirs", "told"),
    [
        (grid(3, 4), grid(2, 4), "3 candidate.* x 4 .* 2 candidate.* x 4"),
        (grid(3, 4), grid(3, 5), "3 candidate.* x 4 .* 3 candidate.* x 5"),
        (grid(3, None), grid(3, KFold(3)), "x 5 .* x 3"),
        (grid(3, LeaveOneOut()), grid(3), "x LeaveOneOut .* x 4"),
        (grid(3), Ridge(), "3 candidate.* baseline by nothing"),
        (Ridge(), RidgeCV(), "estimator is tuned by nothing.* its own cross-validation"),
        (
            grid(3, LeaveOneOut()),
            grid(2, LeaveOneOut()),
            "3 candidate.* x LeaveOneOut .* 2 candidate",
        ),
        (
            RandomizedSearchCV(Ridge(), {"alpha": uniform()}, n_iter=7),
            RandomizedSearchCV(Ridge(), {"alpha": [1.0, 2.0]}, n_iter=7),
            "7 candidate.* 2 candidate",
        ),
    ],
)
def test_unequal_budgets_are_refused_with_both_counts(ours, theirs, told):
    with pytest.raises(ValueError, match=told):
        check_equal_budget(ours, IndependentTasks(theirs), NAMES)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Ridge(), Ridge()),
        (grid(3), make_pipeline(StandardScaler(), grid(3))),
        (grid(3, LeaveOneOut()), grid(3, LeaveOneOut())),
        (grid(3), grid(3, np.int64(4))),
        (Ridge(), make_pipeline(TargetEncoder(cv=3), Ridge())),
        (MeanRegularizedRegressorCV(), RidgeCV()),
        (MeanRegularizedRegressorCV(), grid(3)),
        (StackedTasks(Ridge(), cv=3), Ridge()),
        (StackedTasks(RidgeCV()), RidgeCV()),
        (RandomizedSearchCV(Ridge(), {"alpha": [1.0, 2.0]}, n_iter=2), grid(2, None)),
    ],
)
def test_budgets_that_are_equal_or_cannot_be_counted_pass(ours, theirs):
    check_equal_budget(ours, IndependentTasks(theirs), NAMES)


def test_each_task_counts_by_itself():
    by_task = {"a": grid(3), "b": grid(2), "c": grid(3)}
    with pytest.raises(ValueError, match=r"Task 'b': .*over 3 candidate.*over 2 candidate"):
        check_equal_budget(grid(3), IndependentTasks(by_task), NAMES)
    check_equal_budget(IndependentTasks(by_task), IndependentTasks(dict(by_task)), NAMES)


class Ours(Alone):
    sharing = "ours"


class Theirs(Alone):
    sharing = "theirs"


def search(model, cv=3, kind=GridSearchCV, **params):
    return kind(model(), {"alpha": [0.1, 1.0, 10.0]}, cv=cv, **params)


def nested(model):
    return GridSearchCV(search(model), {"estimator__random_state": [1, 2]}, cv=2)


def halving_at_random(model):
    space = {"alpha": uniform(0.1, 10)}
    return HalvingRandomSearchCV(model(), space, cv=2, n_candidates=3, min_resources=10)


def backwards(model):
    return RFECV(model(), cv=3, importance_getter="model_.coef_")


def partly(model):
    return IndependentTasks({"a": search(model), "b": model(), "c": model()})


BUDGETS = {
    "search": search,
    "search of five splits": lambda model: search(model, cv=np.int64(5)),
    "nested": nested,
    "halving": lambda model: search(model, kind=HalvingGridSearchCV),
    "halving at random": halving_at_random,
    "backwards": backwards,
    "none": lambda model: model(),
}


@pytest.mark.parametrize(("ours", "theirs"), list(combinations_with_replacement(BUDGETS, 2)))
def test_budgets_are_equal_where_both_sides_fit_as_often(ours, theirs):
    X, Y = make_data()
    sides = [IndependentTasks(BUDGETS[ours](Ours)), IndependentTasks(BUDGETS[theirs](Theirs))]
    y = dict(zip(NAMES, Y.T, strict=True))
    for side in sides:
        side.fit(X, y)
    counts = fits_by_sharing()
    if counts["ours"] == counts["theirs"]:
        check_equal_budget(*sides, NAMES)
    elif "backwards" in (ours, theirs) and "none" not in (ours, theirs):
        check_equal_budget(*sides, NAMES)  # nobody can count it
    else:
        with pytest.raises(ValueError, match="who tries more wins"):
            check_equal_budget(*sides, NAMES)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (IndependentTasks(search(Alone)), partly(Alone)),
        (StackedTasks(search(Alone), final_estimator=search(Alone)), search(Alone)),
        (StackedTasks(search(Alone)), search(Alone)),
        (VotingTasks([("a", search(Alone)), ("b", search(Alone, cv=2))]), search(Alone)),
        (TaskGrouping(Alone()), Alone()),
    ],
)
def test_what_a_composition_tries_counts_for_all_of_its_parts(ours, theirs):
    theirs = theirs if isinstance(theirs, IndependentTasks) else IndependentTasks(theirs)
    for sides in ((ours, theirs), (theirs, ours)):
        with pytest.raises(ValueError, match="who tries more wins"):
            check_equal_budget(*sides, NAMES)


def test_a_search_of_unknown_kind_is_refused_before_any_fit():
    class Elsewhere(BaseSearchCV):
        def __init__(self, estimator, search_spaces, cv=3):
            super().__init__(estimator, cv=cv)
            self.search_spaces = search_spaces

    X, Y = make_data()
    other = IndependentTasks(Elsewhere(Alone(), {"alpha": [1, 2]}))
    with pytest.raises(ValueError, match=r"Elsewhere is no search .* budget='any'"):
        transfer_report(Sharing(), X, Y, baseline=other)
    assert not FITS


def test_unequal_budgets_can_be_asked_for():
    X, Y = make_data()
    options = {"baseline": IndependentTasks(Ridge()), "cv": 2, "n_repeats": 1}
    with pytest.raises(ValueError, match="pass budget='any'"):
        transfer_report(MeanRegularizedRegressorCV(), X, Y, **options)
    report = transfer_report(
        MeanRegularizedRegressorCV(alphas_shared=2, alphas_specific=2),
        X,
        Y,
        budget="any",
        **options,
    )
    assert np.isfinite(report.gain).all()


def test_a_search_in_long_form_is_made_by_each_task_alone():
    rng = np.random.default_rng(0)
    X = {name: rng.normal(size=(20, 3)) for name in range(3)}
    X, y = stack_tasks({name: (own, own.sum(axis=1)) for name, own in X.items()})
    model = MeanRegularizedRegressor(task_feature=-1)
    search = GridSearchCV(
        model, {"alpha_shared": [0.1, 1.0]}, cv=MultiTaskKFold(3, task_feature=-1)
    )
    report = transfer_report(search, X, y, cv=3, n_repeats=1, random_state=0)
    assert report.task_names == [0, 1, 2]
    assert np.isfinite(report.gain).all()
