"""VotingTasks averages, or counts, what its estimators say of each task."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from _labels import as_dict, make_mixed, make_numbers, make_own
from compose._voters import (
    CLASSES,
    LOGISTIC,
    MIXED,
    NEAREST,
    OTHER,
    RIDGE,
    STUMP,
    TREES,
    VALUES,
    Saying,
    make_grades,
)
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    RandomForestRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_mtl import (
    IndependentTasks,
    LowRankClassifier,
    LowRankRegressor,
    MultiTaskKFold,
    MultiTaskLinearEstimator,
    MultiTaskTarget,
    TaskLayoutError,
    VotingTasks,
    stack_tasks,
)

# fits and means are the same, but sums run in another order, in some fits over all columns at once:
# roundings of 1e-16, magnified where summands cancel
SAME = {"rtol": 1e-9}


@parametrize_with_checks(
    [
        VotingTasks([("ridge", RIDGE), ("lowrank", LowRankRegressor(alpha=0.01))]),
        VotingTasks([("ridge", Ridge()), ("trees", TREES)], weights=[1, 2]),
        VotingTasks([("logistic", LOGISTIC), ("stump", STUMP)]),
        VotingTasks([("logistic", LOGISTIC), ("ridge", RidgeClassifier())], voting="hard"),
    ]
)
def test_scikit_learn_finds_nothing_to_object_to(estimator, check):
    check(estimator)


# -- references -------------------------------------------------------------------------------


@pytest.mark.parametrize("weights", [None, [1.0, 5.0]])
@pytest.mark.parametrize("plain", [False, True])
def test_on_complete_labels_it_is_a_voting_regressor_a_task(weights, plain):
    X, Y = make_numbers(missing=0.0)
    alone = [("ridge", Ridge()), ("forest", RandomForestRegressor(5, random_state=0))]
    # forests of scikit-learn share splits between tasks, so they are not one a task
    alone = [("ridge", Ridge()), ("near", KNeighborsRegressor())] if plain else alone
    whole = alone if plain else [(name, IndependentTasks(est)) for name, est in alone]
    model = VotingTasks(whole, weights=weights).fit(X, Y)
    for t in range(2):
        expected = VotingRegressor(alone, weights=weights).fit(X, Y[:, t]).predict(X)
        np.testing.assert_allclose(model.predict(X)[:, t], expected, **SAME)


@pytest.mark.parametrize("weights", [None, [1.0, 2.0, 4.0]])
@pytest.mark.parametrize("voting", ["soft", "hard"])
@pytest.mark.parametrize("plain", [False, True])
def test_on_complete_classes_it_is_a_voting_classifier_a_task(weights, voting, plain):
    X, Y = make_grades()
    alone = [
        ("tree", DecisionTreeClassifier(max_depth=2, random_state=0)),
        ("near", KNeighborsClassifier(7)),
        ("logistic", LogisticRegression()),
    ]
    wrap = MultiOutputClassifier if plain else IndependentTasks
    model = VotingTasks(
        [(name, wrap(est)) for name, est in alone], voting=voting, weights=weights
    ).fit(X, Y)
    for t in range(2):
        expected = VotingClassifier(alone, voting=voting, weights=weights).fit(X, Y[:, t])
        assert model.predict(X)[:, t].tolist() == expected.predict(X).tolist()
        if voting == "soft":
            np.testing.assert_allclose(model.predict_proba(X)[t], expected.predict_proba(X), **SAME)


@pytest.mark.parametrize(("name", "member"), VALUES)
def test_one_member_is_itself(name, member):
    X, Y = make_numbers()
    model = VotingTasks([(name, member)]).fit(X, Y)
    alone = clone(member).fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), alone.predict(X))
    assert model.score(X, Y) == alone.score(X, Y)


@pytest.mark.parametrize("voting", ["soft", "hard"])
@pytest.mark.parametrize(("name", "member"), CLASSES)
def test_one_classifier_is_itself(name, member, voting):
    X, Y = make_grades()
    model = VotingTasks([(name, member)], voting=voting).fit(X, Y)
    alone = clone(member).fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), alone.predict(X))
    if voting == "soft":
        for own, other in zip(model.predict_proba(X), alone.predict_proba(X), strict=True):
            np.testing.assert_array_equal(own, other)


def test_level_votes_go_to_the_first_class():
    X, y = np.zeros((4, 1)), np.array(["a", "b", "c", "d"])
    says = [(f"member{place}", Saying(word)) for place, word in enumerate("bbacd")]
    # "a" and "b" have 3 of 10 each, though 0.1 + 0.2 is more than 0.3 in floats
    model = VotingTasks(says, voting="hard", weights=[1, 2, 3, 2, 2]).fit(X, y)
    assert model.predict(X).tolist() == ["a"] * 4


# -- containers -------------------------------------------------------------------------------


@pytest.mark.parametrize("voting", ["soft", "hard"])
@pytest.mark.parametrize("wrap", [as_dict, lambda named: MultiTaskTarget(as_dict(named))])
def test_mixed_kinds_with_missing_labels_are_averaged_and_voted_for(wrap, voting):
    X, named = make_mixed()
    members = [IndependentTasks(MIXED), IndependentTasks(OTHER), MultiTaskLinearEstimator()]
    model = VotingTasks([(f"m{j}", est) for j, est in enumerate(members)], voting=voting)
    y = wrap(named)
    predicted = model.fit(X, y).predict(X)
    assert type(predicted) is type(y)
    fitted = [clone(member).fit(X, y) for member in members]
    mean = np.mean([member.predict(X)["price"] for member in fitted], axis=0)
    np.testing.assert_allclose(predicted["price"], mean, **SAME)
    for task in ("good", "stars"):
        classes = model.classes_[list(named).index(task)]
        if voting == "soft":
            shares = np.mean([member.predict_proba(X)[task] for member in fitted], axis=0)
            np.testing.assert_allclose(model.predict_proba(X)[task], shares, **SAME)
        else:
            votes = np.stack([member.predict(X)[task] for member in fitted])
            shares = np.stack([(votes == label).sum(axis=0) for label in classes], axis=1)
        assert predicted[task].tolist() == classes[shares.argmax(axis=1)].tolist()
    assert hasattr(model, "predict_proba") is (voting == "soft")


@pytest.mark.parametrize("voting", ["soft", "hard"])
def test_kinds_may_be_mixed_in_long_form_too(voting):
    X, named = make_mixed()
    rows, labels = stack_tasks({name: (X, column) for name, column in named.items()})
    shared = [("one", IndependentTasks(MIXED)), ("other", IndependentTasks(OTHER))]
    tagged = [(name, clone(est).set_params(task_feature=-1)) for name, est in shared]
    expected = VotingTasks(shared, voting=voting).fit(X, as_dict(named)).predict(X)
    predicted = VotingTasks(tagged, voting=voting).fit(rows, labels).predict(rows)
    for name, column in expected.items():
        found = predicted[rows[:, -1] == name]
        if name == "price":
            np.testing.assert_allclose(found.astype(float), column, **SAME)
        else:
            assert found.tolist() == column.tolist()


def test_scikit_learns_own_regressors_may_sit_beside_ours():
    X, Y = make_numbers(missing=0.0)
    frame = pd.DataFrame(Y, columns=["a", "b"])
    forest = RandomForestRegressor(5, random_state=0)
    model = VotingTasks([("forest", forest), ("ridge", RIDGE)]).fit(X, frame)
    expected = (clone(forest).fit(X, frame).predict(X) + clone(RIDGE).fit(X, Y).predict(X)) / 2
    assert list(model.predict(X).columns) == ["a", "b"]
    np.testing.assert_allclose(model.predict(X), expected, **SAME)


def test_a_task_column_can_be_named_for_estimators_that_know_of_no_tasks():
    rng = np.random.default_rng(0)
    rows = np.column_stack([rng.normal(size=(40, 2)), np.repeat([0, 1], 20)])
    y = rows.sum(axis=1) + 5 * rows[:, 2]
    model = VotingTasks([("ols", LinearRegression()), ("ridge", Ridge())], task_feature=2)
    assert model.fit(rows, y).task_names_ == [0, 1]
    both = [LinearRegression().fit(rows, y).predict(rows), Ridge().fit(rows, y).predict(rows)]
    np.testing.assert_allclose(model.predict(rows), np.mean(both, axis=0), **SAME)


def test_pipelines_that_move_the_task_column_need_it_named():
    X, Y = make_numbers(missing=0.0)
    frame = pd.DataFrame({"shop": np.repeat([0, 1], 15), "x": X[:, 0], "z": X[:, 1]})
    moved = ColumnTransformer([("scaled", StandardScaler(), ["x", "z"])], remainder="passthrough")
    inner = make_pipeline(moved, IndependentTasks(Ridge(), task_feature=-1))
    model = VotingTasks([("moved", inner)])
    with pytest.raises(TaskLayoutError, match=r"All estimators are pipelines.*task_feature=-1"):
        model.fit(frame, Y[:, 0])
    model.set_params(task_feature="shop").fit(frame, Y[:, 0])
    np.testing.assert_array_equal(
        model.predict(frame), clone(inner).fit(frame, Y[:, 0]).predict(frame)
    )
    # beside one that sees the frame itself there is nothing to ask
    seen = IndependentTasks(Ridge(), task_feature="shop")
    model = VotingTasks([("moved", inner), ("seen", seen)]).fit(frame, Y[:, 0])
    assert model.layout_.task_feature == "shop"


# -- parameters -------------------------------------------------------------------------------


def test_estimators_are_replaced_dropped_and_searched_by_name():
    X, Y = make_numbers()
    model = VotingTasks(VALUES, weights=[1, 2, 3])
    whole = model.fit(X, Y).predict(X)
    model.set_params(trees="drop").fit(X, Y)
    assert model.named_estimators_["trees"] == "drop"
    assert [type(est) for est in model.estimators_] == [IndependentTasks, LowRankRegressor]
    kept = VotingTasks(VALUES[:2], weights=[1, 2]).fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), kept.predict(X))
    assert not np.allclose(model.predict(X), whole)
    first = VotingTasks([("ridge", "drop"), *VALUES[1:]], weights=[1, 2, 3]).fit(X, Y)
    kept = VotingTasks(VALUES[1:], weights=[2, 3]).fit(X, Y)
    np.testing.assert_array_equal(first.predict(X), kept.predict(X))
    model.set_params(trees=TREES, trees__estimator__max_depth=1)
    assert model.get_params()["trees__estimator__max_depth"] == 1
    search = GridSearchCV(
        make_pipeline(StandardScaler(), VotingTasks(VALUES[1:])),
        {"votingtasks__trees__estimator__max_depth": [1, 3], "votingtasks__lowrank": ["drop"]},
        cv=3,
    ).fit(X, Y)
    assert search.best_params_["votingtasks__trees__estimator__max_depth"] in (1, 3)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(search)).predict(X), search.predict(X))


def test_searches_and_pipelines_may_vote():
    X, y = make_grades()
    target = MultiTaskTarget({"a": y[:, 0], "b": y[:, 1]})
    searched = GridSearchCV(LOGISTIC, {"estimator__C": [0.1, 1.0]}, cv=MultiTaskKFold(3))
    piped = make_pipeline(StandardScaler(), LowRankClassifier(alpha=0.01))
    model = VotingTasks([("searched", searched), ("piped", piped)]).fit(X, target)
    shares = [clone(est).fit(X, target).predict_proba(X)["b"] for est in (searched, piped)]
    np.testing.assert_allclose(model.predict_proba(X)["b"], np.mean(shares, axis=0), **SAME)
    nested = VotingTasks([("inner", model), ("near", NEAREST)]).fit(X, target)
    assert nested.score(X, target) > 0.5


def test_weights_of_labels_reach_every_estimator():
    X, Y = make_numbers()
    weights = np.random.default_rng(0).uniform(0.1, 3.0, Y.shape)
    model = VotingTasks(VALUES).fit(X, Y, weights)
    expected = np.mean([clone(est).fit(X, Y, weights).predict(X) for _, est in VALUES], axis=0)
    np.testing.assert_allclose(model.predict(X), expected, **SAME)
    near = IndependentTasks(KNeighborsRegressor())
    with pytest.raises(TypeError, match="KNeighborsRegressor, whose fit takes no sample_weight"):
        VotingTasks([("near", near)]).fit(X, Y, weights)
    plain = VotingTasks([("near", KNeighborsRegressor())])
    with pytest.raises(TypeError, match=r"fit of estimator 'near' .* takes no sample_weight"):
        plain.fit(X, np.nan_to_num(Y), np.ones(len(X)))


def test_metadata_goes_to_those_that_request_it():
    X, Y = make_numbers(missing=0.0)
    weights = np.linspace(0.1, 3.0, len(X))
    with sklearn.config_context(enable_metadata_routing=True):
        asks = Ridge().set_fit_request(sample_weight=True)
        leaves = LinearRegression().set_fit_request(sample_weight=False)
        model = VotingTasks([("asks", asks), ("leaves", leaves)])
        predicted = model.fit(X, Y, sample_weight=weights).predict(X)
    expected = (Ridge().fit(X, Y, weights).predict(X) + LinearRegression().fit(X, Y).predict(X)) / 2
    np.testing.assert_allclose(predicted, expected, **SAME)


def test_a_second_fit_forgets_the_first():
    X, y = make_grades()
    model = VotingTasks(CLASSES).fit(X, y)
    own_X, own_y = make_own("numbers")
    model.set_params(estimators=VALUES).fit(own_X, own_y)
    for attribute in ("classes_", "n_features_in_", "predict_proba"):
        assert not hasattr(model, attribute)
