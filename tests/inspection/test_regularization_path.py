"""Errors along strengths of penalties."""

import numpy as np
import pytest
from inspection._overlap import assert_legible
from matplotlib import pyplot
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import MultiTaskElasticNetCV, MultiTaskLassoCV
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_mtl import (
    GraphRegressorCV,
    JointFeatureRegressorCV,
    LowRankRegressor,
    LowRankRegressorCV,
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
    MultiTaskLinearRegressorCV,
    RegularizationPathDisplay,
)

FALLING = np.geomspace(10.0, 0.01, 6)


def make_tasks(n_tasks=3):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 4))
    return X, X @ rng.normal(size=(4, n_tasks)) + rng.normal(size=(30, n_tasks))


@pytest.mark.parametrize(
    ("model", "n_tasks"),
    [
        (LowRankRegressorCV(alphas=8), 139),
        (MultiTaskLinearRegressorCV(alphas=8), 14),
        (MultiTaskLassoCV(alphas=8), 2),
    ],
)
def test_one_strength_is_a_curve_of_means_over_splits(model, n_tasks):
    X, y = make_tasks(n_tasks)
    model.fit(X, y)
    display = RegularizationPathDisplay.from_estimator(model)
    assert_legible(display.figure_)
    (line,) = display.lines_
    rising = np.argsort(model.alphas_)
    np.testing.assert_array_equal(line.get_xdata(), model.alphas_[rising])
    np.testing.assert_array_equal(line.get_ydata(), model.mse_path_.mean(axis=1)[rising])
    assert display.chosen_.get_xdata()[0] == model.alpha_
    assert line.get_xdata()[np.argmin(line.get_ydata())] == model.alpha_
    assert display.ax_.get_xscale() == "log"


def test_the_band_is_a_standard_error_of_the_mean():
    results = np.array([[1.0, 2.0, 6.0], [1.0, 1.0, 1.0]])
    display = RegularizationPathDisplay([[1.0, 2.0]], results, chosen=[2.0]).plot()
    ends = display.bands_[0].get_paths()[0].vertices
    error = np.std([1.0, 2.0, 6.0], ddof=1) / np.sqrt(3)
    assert ends[ends[:, 0] == 1.0, 1].min() == pytest.approx(3.0 - error)
    assert ends[ends[:, 0] == 1.0, 1].max() == pytest.approx(3.0 + error)
    one_split = RegularizationPathDisplay([[1.0, 2.0]], results[:, :1], chosen=[2.0]).plot()
    np.testing.assert_array_equal(one_split.lines_[0].get_ydata(), [1.0, 1.0])


def test_two_strengths_are_a_heat_map_with_the_pair_chosen():
    X, y = make_tasks()
    model = MeanRegularizedRegressorCV(alphas_shared=5, alphas_specific=6, cv=3).fit(X, y)
    display = RegularizationPathDisplay.from_estimator(model)
    assert_legible(display.figure_)
    means = model.mse_path_.mean(axis=2)[::-1, ::-1]  # weak strengths first
    np.testing.assert_array_equal(display.image_.get_array(), means)
    row, column = np.unravel_index(np.argmin(means), means.shape)
    assert (display.chosen_.get_xdata()[0], display.chosen_.get_ydata()[0]) == (column, row)
    assert display.ax_.get_ylabel() == "alpha_shared"
    assert display.ax_.get_xlabel() == "alpha_specific"


@pytest.mark.parametrize("gammas", [[0.0, 0.1], 6])
@pytest.mark.parametrize("alphas", [[0.1, 0.01, 0.0], 6])
def test_few_values_of_a_strength_are_curves(gammas, alphas):
    X, y = make_tasks()
    model = GraphRegressorCV(gammas=gammas, alphas=alphas, cv=3).fit(X, y)
    display = RegularizationPathDisplay.from_estimator(model)
    assert_legible(display.figure_)
    if gammas == alphas == 6:
        assert display.image_ is not None
        return
    few_gammas = gammas != 6
    assert len(display.lines_) == (2 if few_gammas else 3)
    means = model.mse_path_.mean(axis=2)
    first = means[0] if few_gammas else means[:, 0]
    np.testing.assert_array_equal(display.lines_[0].get_ydata(), first[::-1])
    assert display.ax_.get_xlabel() == ("alpha" if few_gammas else "gamma")
    best = model.alpha_ if few_gammas else model.gamma_
    assert display.chosen_.get_xdata()[0] == best


@pytest.mark.parametrize("model", [JointFeatureRegressorCV, MultiTaskElasticNetCV])
def test_each_share_has_strengths_of_its_own(model):
    X, y = make_tasks()
    model = model(l1_ratio=[0.2, 0.5, 0.8, 1.0], alphas=6, cv=3).fit(X, y)
    display = RegularizationPathDisplay.from_estimator(model)
    assert_legible(display.figure_)
    assert len(display.lines_) == 4
    for line, alphas in zip(display.lines_, model.alphas_, strict=True):
        np.testing.assert_array_equal(line.get_xdata(), alphas[::-1])
    assert [line.get_label() for line in display.lines_][1] == "l1_ratio = 0.5"
    single = JointFeatureRegressorCV(alphas=6, cv=3).fit(X, y)
    assert RegularizationPathDisplay.from_estimator(single).names == ["alpha"]


