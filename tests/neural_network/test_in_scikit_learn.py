"""The networks inside scikit-learn: pipelines, searches, cross-validation, inspection, routing."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
import torch
from _plain import PLAIN
from joblib import Parallel, delayed, parallel_config
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.ensemble import (
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import SequentialFeatureSelector
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import Ridge
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    train_test_split,
    validation_curve,
)
from sklearn.multioutput import MultiOutputRegressor, RegressorChain
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import estimator_html_repr

from sklearn_mtl import (
    IndependentTasks,
    MultiTaskClassifier,
    MultiTaskEstimator,
    MultiTaskKFold,
    MultiTaskRegressor,
    MultiTaskTarget,
    make_task_scorer,
    score_per_task,
)

N = 90
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 4))
PRICE = X[:, 0] + 0.5 * X[:, 1] + 3.0
COST = 100.0 * X[:, 2]
SOLD = np.where(X[:, 0] + X[:, 3] > 0, "yes", "no")
GRADE = np.digitize(X[:, 1], [-0.5, 0.5])
NUMBERS = {"price": PRICE, "cost": COST}
CLASSES = {"sold": SOLD, "grade": GRADE}
BOTH = {"price": PRICE, "sold": SOLD}
SMALL = {**PLAIN, "hidden_layer_sizes": (8,), "max_epochs": 5, "lr": 0.02, "random_state": 0}
NETWORKS = {
    "regressor": (MultiTaskRegressor, NUMBERS),
    "classifier": (MultiTaskClassifier, CLASSES),
    "mixed": (MultiTaskEstimator, BOTH),
}


def hidden(labels, share=0.3):
    """The same labels, some of them unknown."""
    rng = np.random.default_rng(1)
    result = {}
    for name, column in labels.items():
        numbers = np.asarray(column).dtype.kind == "f"
        column = np.array(column, dtype=float if numbers else object)
        column[rng.random(len(column)) < share] = np.nan if numbers else None
        result[name] = column
    return result


def same(left, right):
    assert list(left) == list(right)
    for name in left:
        np.testing.assert_array_equal(left[name], right[name])


@pytest.fixture(params=NETWORKS)
def route(request):
    return NETWORKS[request.param]


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


# -- pipelines -----------------------------------------------------------------------------------


def test_a_pipeline_scales_fills_and_predicts_names(route):
    network, y = route
    holes = X.copy()
    holes[::7, 1] = np.nan
    model = make_pipeline(SimpleImputer(), StandardScaler(), network(**SMALL))
    model.fit(holes, hidden(y))
    predicted = model.predict(holes)
    assert list(predicted) == list(y)
    assert model.score(holes, y) > 0.0
    by_hand = make_pipeline(SimpleImputer(), StandardScaler()).fit_transform(holes)
    same(predicted, network(**SMALL).fit(by_hand, hidden(y)).predict(by_hand))


def test_a_pipeline_gives_probabilities_and_classes_of_each_task():
    model = make_pipeline(StandardScaler(), MultiTaskClassifier(**SMALL)).fit(X, CLASSES)
    found = model.predict_proba(X)
    assert {name: block.shape for name, block in found.items()} == {"sold": (N, 2), "grade": (N, 3)}
    assert [classes.tolist() for classes in model.classes_] == [["no", "yes"], [0, 1, 2]]


CITY = np.array(["rome", "oslo", "lima"])[np.arange(N) % 3]
LEVEL = PRICE + 10.0 * (np.arange(N) % 3)
FRAME = pd.DataFrame(X, columns=["a", "b", "c", "d"]).assign(city=CITY)


def prepared(task_feature):
    """Scale the numbers, encode a word, pass the column of tasks through."""
    columns = ColumnTransformer(
        [
            ("numbers", StandardScaler(), ["a", "b"]),
            ("filled", SimpleImputer(), ["c", "d"]),
            ("task", "passthrough", ["city"]),
        ],
        verbose_feature_names_out=False,
    )
    return columns, MultiTaskRegressor(**SMALL, task_feature=task_feature)


def test_text_names_of_tasks_pass_a_column_transformer_by_number():
    columns, network = prepared(task_feature=4)
    model = make_pipeline(columns, network).fit(FRAME, LEVEL)
    assert model[-1].task_names_ == ["lima", "oslo", "rome"]
    order = RNG.permutation(N)
    # a task may come in any order and be absent: rows keep their own
    # rtol: a matrix product of other rows may round otherwise in the last bits
    np.testing.assert_allclose(
        model.predict(FRAME.iloc[order]), model.predict(FRAME)[order], rtol=1e-6
    )
    here = CITY == "rome"
    np.testing.assert_allclose(model.predict(FRAME[here]), model.predict(FRAME)[here], rtol=1e-6)


def test_text_names_of_tasks_pass_a_column_transformer_by_name():
    columns, network = prepared(task_feature="city")
    model = make_pipeline(columns, network).set_output(transform="pandas").fit(FRAME, LEVEL)
    assert model[-1].feature_names_in_.tolist() == ["a", "b", "c", "d", "city"]
    by_number = make_pipeline(*prepared(task_feature=4)).fit(FRAME, LEVEL)
    np.testing.assert_array_equal(model.predict(FRAME), by_number.predict(FRAME))
    assert model.score(FRAME, LEVEL) == pytest.approx(by_number.score(FRAME, LEVEL))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_names_of_columns_pass_a_column_transformer_of_any_frame_library(library):
    frame = FRAME if library == "pandas" else pl.from_pandas(FRAME)
    columns, network = prepared(task_feature="city")
    model = make_pipeline(columns, network).set_output(transform=library).fit(frame, LEVEL)
    assert model.predict(frame).shape == (N,)
    assert model[-1].task_names_ == ["lima", "oslo", "rome"]


def test_a_search_in_long_form_scores_tasks_through_the_pipeline():
    columns, network = prepared(task_feature="city")
    model = make_pipeline(columns, network).set_output(transform="pandas")
    search = GridSearchCV(
        model,
        {"multitaskregressor__lr": [1e-4, 0.05]},
        cv=MultiTaskKFold(3, task_feature="city"),
        scoring=make_task_scorer(average=None, task_feature="city"),
        refit="rome",
    ).fit(FRAME, LEVEL)
    assert search.best_params_ == {"multitaskregressor__lr": 0.05}
    assert {f"mean_test_{name}" for name in ("lima", "oslo", "rome")} <= set(search.cv_results_)


def test_one_hot_words_beside_other_columns():
    columns = ColumnTransformer(
        [("words", OneHotEncoder(sparse_output=False), ["city"])], remainder="passthrough"
    )
    model = make_pipeline(columns, MultiTaskEstimator(**SMALL)).fit(FRAME, pd.DataFrame(BOTH))
    predicted = model.predict(FRAME)
    assert predicted.columns.tolist() == ["price", "sold"]


def test_other_column_names_at_predict_are_refused():
    model = MultiTaskRegressor(**SMALL).fit(FRAME[["a", "b"]], pd.DataFrame(NUMBERS))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(FRAME[["b", "c"]])
    with pytest.raises(ValueError, match="must be in the same order"):
        model.predict(FRAME[["b", "a"]])
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        model.predict(X[:, :2])


def test_polars_frames_go_in_and_come_out(route):
    network, y = route
    holes = {
        name: [None if value != value else value for value in column]
        for name, column in hidden(y).items()
    }
    labels = pl.DataFrame(holes, strict=False)
    model = make_pipeline(StandardScaler(), network(**SMALL))
    model.fit(pl.DataFrame(X, schema=["a", "b", "c", "d"]), labels)
    predicted = model.predict(pl.DataFrame(X, schema=["a", "b", "c", "d"]))
    assert isinstance(predicted, pl.DataFrame)
    assert predicted.columns == list(y)
    assert predicted.null_count().sum_horizontal().item() == 0


def test_pandas_labels_come_back_with_the_index_of_the_rows(route):
    network, y = route
    rows = pd.DataFrame(X, index=[f"row{i}" for i in range(N)])
    predicted = network(**SMALL).fit(rows.to_numpy(), pd.DataFrame(y)).predict(rows)
    assert predicted.index.equals(rows.index)


# -- searches and cross-validation ---------------------------------------------------------------


@pytest.mark.parametrize("container", [MultiTaskTarget, pd.DataFrame])
def test_a_grid_search_over_weights_of_tasks_and_sizes(route, container):
    network, y = route
    y = container(hidden(y))
    grid = {
        "task_weight": [None, {next(iter(y.keys())): 4.0}],
        "hidden_layer_sizes": [(4,), (16, 8)],
        "max_epochs": [1, 12],
    }
    search = GridSearchCV(network(**SMALL), grid, cv=MultiTaskKFold(2)).fit(X, y)
    assert search.best_params_["max_epochs"] == 12
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()
    assert search.best_score_ == scores.max()
    assert len(np.unique(scores.round(12))) > 4  # each parameter reached the network
    again = clone(search.best_estimator_).fit(X, y)
    left, right = search.predict(X), again.predict(X)
    assert type(left) is container
    for name in left.keys():  # noqa: SIM118  a MultiTaskTarget iterates over rows
        np.testing.assert_array_equal(left[name], right[name])
    assert search.score(X, y) == again.score(X, y)


def test_a_randomized_search_through_a_pipeline_of_two_processes():
    model = make_pipeline(StandardScaler(), MultiTaskRegressor(**SMALL))
    search = RandomizedSearchCV(
        model,
        {
            "multitaskregressor__lr": [1e-3, 1e-2, 1e-1],
            "multitaskregressor__activation": ["relu", "tanh"],
            "multitaskregressor__task_weight": [None, "n_samples"],
        },
        n_iter=3,
        cv=KFold(2, shuffle=True, random_state=0),
        random_state=0,
        n_jobs=2,
    ).fit(X, MultiTaskTarget(hidden(NUMBERS)))
    assert search.best_score_ == search.cv_results_["mean_test_score"].max()
    alone = clone(search).set_params(n_jobs=1).fit(X, MultiTaskTarget(hidden(NUMBERS)))
    np.testing.assert_array_equal(
        alone.cv_results_["mean_test_score"], search.cv_results_["mean_test_score"]
    )


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_predictions_of_cross_validation_keep_the_names(n_jobs):
    y = MultiTaskTarget(hidden(NUMBERS))
    predicted = cross_val_predict(MultiTaskRegressor(**SMALL), X, y, cv=KFold(3), n_jobs=n_jobs)
    assert isinstance(predicted, MultiTaskTarget)
    assert list(predicted.keys()) == ["price", "cost"]
    train, test = next(KFold(3).split(X))
    by_hand = MultiTaskRegressor(**SMALL).fit(X[train], y[train]).predict(X[test])
    np.testing.assert_array_equal(predicted["price"][test], by_hand["price"])
    assert all(np.isfinite(score) for score in score_per_task(y, predicted).values())


def test_frames_come_out_of_cross_validation_where_scikit_learn_joins_them():
    y = pd.DataFrame(NUMBERS)
    predicted = cross_val_predict(MultiTaskRegressor(**SMALL), X, y, cv=3)
    assert np.shape(predicted) == (N, 2)


def test_cross_validation_has_a_column_a_task(route):
    network, y = route
    found = cross_validate(
        network(**SMALL),
        X,
        MultiTaskTarget(hidden(y)),
        cv=MultiTaskKFold(3),
        scoring=make_task_scorer(average=None),
    )
    for name in y:
        assert found[f"test_{name}"].shape == (3,)
        assert np.isfinite(found[f"test_{name}"]).all()


@pytest.mark.parametrize("average", ["macro", "worst", "weighted"])
def test_averages_of_task_scores_lie_where_they_should(route, average):
    network, y = route
    scorer = make_task_scorer(average=average)
    model = network(**SMALL).fit(X, y)
    scores = make_task_scorer(average=None)(model, X, y)
    if average == "worst":
        assert scorer(model, X, y) == min(scores.values())
    else:
        assert scorer(model, X, y) == pytest.approx(model.score(X, y))  # all labels are known


def test_a_frame_of_arrow_strings_and_nullable_integers_under_a_splitter():
    y = pd.DataFrame(
        {
            "sold": pd.array(SOLD, dtype="string"),
            "grade": pd.array(GRADE, dtype="Int64"),
            "price": PRICE,
        }
    )
    y.loc[::5, "sold"] = pd.NA
    y.loc[1::5, "grade"] = pd.NA
    y.loc[2::5, "price"] = np.nan
    scores = cross_val_score(MultiTaskEstimator(**SMALL), X, y, cv=MultiTaskKFold(3))
    assert np.isfinite(scores).all()
    predicted = MultiTaskEstimator(**SMALL).fit(X, y).predict(X)
    assert predicted.dtypes.equals(y.dtypes)


def test_train_test_split_takes_targets_with_holes(route):
    network, y = route
    train_X, test_X, train_y, test_y = train_test_split(
        X, MultiTaskTarget(hidden(y)), random_state=0
    )
    assert np.isfinite(network(**SMALL).fit(train_X, train_y).score(test_X, test_y))


def test_folds_of_whole_numbers_say_how_to_call_them_regression():
    y = np.arange(N)
    with pytest.warns(UserWarning, match="pass task_kinds='regression'"):
        list(MultiTaskKFold(3).split(X, y))
    splits = MultiTaskKFold(3, task_kinds="regression")
    assert np.isfinite(cross_val_score(MultiTaskRegressor(**SMALL), X, y, cv=splits)).all()


def test_curves_over_rows_and_parameters():
    y = MultiTaskTarget(hidden(NUMBERS))
    sizes, train, test = learning_curve(
        MultiTaskRegressor(**SMALL), X, y, cv=2, train_sizes=[0.5, 1.0]
    )
    assert sizes.tolist() == [22, 45]
    assert np.isfinite(test).all()
    _, test = validation_curve(
        MultiTaskRegressor(**SMALL), X, y, param_name="max_epochs", param_range=[1, 12], cv=2
    )
    assert test[1].mean() > test[0].mean()


def test_a_learning_curve_by_partial_fit():
    _, _, test = learning_curve(
        MultiTaskRegressor(**SMALL),
        X,
        np.column_stack([PRICE, COST]),
        cv=2,
        train_sizes=[0.5, 1.0],
        exploit_incremental_learning=True,
    )
    assert np.isfinite(test).all()


def test_single_task_baselines_run_under_the_same_splitter(route):
    network, y = route
    y = MultiTaskTarget(hidden(y))
    cv, scoring = MultiTaskKFold(3), make_task_scorer(average=None)
    shared = cross_validate(network(**SMALL), X, y, cv=cv, scoring=scoring)
    alone = cross_validate(IndependentTasks(network(**SMALL)), X, y, cv=cv, scoring=scoring)
    assert set(shared) == set(alone)


def test_a_network_for_each_task_is_the_network_of_one_task():
    model = IndependentTasks(MultiTaskRegressor(**SMALL)).fit(X, NUMBERS)
    for name, column in NUMBERS.items():
        single = MultiTaskRegressor(**SMALL).fit(X, column)
        np.testing.assert_array_equal(model.predict(X)[name], single.predict(X))


# -- other meta-estimators -----------------------------------------------------------------------


def test_permutation_importance_finds_the_columns_that_matter():
    model = MultiTaskRegressor(**{**SMALL, "max_epochs": 40}).fit(X, hidden(NUMBERS))
    found = permutation_importance(
        model, X, MultiTaskTarget(NUMBERS), n_repeats=3, random_state=0
    ).importances_mean
    assert found[3] < min(found[0], found[2])  # nothing depends on the last column


def test_permutation_importance_of_one_task():
    model = MultiTaskRegressor(**{**SMALL, "max_epochs": 40}).fit(X, NUMBERS)
    scorer = make_task_scorer(average="cost")
    found = permutation_importance(
        model, X, MultiTaskTarget(NUMBERS), scoring=scorer, n_repeats=3, random_state=0
    ).importances_mean
    assert found.argmax() == 2


def test_a_transformed_target_of_one_task():
    model = TransformedTargetRegressor(
        MultiTaskRegressor(**SMALL), func=np.log, inverse_func=np.exp
    )
    model.fit(X, np.exp(PRICE))
    inner = MultiTaskRegressor(**SMALL).fit(X, PRICE)
    np.testing.assert_allclose(model.predict(X), np.exp(inner.predict(X)), rtol=1e-6)


@pytest.mark.parametrize(
    "make",
    [
        lambda net: BaggingRegressor(net, n_estimators=2, random_state=0),
        lambda net: AdaBoostRegressor(net, n_estimators=2, random_state=0),
        lambda net: StackingRegressor([("net", net)], final_estimator=Ridge(), cv=2),
        lambda net: VotingRegressor([("net", net), ("line", Ridge())]),
        lambda net: SequentialFeatureSelector(net, n_features_to_select=1, cv=2),
    ],
    ids=["bagging", "boosting", "stacking", "voting", "selection"],
)
def test_ensembles_and_selectors_take_a_network_of_one_task(make):
    model = make(MultiTaskRegressor(**SMALL)).fit(X, PRICE)
    found = model.predict(X) if hasattr(model, "predict") else model.transform(X)[:, 0]
    assert np.isfinite(found).all()
    assert len(found) == N


@pytest.mark.parametrize(
    "make",
    [
        lambda net: BaggingClassifier(net, n_estimators=2, random_state=0),
        lambda net: CalibratedClassifierCV(net, cv=2),
        lambda net: StackingClassifier([("net", net)], cv=2),
        lambda net: VotingClassifier([("one", net), ("two", net)], voting="soft"),
    ],
    ids=["bagging", "calibration", "stacking", "voting"],
)
def test_ensembles_and_calibration_take_a_classifier_of_one_task(make):
    model = make(MultiTaskClassifier(**{**SMALL, "max_epochs": 20})).fit(X, SOLD)
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)
    assert model.score(X, SOLD) > 0.6


@pytest.mark.parametrize("make", [MultiOutputRegressor, RegressorChain])
def test_scikit_learns_own_multi_output_takes_a_network_of_one_task(make):
    y = np.column_stack([PRICE, COST])
    assert make(MultiTaskRegressor(**SMALL)).fit(X, y).predict(X).shape == (N, 2)


@pytest.mark.parametrize("scoring", ["roc_auc", "neg_log_loss", "f1_macro"])
def test_scores_of_probabilities_of_one_task(scoring):
    y = (SOLD == "yes").astype(int)
    assert np.isfinite(
        cross_val_score(MultiTaskClassifier(**SMALL), X, y, cv=3, scoring=scoring)
    ).all()


@pytest.mark.parametrize("average", ["macro", "sold"])
@pytest.mark.parametrize("metric", ["roc_auc", "neg_log_loss", "f1_macro"])
def test_scores_of_probabilities_of_several_tasks_with_holes(metric, average):
    y = MultiTaskTarget(hidden({"sold": SOLD, "late": (X[:, 2] > 0).astype(int)}))
    scorer = make_task_scorer(metric, average=average)
    scores = cross_val_score(
        MultiTaskClassifier(**SMALL), X, y, cv=MultiTaskKFold(3), scoring=scorer
    )
    assert np.isfinite(scores).all()


def test_halving_hands_out_epochs():
    search = HalvingGridSearchCV(
        MultiTaskRegressor(**SMALL),
        {"lr": [1e-3, 0.01, 0.1]},
        cv=2,
        resource="max_epochs",
        min_resources=3,
        max_resources=9,
    ).fit(X, MultiTaskTarget(hidden(NUMBERS)))
    assert search.best_params_["max_epochs"] == 9


def test_partial_dependence_has_a_curve_a_task():
    model = MultiTaskRegressor(**SMALL).fit(X, np.column_stack([PRICE, COST]))
    assert partial_dependence(model, X, [0], grid_resolution=5)["average"].shape == (2, 5)


def test_a_frozen_network_is_not_trained_again():
    model = MultiTaskRegressor(**SMALL).fit(X, NUMBERS)
    frozen = FrozenEstimator(model).fit(X[:3], {name: y[:3] for name, y in NUMBERS.items()})
    same(frozen.predict(X), model.predict(X))


def test_threads_train_the_same_networks_as_one_after_another():
    def fitted(seed):
        model = MultiTaskRegressor(**{**SMALL, "random_state": seed}).fit(X, NUMBERS)
        return model.predict(X)

    alone = [fitted(seed) for seed in range(4)]
    with parallel_config(backend="threading"):
        together = Parallel(n_jobs=2)(delayed(fitted)(seed) for seed in range(4))
    for left, right in zip(alone, together, strict=True):
        same(left, right)


def test_threads_leave_the_random_state_as_it_was():
    before = torch.get_rng_state()
    model = MultiTaskRegressor(**SMALL, dropout=0.2)
    Parallel(n_jobs=2, prefer="threads")(delayed(clone(model).fit)(X, NUMBERS) for _ in range(4))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("n_estimators", [1, 3])
@pytest.mark.parametrize("travelled", [False, True])
def test_threads_predict_with_one_network(travelled, n_estimators):
    model = MultiTaskRegressor(**{**SMALL, "n_estimators": n_estimators, "dtype": "float64"})
    model.fit(X, NUMBERS)
    whole = model.predict(X)
    for _ in range(5):  # an unpickled one builds its net at the first call, of which two race
        one = pickle.loads(pickle.dumps(model)) if travelled else model
        found = Parallel(n_jobs=2, prefer="threads")(delayed(one.predict)(X) for _ in range(4))
        for predicted in found:
            same(predicted, whole)


def test_processes_are_sent_a_fitted_network():
    model = MultiTaskRegressor(**SMALL).fit(X, NUMBERS)
    found = Parallel(n_jobs=2, prefer="processes")(delayed(model.predict)(X) for _ in range(2))
    for one in found:
        same(one, model.predict(X))


# -- metadata routing ----------------------------------------------------------------------------


def test_weights_of_rows_are_routed_through_a_pipeline(route, routing):
    network, y = route
    weight = np.where(np.arange(N) % 2, 1.0, 0.0)
    step = network(**SMALL).set_fit_request(sample_weight=True)
    model = Pipeline([("scale", StandardScaler().set_fit_request(sample_weight=False))])
    model.steps.append(("net", step))
    model.fit(X, y, sample_weight=weight)
    by_hand = network(**SMALL).fit(StandardScaler().fit_transform(X), y, weight)
    same(model.predict(X), by_hand.predict(StandardScaler().fit_transform(X)))
    unweighted = make_pipeline(StandardScaler(), network(**SMALL)).fit(X, y)
    losses = model[-1].history_["train_loss"]
    assert not np.array_equal(losses, unweighted[-1].history_["train_loss"])


@pytest.mark.parametrize("width", ["a row", "a label"])
def test_weights_are_routed_through_a_search_and_its_score(width, routing):
    weight = RNG.random(N) if width == "a row" else RNG.random((N, 2))
    model = MultiTaskRegressor(**SMALL).set_fit_request(sample_weight=True)
    model.set_score_request(sample_weight=True)
    y = MultiTaskTarget(hidden(NUMBERS))
    search = GridSearchCV(model, {"lr": [1e-3, 0.05]}, cv=KFold(2))
    search.fit(X, y, sample_weight=weight)
    train, test = next(KFold(2).split(X))
    by_hand = MultiTaskRegressor(**{**SMALL, "lr": 0.05}).fit(X[train], y[train], weight[train])
    expected = by_hand.score(X[test], y[test], weight[test])
    assert search.cv_results_["split0_test_score"][1] == pytest.approx(expected)


def test_weights_that_nobody_asked_for_are_an_error(routing):
    with pytest.raises(ValueError, match="sample_weight"):
        make_pipeline(MultiTaskRegressor(**SMALL)).fit(X, NUMBERS, sample_weight=np.ones(N))


def test_task_scorers_route_weights(routing):
    scorer = make_task_scorer().set_score_request(sample_weight=True)
    model = MultiTaskRegressor(**SMALL).set_fit_request(sample_weight=False)
    found = cross_validate(
        model,
        X,
        MultiTaskTarget(NUMBERS),
        cv=KFold(2),
        scoring=scorer,
        params={"sample_weight": RNG.random(N)},
    )
    assert np.isfinite(found["test_score"]).all()


# -- as an object --------------------------------------------------------------------------------


def test_parameters_are_read_set_and_cloned(route):
    network, y = route
    model = network(**SMALL, task_weight={next(iter(y)): 2.0})
    assert clone(model).get_params() == model.get_params()
    model.set_params(lr=0.5, hidden_layer_sizes=(3,))
    assert (model.lr, model.hidden_layer_sizes) == (0.5, (3,))
    with pytest.raises(ValueError, match="Invalid parameter 'rate'"):
        model.set_params(rate=1.0)
    fitted = model.set_params(lr=0.01).fit(X, y)
    assert not hasattr(clone(fitted), "net_")


def test_fit_does_not_change_parameters(route):
    network, y = route
    model = network(**SMALL, task_weight={next(iter(y)): 2.0}, callbacks=[], net_params={})
    before = {name: repr(value) for name, value in model.get_params().items()}
    model.fit(X, y)
    assert {name: repr(value) for name, value in model.get_params().items()} == before


def test_it_prints_the_parameters_that_differ(route):
    network, y = route
    model = network(max_epochs=5)
    assert repr(model) == f"{network.__name__}(max_epochs=5)"
    html = estimator_html_repr(model.fit(X, y))
    assert network.__name__ in html
    assert "Fitted" in html
    pipeline = make_pipeline(StandardScaler(), model)
    assert network.__name__ in estimator_html_repr(pipeline)
    assert "MultiTask" in repr(GridSearchCV(pipeline, {}))


def test_scikit_learn_knows_what_kind_each_network_is():
    assert is_regressor(MultiTaskRegressor())
    assert is_classifier(MultiTaskClassifier())
    assert not is_regressor(MultiTaskEstimator())
    assert not is_classifier(MultiTaskEstimator())


def test_several_scores_at_once_share_the_predictions():
    search = GridSearchCV(
        MultiTaskRegressor(**SMALL),
        {"lr": [1e-3, 0.05]},
        cv=2,
        scoring={
            "mean": make_task_scorer(),
            "price": make_task_scorer("neg_mean_absolute_error", average="price"),
        },
        refit="mean",
    ).fit(X, MultiTaskTarget(hidden(NUMBERS)))
    assert {"mean_test_mean", "mean_test_price"} <= set(search.cv_results_)


def test_real_data_with_hidden_labels_are_learnt_about_as_well_as_by_a_linear_model():
    rows, progression = load_diabetes(return_X_y=True)
    y = MultiTaskTarget(
        hidden({"progression": progression, "pressure": rows[:, 3] * 100}, share=0.5)
    )
    rows = np.delete(rows, 3, axis=1)
    network = MultiTaskRegressor(batch_size=64, max_epochs=40, random_state=0)
    scores = cross_val_score(network, rows, y, cv=MultiTaskKFold(2))
    linear = cross_val_score(IndependentTasks(Ridge(0.1)), rows, y, cv=MultiTaskKFold(2))
    assert scores.mean() > linear.mean() - 0.15
