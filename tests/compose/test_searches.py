"""Pipelines, searches and cross-validation around IndependentTasks, and inside it."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sklearn_mtl import IndependentTasks, MultiTaskTarget, stack_tasks


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    price = X @ [1.0, -2.0, 0.0] + 0.1 * rng.normal(size=60)
    good = np.where(X[:, 2] > 0, "yes", "no").astype(object)
    price[::7], good[::5] = np.nan, None
    return X, MultiTaskTarget({"price": price, "good": good})


def mixed(**params):
    return IndependentTasks(
        {"price": DecisionTreeRegressor(random_state=0), "good": LogisticRegression()}, **params
    )


def test_a_search_reaches_the_parameters_of_each_task(data):
    X, y = data
    grid = {"estimator__price__max_depth": [1, 4], "estimator__good__C": [1e-6, 1.0]}
    search = GridSearchCV(mixed(), grid, cv=3).fit(X, y)
    assert search.best_params_ == {"estimator__price__max_depth": 4, "estimator__good__C": 1.0}
    assert search.best_estimator_.estimators_["price"].max_depth == 4
    assert isinstance(search.predict(X), MultiTaskTarget)


def test_a_search_can_replace_the_estimator_of_a_task(data):
    X, y = data
    grid = {"estimator__price": [DecisionTreeRegressor(max_depth=1), Ridge()]}
    search = GridSearchCV(mixed(), grid, cv=3).fit(X, y)
    assert isinstance(search.best_estimator_.estimators_["price"], Ridge)


def test_it_is_the_last_step_of_a_pipeline(data):
    X, y = data
    model = make_pipeline(StandardScaler(), mixed())
    scores = cross_validate(model, X, y, cv=3, return_estimator=True)
    assert (scores["test_score"] > 0.5).all()
    params = {"independenttasks__estimator__price__max_depth": 2}
    assert model.set_params(**params)[-1].estimator["price"].max_depth == 2


def test_each_task_may_have_a_search_of_its_own(data):
    X, y = data
    tuned = IndependentTasks(
        {
            "price": GridSearchCV(Ridge(), {"alpha": [1e-3, 1e6]}, cv=3),
            "good": GridSearchCV(DecisionTreeClassifier(), {"max_depth": [1, 2]}, cv=3),
        }
    ).fit(X, y)
    assert tuned.estimators_["price"].best_params_ == {"alpha": 1e-3}
    weighted = tuned.fit(X, y, sample_weight=np.ones(len(X)))
    assert weighted.estimators_["price"].best_params_ == {"alpha": 1e-3}


def test_cross_val_predict_gives_arrays_of_all_tasks():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    Y = X[:, :2] + 1.0
    Y[::5, 0] = np.nan
    model = IndependentTasks(Ridge(alpha=1e-8))
    predicted = cross_val_predict(model, X, Y, cv=4)
    np.testing.assert_allclose(predicted, X[:, :2] + 1.0, atol=1e-6)  # alpha shrinks by 1e-9
    classes = (X[:, :2] > 0).astype(int)
    probabilities = cross_val_predict(
        IndependentTasks(LogisticRegression()), X, classes, cv=KFold(4), method="predict_proba"
    )
    assert [block.shape for block in probabilities] == [(40, 2), (40, 2)]


def test_cross_val_predict_takes_a_target_with_names(data):
    X, y = data
    model = mixed().set_params(estimator__good=DecisionTreeClassifier(random_state=0))
    predicted = cross_val_predict(model, X, y, cv=KFold(3))
    for train, test in KFold(3).split(X):
        fold = mixed().set_params(estimator__good=DecisionTreeClassifier(random_state=0))
        expected = fold.fit(X[train], y[train]).predict(X[test])
        found = predicted[test]
        assert found["price"].tolist() == expected["price"].tolist()
        assert found["good"].tolist() == expected["good"].tolist()


def test_a_frame_of_labels_comes_back_as_a_frame(data):
    X, y = data
    rows = pd.DataFrame(X, columns=list("abc"), index=np.arange(60) * 2)
    labels = pd.DataFrame({"price": y["price"], "good": y["good"]}, index=rows.index)
    predicted = mixed().fit(rows, labels).predict(rows.iloc[5:9])
    assert predicted.columns.tolist() == ["price", "good"]
    assert predicted.index.tolist() == [10, 12, 14, 16]
    search = GridSearchCV(mixed(), {"estimator__price__max_depth": [1, 2]}, cv=3)
    assert search.fit(rows, labels).predict(rows).shape == (60, 2)


def test_long_form_is_cross_validated_by_row():
    rng = np.random.default_rng(0)
    tasks = {}
    for name, slope in (("north", 1.0), ("south", -3.0)):
        X = pd.DataFrame({"size": rng.normal(size=30)})
        tasks[name] = (X, slope * X["size"].to_numpy())
    X, y = stack_tasks(tasks, task_feature="shop")
    model = IndependentTasks(Ridge(alpha=1e-8), task_feature="shop")
    assert (cross_val_score(model, X, y, cv=KFold(3, shuffle=True, random_state=0)) > 0.99).all()


def test_a_classifier_of_one_complete_task_is_stratified_and_scored_as_usual():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    y = np.where(X[:, 0] > 0, "yes", "no")
    model = IndependentTasks(LogisticRegression())
    for scoring in ("accuracy", "roc_auc", "neg_log_loss"):
        found = cross_val_score(model, X, y, cv=3, scoring=scoring)
        expected = cross_val_score(LogisticRegression(), X, y, cv=3, scoring=scoring)
        np.testing.assert_allclose(found, expected, rtol=1e-8)  # as in test_exactness