@pytest.mark.parametrize("n_shared", [2, 3, 5])
def test_long_names_of_two_strengths_stay_within_the_figure(n_shared):
    X, y = make_tasks()
    model = MeanRegularizedRegressorCV(alphas_shared=n_shared, alphas_specific=4).fit(X, y)
    display = RegularizationPathDisplay.from_estimator(model)
    assert len(display.lines_) == (n_shared if n_shared <= 3 else 0)
    assert_legible(display.figure_)


def test_a_strength_of_zero_has_its_place_on_the_axis():
    results = np.arange(8.0).reshape(4, 2)
    display = RegularizationPathDisplay([[0.0, 0.01, 1.0, 10.0]], results, chosen=[0.0]).plot()
    assert display.ax_.get_xscale() == "symlog"
    near = RegularizationPathDisplay([[1.0, 2.0, 3.0, 4.0]], results, chosen=[1.0]).plot()
    assert near.ax_.get_xscale() == "linear"


def test_a_grid_search_shows_its_scores():
    X, y = make_tasks()
    grid = {"lowrankregressor__alpha": [1.0, 0.01, 0.1]}
    model = make_pipeline(StandardScaler(), LowRankRegressor())
    search = GridSearchCV(model, grid, cv=3).fit(X, y)
    display = RegularizationPathDisplay.from_estimator(search)
    assert_legible(display.figure_)
    expected = search.cv_results_["mean_test_score"][[1, 2, 0]]
    np.testing.assert_allclose(display.lines_[0].get_ydata(), expected)
    assert display.chosen_.get_xdata()[0] == search.best_params_["lowrankregressor__alpha"]
    assert display.ax_.get_ylabel() == "Score on held-out rows"


def test_a_grid_search_over_two_strengths_and_two_scores():
    X, y = make_tasks()
    grid = {"alpha_shared": [1.0, 0.1, 0.01, 0.001], "alpha_specific": [3.0, 0.3, 0.03, 0.003]}
    scoring = ["r2", "neg_mean_squared_error"]
    search = GridSearchCV(
        MeanRegularizedRegressor(), grid, cv=2, scoring=scoring, refit="neg_mean_squared_error"
    ).fit(X, y)
    display = RegularizationPathDisplay.from_estimator(search)
    assert display.names == ["alpha_shared", "alpha_specific"]
    means = search.cv_results_["mean_test_neg_mean_squared_error"].reshape(4, 4)[::-1, ::-1]
    np.testing.assert_allclose(display.image_.get_array(), means)
    assert display.chosen == [search.best_params_[name] for name in display.names]


def test_results_that_are_all_alike_have_a_heat_map_too():
    strengths = [FALLING[:4], FALLING]
    display = RegularizationPathDisplay(
        strengths, np.ones((4, 6, 2)), chosen=[10.0, 10.0], names=["gamma", "alpha"]
    ).plot()
    np.testing.assert_array_equal(display.image_.get_array(), np.ones((4, 6)))
    assert not display.lines_
    assert_legible(display.figure_)


def test_an_axes_of_the_caller_is_used():
    _, ax = pyplot.subplots()
    display = RegularizationPathDisplay([FALLING], np.ones((6, 2)), chosen=[1.0])
    assert display.plot(ax).ax_ is ax


def test_bad_input_is_named():
    X, y = make_tasks()
    with pytest.raises(NotFittedError):
        RegularizationPathDisplay.from_estimator(LowRankRegressorCV())
    with pytest.raises(TypeError, match="LowRankRegressor chose none; fit an estimator that does"):
        RegularizationPathDisplay.from_estimator(LowRankRegressor().fit(X, y))
    words = GridSearchCV(LowRankRegressor(), {"solver": ["auto", "fista"]}, cv=2).fit(X, y)
    with pytest.raises(ValueError, match="the search tried others for 'solver'"):
        RegularizationPathDisplay.from_estimator(words)
    one = GridSearchCV(LowRankRegressor(), {"alpha": [0.1]}, cv=2).fit(X, y)
    with pytest.raises(ValueError, match="the search varied 0"):
        RegularizationPathDisplay.from_estimator(one)
    with pytest.raises(ValueError, match=r"found shape \(5, 2\) for 1 strengths of 6 values"):
        RegularizationPathDisplay([FALLING], np.ones((5, 2)), chosen=[1.0]).plot()
    with pytest.raises(ValueError, match="names has 2 words for 1 strengths"):
        RegularizationPathDisplay([FALLING], np.ones((6, 2)), chosen=[1.0], names="ab").plot()
