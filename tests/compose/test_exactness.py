"""For each task, what IndependentTasks fits is what the same estimator fitted by hand would be."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sklearn_mtl import IndependentTasks, MultiTaskTarget

REGRESSORS = [
    Ridge(alpha=0.3),
    RandomForestRegressor(n_estimators=5, random_state=3),
    make_pipeline(StandardScaler(), KNeighborsRegressor()),
    GridSearchCV(Ridge(), {"alpha": [0.1, 10.0]}, cv=3),
    # a RandomState is copied for each clone, here and by hand
    DecisionTreeRegressor(max_features=1, random_state=np.random.RandomState(0)),
]
CLASSIFIERS = [
    LogisticRegression(C=0.5),
    RandomForestClassifier(n_estimators=5, random_state=3),
    make_pipeline(StandardScaler(), LogisticRegression()),
]


def make_data(n=60, p=3, missing=0.3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    Y = X @ rng.normal(size=(p, 3)) + 0.1 * rng.normal(size=(n, 3))
    Y[rng.random(Y.shape) < missing] = np.nan
    return X, Y


def by_hand(estimator, X, y, observed, **fit_params):
    cut = {key: value[observed] for key, value in fit_params.items()}
    return clone(estimator).fit(X[observed], y[observed], **cut)


def assert_same(actual, expected):
    # the same operations on the same numbers, but BLAS sums in an order that depends on where in
    # memory they lie, and iterative solvers carry that on; trees below are compared exactly
    np.testing.assert_allclose(actual, expected, rtol=1e-8, atol=1e-10)


def short_name(estimator):
    return type(estimator).__name__


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("estimator", REGRESSORS, ids=short_name)
def test_a_regressor_is_fitted_on_each_tasks_labelled_rows(estimator, missing):
    X, Y = make_data(missing=missing)
    model = IndependentTasks(estimator).fit(X, Y)
    for t in range(3):
        alone = by_hand(estimator, X, Y[:, t], ~np.isnan(Y[:, t]))
        assert_same(model.predict(X)[:, t], alone.predict(X))
        if hasattr(estimator, "max_features"):
            assert model.predict(X)[:, t].tolist() == alone.predict(X).tolist()


@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=short_name)
@pytest.mark.parametrize("names", [["no", "yes"], [False, True], [3, 7], ["a", "b", "c"]])
def test_a_classifier_is_fitted_on_the_callers_own_classes(estimator, names):
    X, Y = make_data(missing=0.0)
    rng = np.random.default_rng(1)
    codes = {"one": (Y[:, 0] > 0).astype(int), "two": rng.integers(len(names), size=len(X))}
    observed = {"one": rng.random(60) < 0.8, "two": rng.random(60) < 0.8}
    y = {}
    for task, numbers in codes.items():
        labels = np.array(names, dtype=object)[numbers]
        labels[~observed[task]] = None
        y[task] = labels
    model = IndependentTasks(estimator).fit(X, y)
    for task in y:
        own = np.array(y[task][observed[task]].tolist())
        alone = clone(estimator).fit(X[observed[task]], own)
        assert model.predict(X)[task].tolist() == alone.predict(X).tolist()
        assert_same(model.predict_proba(X)[task], alone.predict_proba(X))
        assert model.estimators_[task].classes_.tolist() == alone.classes_.tolist()


@pytest.mark.parametrize("shape", ["rows", "labels", "dict", "frame"])
def test_weights_reach_each_task_at_its_own_rows(shape):
    X, Y = make_data()
    weights = np.random.default_rng(2).uniform(0.1, 2.0, size=Y.shape)
    if shape == "rows":
        weights = np.repeat(weights[:, :1], 3, axis=1)
    given = {
        "rows": weights[:, 0],
        "labels": weights,
        "dict": {f"task{t}": weights[:, t] for t in range(3)},
        "frame": pd.DataFrame(weights, columns=["task0", "task1", "task2"]),
    }[shape]
    model = IndependentTasks(Ridge()).fit(X, Y, sample_weight=given)
    for t in range(3):
        alone = by_hand(Ridge(), X, Y[:, t], ~np.isnan(Y[:, t]), sample_weight=weights[:, t])
        assert_same(model.predict(X)[:, t], alone.predict(X))


def test_a_label_of_weight_zero_is_no_label():
    X, Y = make_data(missing=0.0)
    weights = np.ones_like(Y)
    weights[:10, 1] = 0.0
    model = IndependentTasks(RandomForestRegressor(3, random_state=0))
    missing = Y.copy()
    missing[:10, 1] = np.nan
    expected = clone(model).fit(X, missing, sample_weight=np.ones_like(Y)).predict(X)
    assert_same(model.fit(X, Y, weights).predict(X), expected)


def test_sample_weight_is_passed_only_if_given():
    class Recorder(Ridge):
        def fit(self, X, y, **params):
            self.seen_ = set(params)
            return super().fit(X, y, **params)

    X, Y = make_data()
    model = IndependentTasks(Recorder()).fit(X, Y)
    assert all(est.seen_ == set() for est in model.estimators_.values())
    model.fit(X, Y, np.ones(len(X)))
    assert all(est.seen_ == {"sample_weight"} for est in model.estimators_.values())


@pytest.mark.parametrize("weighted", [False, True])
def test_tasks_with_their_own_x_may_differ_in_features(weighted):
    rng = np.random.default_rng(0)
    X = {"north": rng.normal(size=(30, 2)), "south": rng.normal(size=(20, 5))}
    y = {"north": rng.normal(size=30), "south": rng.choice(["wet", "dry"], 20).astype(object)}
    y["north"][:4] = np.nan
    y["south"][3] = None
    weights = {name: rng.uniform(0.5, 1.5, len(own)) for name, own in X.items()}
    estimators = {"north": Ridge(), "south": LogisticRegression()}
    model = IndependentTasks(estimators).fit(X, y, weights if weighted else None)
    for name, observed in (("north", np.arange(30) > 3), ("south", np.arange(20) != 3)):
        labels = y[name][observed]
        alone = clone(estimators[name]).fit(
            X[name][observed],
            labels if name == "north" else labels.astype(str),
            sample_weight=weights[name][observed] if weighted else None,
        )
        assert model.predict(X)[name].tolist() == alone.predict(X[name]).tolist()
    probabilities = model.predict_proba(X)
    assert list(probabilities) == ["south"]
    assert_same(probabilities["south"], alone.predict_proba(X["south"]))
    assert not hasattr(model, "n_features_in_")


@pytest.mark.parametrize("frame", [None, pd.DataFrame, pl.DataFrame])
def test_in_long_form_the_estimators_see_their_rows_without_the_task_column(frame):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    tags = rng.integers(3, size=40)
    y = X.sum(axis=1) * (tags + 1)
    y[:5] = np.nan
    weights = rng.uniform(0.5, 1.5, 40)
    rows = np.column_stack([X, tags])
    feature = -1
    if frame is not None:
        rows, feature = frame({**{f"x{j}": X[:, j] for j in range(3)}, "shop": tags}), "shop"
    model = IndependentTasks(Ridge(), task_feature=feature).fit(rows, y, weights)
    predicted = model.predict(rows)
    for task in range(3):
        here = tags == task
        alone = by_hand(Ridge(), X, y, here & ~np.isnan(y), sample_weight=weights)
        assert_same(predicted[here], alone.predict(X[here]))
    assert model.task_names_ == [0, 1, 2]
    assert model.n_features_in_ == 4


def test_in_long_form_probabilities_follow_the_union_of_classes():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"x": rng.normal(size=60), "shop": np.repeat(["a", "b"], 30)})
    y = np.concatenate([rng.choice(["bad", "good"], 30), rng.choice(["good", "great"], 30)])
    model = IndependentTasks(LogisticRegression(), task_feature="shop").fit(X, y)
    assert model.classes_.tolist() == ["bad", "good", "great"]
    probabilities = model.predict_proba(X)
    for shop, columns in (("a", [0, 1]), ("b", [1, 2])):
        here = (X["shop"] == shop).to_numpy()
        alone = LogisticRegression().fit(X.loc[here, ["x"]], y[here])
        expected = np.zeros((30, 3))
        expected[:, columns] = alone.predict_proba(X.loc[here, ["x"]])
        assert_same(probabilities[here], expected)


def test_a_task_of_one_class_gives_the_others_no_probability():
    X = np.column_stack([np.arange(12.0), np.repeat([0, 1], 6)])
    y = np.array(["no", "yes"] * 3 + ["yes"] * 6)
    model = IndependentTasks(DecisionTreeClassifier(random_state=0), task_feature=1).fit(X, y)
    assert model.predict(X).tolist() == y.tolist()
    assert_same(model.predict_proba(X[6:]), np.repeat([[0.0, 1.0]], 6, axis=0))


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize(
    "make", [sparse.csr_array, sparse.csc_matrix, sparse.coo_array, sparse.dok_array]
)
def test_sparse_rows_stay_sparse(make, missing):
    class Recorder(DecisionTreeRegressor):
        def fit(self, X, y):
            self.sparse_ = sparse.issparse(X)
            return super().fit(X, y)

    X, Y = make_data(missing=missing)
    X[X < 0] = 0
    model = IndependentTasks(Recorder(random_state=0)).fit(make(X), Y)
    for t, fitted in enumerate(model.estimators_.values()):
        rows = sparse.csr_array(X)
        alone = by_hand(Recorder(random_state=0), rows, Y[:, t], ~np.isnan(Y[:, t]))
        assert model.predict(make(X))[:, t].tolist() == alone.predict(rows).tolist()
        assert fitted.sparse_


def test_estimators_get_frames_with_text_columns_as_they_are():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "city": rng.choice(["Oslo", "Rome"], 40),
            "words": rng.choice(["red wine", "white wine", "beer"], 40),
            "size": rng.normal(size=40),
        },
        index=np.arange(100, 140),
    )
    y = pd.DataFrame({"price": X["size"] * 2.0, "tasty": rng.choice(["no", "yes"], 40)}, X.index)
    y.loc[103, "price"] = np.nan
    columns = make_column_transformer(
        (OneHotEncoder(), ["city"]), (TfidfVectorizer(), "words"), remainder="passthrough"
    )
    estimators = {
        "price": make_pipeline(columns, Ridge()),
        "tasty": make_pipeline(columns, LogisticRegression()),
    }
    model = IndependentTasks(estimators).fit(X, y)
    predicted = model.predict(X)
    kept = y["price"].notna()
    price = clone(estimators["price"]).fit(X[kept], y.loc[kept, "price"])
    assert_same(predicted["price"], price.predict(X))
    tasty = clone(estimators["tasty"]).fit(X, y["tasty"])
    assert predicted["tasty"].tolist() == tasty.predict(X).tolist()
    assert predicted.index.equals(X.index)
    assert model.feature_names_in_.tolist() == ["city", "words", "size"]


def test_rows_may_be_a_list_of_texts():
    texts = ["good wine", "bad wine", "good beer", "bad beer"] * 5
    y = {"liked": [1, 0, 1, 0] * 5, "litres": [1.0, None, 2.0, 2.0] * 5}
    estimators = {
        "liked": make_pipeline(TfidfVectorizer(), LogisticRegression()),
        "litres": make_pipeline(TfidfVectorizer(), Ridge()),
    }
    model = IndependentTasks(estimators).fit(texts, y)
    kept = [text for text, label in zip(texts, y["litres"], strict=True) if label is not None]
    alone = clone(estimators["litres"]).fit(kept, [label for label in y["litres"] if label])
    assert_same(model.predict(texts)["litres"], alone.predict(texts))
    assert model.predict(["good wine"])["liked"].tolist() == [1]


def test_kinds_follow_the_estimators_not_the_labels():
    X, Y = make_data(missing=0.0)
    grades = Y[:, 0].round().astype(int)
    y = {"quality": grades, "good": (grades > 0).astype(float)}
    model = IndependentTasks(
        {"quality": RandomForestRegressor(5, random_state=0), "good": LogisticRegression()}
    ).fit(X, y)
    assert [task.kind for task in model.layout_.tasks] == ["regression", "binary"]
    predicted = model.predict(X)
    alone = RandomForestRegressor(5, random_state=0).fit(X, grades)
    assert_same(predicted["quality"], alone.predict(X))
    assert set(predicted["good"]) == {0.0, 1.0}
    assert model.classes_[0] is None
    assert model.classes_[1].tolist() == [0.0, 1.0]


def test_the_score_is_the_mean_over_tasks_on_their_labelled_rows():
    X, Y = make_data()
    good = np.where(np.isnan(Y[:, 1]), None, np.where(Y[:, 1] > 0, "yes", "no"))
    y = MultiTaskTarget({"price": Y[:, 0], "good": good})
    weights = np.random.default_rng(5).uniform(0.5, 1.5, len(X))
    model = IndependentTasks({"price": Ridge(), "good": LogisticRegression()}).fit(X, y)
    predicted = model.predict(X)
    here, there = ~np.isnan(Y[:, 0]), ~np.isnan(Y[:, 1])
    for w in (None, weights):
        expected = (
            r2_score(
                Y[here, 0], predicted["price"][here], sample_weight=None if w is None else w[here]
            )
            + accuracy_score(
                good[there].tolist(),
                predicted["good"][there].tolist(),
                sample_weight=None if w is None else w[there],
            )
        ) / 2
        assert model.score(X, y, sample_weight=w) == pytest.approx(expected, rel=1e-12)


def test_float32_rows_reach_the_estimators_as_float32():
    X, Y = make_data()
    X = X.astype(np.float32)
    model = IndependentTasks(Ridge()).fit(X, Y)
    for t in range(3):
        alone = by_hand(Ridge(), X, Y[:, t], ~np.isnan(Y[:, t]))
        assert model.estimators_[f"task{t}"].coef_.dtype == np.float32
        # the same fit in float32, whose last digit is 1e-7
        np.testing.assert_allclose(model.predict(X)[:, t], alone.predict(X), rtol=1e-6, atol=1e-6)
