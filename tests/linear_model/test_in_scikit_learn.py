"""The linear estimators inside scikit-learn: searches, pipelines, cross-validation, warnings."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
from joblib import Parallel, delayed
from linear_model._estimators import (
    CLASSIFIERS,
    ESTIMATORS,
    MIXED,
    PATHS,
    PLAIN,
    REGRESSORS,
    make_data,
    small,
)
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.datasets import load_diabetes, load_linnerud
from sklearn.ensemble import BaggingRegressor, VotingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.inspection import permutation_importance
from sklearn.linear_model import Ridge as SingleRidge
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    validation_curve,
)
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import estimator_html_repr

from sklearn_mtl import (
    IndependentTasks,
    JointFeatureRegressor,
    LowRankClassifier,
    LowRankRegressor,
    MeanRegularizedRegressor,
    MultiTaskKFold,
    MultiTaskLinearClassifier,
    MultiTaskLinearRegressor,
    MultiTaskTarget,
    make_task_scorer,
    score_per_task,
    stack_tasks,
)
from sklearn_mtl.convex import L1, GroupL21, NuclearNorm, Ridge
from sklearn_mtl.convex.solvers import SOLVERS

# -- searches ------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_a_grid_search_over_the_strength_of_a_penalty(missing):
    X, y = make_data("LowRankRegressor", missing=missing)
    strengths = [1e-3, 0.05, 1e4]
    search = GridSearchCV(
        MultiTaskLinearRegressor(NuclearNorm()), {"penalty__alpha": strengths}, cv=3
    ).fit(X, MultiTaskTarget(y))
    assert search.best_params_["penalty__alpha"] < 1e4
    best = search.best_estimator_
    again = LowRankRegressor(alpha=search.best_params_["penalty__alpha"]).fit(X, y)
    assert np.array_equal(best.coef_, again.coef_)
    # the last of them leaves no weight: each task's mean is the prediction
    assert search.cv_results_["mean_test_score"][2] < 0.05
    assert isinstance(search.predict(X), MultiTaskTarget)


def test_a_grid_search_over_one_term_of_a_sum():
    X, y = make_data("LowRankRegressor")
    model = MultiTaskLinearRegressor(NuclearNorm(0.1) + Ridge(0.01))
    grid = {"penalty__nuclearnorm__alpha": [0.01, 0.1], "penalty__ridge__alpha": [0.001, 10.0]}
    search = GridSearchCV(model, grid, cv=3).fit(X, pd.DataFrame(y))
    assert search.best_params_["penalty__ridge__alpha"] == 0.001
    found = search.best_estimator_.penalty.get_params()
    assert found["nuclearnorm__alpha"] == search.best_params_["penalty__nuclearnorm__alpha"]
    # the model that was searched is as it was
    assert model.penalty.get_params()["nuclearnorm__alpha"] == 0.1
    assert list(search.predict(X).columns) == ["a", "b", "c"]


def test_a_search_may_try_several_penalties():
    X, y = make_data("LowRankRegressor")
    penalties = ["ridge", NuclearNorm(1e3), GroupL21(1e3), L1(0.01)]
    search = GridSearchCV(MultiTaskLinearRegressor(), {"penalty": penalties}, cv=3)
    search.fit(X, pd.DataFrame(y))
    assert search.best_params_["penalty"] in ("ridge", penalties[3])
    assert (search.cv_results_["mean_test_score"][1:3] < 0.05).all()


@pytest.mark.parametrize("name", [name for name in PLAIN if name in CLASSIFIERS])
def test_classifiers_with_missing_labels_are_searched_under_our_splitter(name):
    X, y = make_data(name, n=60, missing=0.2)
    model = small(name, **({"penalty": NuclearNorm()} if "Linear" in name else {}))
    words = ("alpha", "alpha_shared", "penalty__alpha")
    parameter = next(word for word in words if word in model.get_params())
    search = GridSearchCV(model, {parameter: [0.001, 0.1]}, cv=MultiTaskKFold(3))
    search.fit(X, MultiTaskTarget(y))
    assert 0.4 < search.best_score_ <= 1
    assert set(search.predict_proba(X)) == {"a", "b", "c"}


def test_a_randomized_search_through_a_pipeline_of_two_processes():
    X, y = make_data("LowRankRegressor", missing=0.1)
    model = make_pipeline(StandardScaler(), MultiTaskLinearRegressor(NuclearNorm()))
    strengths = {"multitasklinearregressor__penalty__alpha": [0.001, 0.01, 0.1, 1.0]}
    searches = [
        RandomizedSearchCV(model, strengths, n_iter=3, cv=3, random_state=0, n_jobs=n_jobs).fit(
            X, MultiTaskTarget(y)
        )
        for n_jobs in (1, 2)
    ]
    assert searches[0].best_params_ == searches[1].best_params_
    assert np.array_equal(
        searches[0].best_estimator_[-1].coef_, searches[1].best_estimator_[-1].coef_
    )
    for score in ("mean_test_score", "std_test_score"):
        assert np.array_equal(searches[0].cv_results_[score], searches[1].cv_results_[score])


@pytest.mark.parametrize("name", PATHS)
def test_a_search_of_our_own_may_stand_in_a_search(name):
    X, y = make_data(name)
    search = GridSearchCV(small(name), {"fit_intercept": [True, False]}, cv=3)
    search.fit(X, pd.DataFrame(y))
    assert search.best_params_ == {"fit_intercept": True}


def test_a_search_in_long_form():
    X, y = make_data("LowRankRegressor", missing=0.2)
    rows, labels = stack_tasks({task: (X, column) for task, column in y.items()})
    seen = ~pd.isna(labels)
    order = np.random.default_rng(0).permutation(np.flatnonzero(seen))
    rows, labels = rows[order], labels[order]
    search = GridSearchCV(
        LowRankRegressor(task_feature=-1), {"alpha": [0.01, 1e3]}, cv=KFold(3)
    ).fit(rows, labels)
    assert search.best_params_ == {"alpha": 0.01}
    assert search.predict(rows).shape == labels.shape


# -- pipelines -----------------------------------------------------------------------------------


def test_words_are_read_sparse_and_many_features_are_fitted():
    # names of dishes, said in other words: sweet or not, and how much is eaten
    dishes = ["apple pie", "plum pie", "fish stew", "bean stew", "apple cake", "fish cake"] * 8
    y = {
        "sweet": np.array([name in ("apple pie", "plum pie", "apple cake") for name in dishes]),
        "dish": np.array([name.split()[1] for name in dishes]),
    }
    model = make_pipeline(TfidfVectorizer(), LowRankClassifier(alpha=1e-3)).fit(dishes, y)
    assert model.score(dishes, y) == 1.0
    grams = {"sugar": 2.0 + 3.0 * y["sweet"], "flour": 1.0 + 4.0 * (y["dish"] == "cake")}
    model = make_pipeline(TfidfVectorizer(), JointFeatureRegressor(alpha=1e-3)).fit(dishes, grams)
    assert model.score(dishes, grams) > 0.99


def test_a_pipeline_fills_encodes_and_scales():
    X, y = make_data("LowRankRegressor", missing=0.2)
    X = X.copy()
    X[::7, 1] = np.nan
    model = Pipeline(
        [
            ("fill", SimpleImputer()),
            ("scale", StandardScaler()),
            ("fit", MeanRegularizedRegressor()),
        ]
    )
    assert model.fit(X, y).score(X, y) > 0.3
    one_hot = make_pipeline(OneHotEncoder(), MeanRegularizedRegressor())
    cities = np.array([["rome"], ["oslo"], ["lima"]] * 10)
    means = {"t": np.tile([1.0, 2.0, 3.0], 10), "u": np.tile([0.0, 5.0, 5.0], 10)}
    predicted = (
        one_hot.set_params(
            meanregularizedregressor__alpha_shared=1e-6,
            meanregularizedregressor__alpha_specific=1e-6,
        )
        .fit(cities, means)
        .predict(cities[:3])
    )
    np.testing.assert_allclose(predicted["u"], [0.0, 5.0, 5.0], atol=1e-4)


# -- cross-validation ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ESTIMATORS)
def test_cross_validation_has_a_column_a_task(name):
    X, y = make_data(name, n=60, missing=0.2)
    results = cross_validate(
        small(name), X, MultiTaskTarget(y), cv=MultiTaskKFold(3), error_score="raise"
    )
    assert results["test_score"].shape == (3,)
    metric = "r2" if name in REGRESSORS else "accuracy" if name in CLASSIFIERS else None
    if metric is None:
        return
    scorer = make_task_scorer(metric)
    scores = cross_val_score(
        small(name), X, MultiTaskTarget(y), cv=MultiTaskKFold(3), scoring=scorer
    )
    # our score is the plain mean over tasks
    np.testing.assert_allclose(scores, results["test_score"])
    predicted = small(name).fit(X, y).predict(X)
    by_task = score_per_task(y, predicted)
    assert list(by_task) == ["a", "b", "c"]
    mean = small(name).fit(X, y).score(X, y)
    assert np.mean(list(by_task.values())) == pytest.approx(mean, rel=1e-12)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_predictions_of_cross_validation(n_jobs):
    X, y = make_data("LowRankRegressor")
    matrix = np.column_stack(list(y.values()))
    predicted = cross_val_predict(LowRankRegressor(), X, matrix, cv=KFold(4), n_jobs=n_jobs)
    assert predicted.shape == matrix.shape
    train = np.arange(10, 40)
    expected = LowRankRegressor().fit(X[train], matrix[train]).predict(X[:10])
    np.testing.assert_allclose(predicted[:10], expected, rtol=1e-10)


def test_curves_over_rows_and_strengths():
    X, y = make_data("LowRankRegressor", n=80)
    target = MultiTaskTarget(y)
    sizes, train, test = learning_curve(LowRankRegressor(), X, target, cv=3, train_sizes=[0.3, 1.0])
    assert test.shape == (2, 3)
    assert test[1].mean() > test[0].mean() - 0.05
    train, test = validation_curve(
        LowRankRegressor(), X, target, param_name="alpha", param_range=[0.01, 1e3], cv=3
    )
    assert test[0].mean() > test[1].mean()


def test_threads_fit_what_one_after_another_fit():
    X, y = make_data("LowRankRegressor", missing=0.2)
    names = list(PLAIN)
    data = [make_data(name, missing=0.2) for name in names]
    alone = [small(name).fit(*d).coef_ for name, d in zip(names, data, strict=True)]
    for backend in ("threading", "loky"):
        fits = Parallel(n_jobs=2, backend=backend)(
            delayed(small(name).fit)(*d) for name, d in zip(names, data, strict=True)
        )
        for model, coef in zip(fits, alone, strict=True):
            # kernels may add in another order where memory is aligned otherwise
            np.testing.assert_allclose(model.coef_, coef, rtol=1e-6, atol=1e-8)


# -- other meta-estimators -----------------------------------------------------------------------


def test_independent_tasks_take_a_linear_model_each():
    X, y = make_data("LowRankRegressor", missing=0.2)
    model = IndependentTasks(LowRankRegressor(alpha=0.05)).fit(X, y)
    predicted = model.predict(X)
    for task, labels in y.items():
        seen = ~np.isnan(labels)
        alone = LowRankRegressor(alpha=0.05).fit(X[seen], labels[seen])
        np.testing.assert_allclose(predicted[task], alone.predict(X), rtol=1e-6)


@pytest.mark.parametrize(
    "make",
    [
        lambda model: BaggingRegressor(model, n_estimators=3, random_state=0),
        lambda model: VotingRegressor([("ours", model), ("theirs", SingleRidge())]),
        MultiOutputRegressor,
    ],
    ids=["bagging", "voting", "multi-output"],
)
def test_ensembles_of_one_task_take_a_linear_regressor(make):
    X, y = load_diabetes(return_X_y=True, scaled=False)
    X = StandardScaler().fit_transform(X)
    y = y[:, None] if make is MultiOutputRegressor else y
    assert make(MeanRegularizedRegressor()).fit(X, y).score(X, y) > 0.4


def test_permutation_importance_finds_the_columns_that_matter():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 4))
    y = {"a": 2 * X[:, 0], "b": X[:, 0] - X[:, 2] + 0.1 * rng.normal(size=80)}
    model = JointFeatureRegressor(alpha=0.05).fit(X, y)
    found = permutation_importance(model, X, MultiTaskTarget(y), n_repeats=3, random_state=0)
    assert set(np.argsort(found.importances_mean)[-2:]) == {0, 2}


def test_real_targets_of_three_units_are_predicted_by_name():
    X, y = load_linnerud(return_X_y=True, as_frame=True)
    model = make_pipeline(StandardScaler(), LowRankRegressor(alpha=1.0)).fit(X, y)
    predicted = model.predict(X)
    assert list(predicted.columns) == ["Weight", "Waist", "Pulse"]
    np.testing.assert_allclose(predicted.mean(), y.mean(), rtol=1e-10)


# -- stopping ------------------------------------------------------------------------------------


def iterative(name):
    """Return the estimators that must step towards the answer: all but quadratic regressors."""
    return not (name in REGRESSORS and name.startswith(("Graph", "Mean")))


@pytest.mark.parametrize("name", [name for name in PLAIN if iterative(name)])
def test_a_fit_that_stops_early_says_the_gap_the_tolerance_and_what_to_do(name):
    X, y = make_data(name, n=60, p=8)
    model = small(name, solver="fista", max_iter=1, tol=1e-12)
    with pytest.warns(ConvergenceWarning) as caught:
        model.fit(X, y)
    assert len(caught) == 1
    message = str(caught[0].message)
    numbers = re.fullmatch(
        rf"{name} stopped after 1 iterations at a duality gap of (\S+), above tol times the "
        r"objective at W = 0 \((\S+)\)\. Raise max_iter \(now 1\) or tol \(now 1e-12\), bring the "
        r"features to one scale, or penalise more\.",
        message,
    )
    assert numbers, message
    assert float(numbers[1]) == pytest.approx(model.dual_gap_, rel=1e-2)
    assert float(numbers[1]) > float(numbers[2])
    # the warning points at the caller
    assert caught[0].filename == __file__
    # what was reached is there, and a bound on what is left
    best = small(name, tol=1e-10, max_iter=100_000).fit(X, y)
    assert model.n_iter_ == 1
    assert 0 <= model.objective_ - best.objective_ <= model.dual_gap_ * (1 + 1e-9)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("name", PLAIN)
def test_every_fit_by_every_method_stops_by_its_gap(name, solver):
    X, y = make_data(name, n=50, missing=0.1)
    for tol in (1e-3, 1e-8):
        model = small(name, solver=solver, tol=tol, max_iter=50_000)
        try:
            model.fit(X, y)
        except ValueError as error:
            assert f"solver='{solver}' of {name} cannot solve" in str(error)  # noqa: PT017
            return
        zero = small(name, max_iter=1)  # the objective at W = 0 is that of a huge strength
        scale = objective_at_zero(zero, X, y)
        assert model.dual_gap_ <= tol * scale
        assert model.dual_gap_ >= 0


def objective_at_zero(model, X, y):
    """Return the loss of the best constants."""
    total = 0.0
    for labels in y.values():
        labels = labels[[label is not None and label == label for label in labels]]
        if labels.dtype.kind == "f":
            total += labels.var() / 2
        else:
            _, counts = np.unique(labels.astype(str), return_counts=True)
            share = counts / counts.sum()
            total -= float(share @ np.log(share))
    return total


@pytest.mark.parametrize("name", PLAIN)
def test_a_warm_start_at_the_answer_takes_no_more_steps(name):
    X, y = make_data(name, n=50, missing=0.1)
    model = small(name, warm_start=True, tol=1e-8).fit(X, y)
    first, coef = model.n_iter_, model.coef_.copy()
    model.fit(X, y)
    assert model.n_iter_ <= min(first, 1)
    np.testing.assert_allclose(model.coef_, coef, atol=1e-3)
    # other tasks or features start anew, without a word
    renamed = {task.upper(): labels for task, labels in y.items()}
    assert model.fit(X[:, :3], renamed).coef_.shape == (len(coef), 3)


@pytest.mark.parametrize("name", PLAIN)
def test_a_path_of_warm_starts_ends_where_a_cold_fit_does(name):
    X, y = make_data(name, missing=0.1)
    words = ("alpha", "gamma", "alpha_shared", "alpha_specific")
    start = small(name).get_params()
    if "penalty" in start:
        settings = [{"penalty": NuclearNorm(a)} for a in (0.5, 0.1, 0.02)]
    else:
        settings = [{key: start[key] * f for key in words if key in start} for f in (9, 3, 1)]
    warm = small(name, warm_start=True, tol=1e-10)
    for setting in settings:
        warm.set_params(**setting).fit(X, y)
    cold = small(name, tol=1e-10, **settings[-1]).fit(X, y)
    assert warm.objective_ == pytest.approx(cold.objective_, rel=1e-8)
    np.testing.assert_allclose(warm.coef_, cold.coef_, atol=1e-4)


# -- what scikit-learn asks ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ESTIMATORS)
def test_scikit_learn_knows_what_kind_each_is(name):
    assert is_regressor(small(name)) == (name in REGRESSORS)
    assert is_classifier(small(name)) == (name in CLASSIFIERS)
    assert (name in MIXED) == (not is_regressor(small(name)) and not is_classifier(small(name)))
    assert name in estimator_html_repr(small(name))


def test_penalties_are_read_set_and_cloned_through_the_estimator():
    model = MultiTaskLinearClassifier(NuclearNorm(0.1) + Ridge(0.2))
    params = model.get_params()
    assert params["penalty__nuclearnorm__alpha"] == 0.1
    assert params["penalty__ridge__alpha"] == 0.2
    copy = clone(model).set_params(penalty__ridge__alpha=9.0)
    assert model.get_params()["penalty__ridge__alpha"] == 0.2
    assert copy.penalty.penalties[1][1].alpha == 9.0
    copy.set_params(penalty__ridge=L1(0.3))
    assert copy.get_params()["penalty__ridge__alpha"] == 0.3
    with pytest.raises(ValueError, match="Invalid parameter 'nuclear'"):
        copy.set_params(penalty__nuclear__alpha=1.0)


def test_a_fit_within_tolerance_warns_of_nothing_and_prints_nothing(capsys):
    for name in ESTIMATORS:
        X, y = make_data(name, missing=0.2)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            small(name).fit(X, y).predict(X)
    assert capsys.readouterr() == ("", "")


def test_parameters_of_a_penalty_named_by_a_word_can_be_searched():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(40, 4)), rng.normal(size=(40, 3))
    search = GridSearchCV(MultiTaskLinearRegressor(), {"penalty__alpha": [0.1, 10.0]}, cv=3)
    assert search.fit(X, Y).best_params_ == {"penalty__alpha": 10.0}  # there is nothing to learn
    assert search.best_estimator_.penalty.alpha == 10.0
    model = MultiTaskLinearRegressor().set_params(penalty="l1", penalty__alpha=0.3)
    assert repr(model.penalty) == "L1(alpha=0.3)"
    with pytest.raises(ValueError, match="Invalid parameter 'alfa'"):
        MultiTaskLinearRegressor().set_params(penalty__alfa=1.0)
