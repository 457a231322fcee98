"""What baseline=None stands for, and that neither side may try more than the other."""

import numpy as np
import pytest
from scipy.stats import uniform
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.model_selection import GridSearchCV, KFold, LeaveOneOut, RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_mtl import (
    IndependentTasks,
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
    MultiTaskEstimator,
    MultiTaskKFold,
    MultiTaskRegressor,
    StackedTasks,
    stack_tasks,
    transfer_report,
)
from sklearn_mtl.model_selection._budget import check_equal_budget, tuning_of
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
    found = counterpart(MeanRegularizedRegressor(alpha_shared=3.0))
    assert isinstance(found, IndependentTasks)
    assert found.estimator.alpha_shared == 3.0


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
    assert found.estimator.estimator.task_feature is None
    assert found.estimator.cv.task_feature is None
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
        MeanRegularizedRegressor(alpha_shared=1.0, alpha_specific=1.0, task_weight={"a": 4.0})
    ).fit(X, y)
    weaker = MeanRegularizedRegressor(alpha_shared=0.25, alpha_specific=0.25).fit(X, Y[:, 0])
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
        (grid(3), Ridge(), "3 candidate.* baseline by nothing"),
        (Ridge(), RidgeCV(), "estimator is tuned by nothing.* its own cross-validation"),
        (grid(3, LeaveOneOut()), grid(2, LeaveOneOut()), r"3 candidate.* x \? .* 2 candidate"),
        (
            RandomizedSearchCV(Ridge(), {"alpha": uniform()}, n_iter=7),
            RandomizedSearchCV(Ridge(), {"alpha": [1.0, 2.0]}, n_iter=7),
            "7 candidate.* 2 candidate",
        ),
    ],
)
def test_unequal_budgets_are_refused_with_both_counts(ours, theirs, told):
    with pytest.raises(ValueError, match=told):
        check_equal_budget(ours, IndependentTasks(theirs))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Ridge(), Ridge()),
        (grid(3), make_pipeline(StandardScaler(), grid(3))),
        (grid(3, LeaveOneOut()), grid(3)),
        (MeanRegularizedRegressorCV(), RidgeCV()),
        (MeanRegularizedRegressorCV(), grid(3)),
        (StackedTasks(Ridge(), cv=3), Ridge()),
        (RandomizedSearchCV(Ridge(), {"alpha": [1.0, 2.0]}, n_iter=2), grid(2, None)),
    ],
)
def test_budgets_that_are_equal_or_cannot_be_counted_pass(ours, theirs):
    check_equal_budget(ours, IndependentTasks(theirs))


def test_each_estimator_of_a_dict_counts():
    with pytest.raises(ValueError, match=r"2 candidate.* and over 3 candidate"):
        check_equal_budget(grid(3), IndependentTasks({"a": grid(3), "b": grid(2)}))
    assert len(tuning_of(IndependentTasks({"a": grid(3), "b": grid(3)})).searches) == 1


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
