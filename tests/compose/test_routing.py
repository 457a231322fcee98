"""Metadata: sample_weight and the like go to the estimators that request them."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, cross_validate
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_mtl import IndependentTasks


class Recorder(Ridge):
    """Keeps what its fit was given."""

    def fit(self, X, y, sample_weight=None, groups=None, note=None):
        self.given_ = {"sample_weight": sample_weight, "groups": groups, "note": note}
        return super().fit(X, y, sample_weight)


@pytest.fixture
def routing():
    with config_context(enable_metadata_routing=True):
        yield


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2))
    Y = rng.normal(size=(30, 2))
    Y[:6, 0] = np.nan
    return X, Y, rng.uniform(0.5, 1.5, size=Y.shape)


def test_weights_go_to_estimators_that_request_them(routing, data):
    X, Y, weights = data
    model = IndependentTasks(Recorder().set_fit_request(sample_weight=True)).fit(X, Y, weights)
    for t, fitted in enumerate(model.estimators_.values()):
        here = ~np.isnan(Y[:, t])
        np.testing.assert_array_equal(fitted.given_["sample_weight"], weights[here, t])


def test_an_alias_gives_each_task_weights_of_its_own(routing, data):
    X, Y, weights = data
    estimators = {
        "task0": Recorder().set_fit_request(sample_weight="light"),
        "task1": Recorder().set_fit_request(sample_weight=False),
    }
    model = IndependentTasks(estimators).fit(X, Y, light=weights)
    first, second = (fitted.given_ for fitted in model.estimators_.values())
    np.testing.assert_array_equal(first["sample_weight"], weights[6:, 0])
    assert second["sample_weight"] is None


def test_other_metadata_are_cut_to_the_rows_of_the_task(routing, data):
    X, Y, _ = data
    groups = np.arange(30)
    model = IndependentTasks(Recorder().set_fit_request(groups=True, note=True))
    model.fit(X, Y, groups=groups, note="whole")
    assert model.estimators_["task0"].given_["groups"].tolist() == list(range(6, 30))
    assert model.estimators_["task1"].given_["groups"].tolist() == list(range(30))
    assert model.estimators_["task1"].given_["note"] == "whole"


def test_metadata_of_tasks_with_their_own_rows_are_a_dict_by_task(routing):
    X = {"a": np.arange(4.0)[:, None], "b": np.arange(3.0)[:, None]}
    y = {"a": np.array([np.nan, 1.0, 2.0, 3.0]), "b": np.array([0.0, np.nan, 5.0])}
    model = IndependentTasks(Recorder().set_fit_request(groups=True, sample_weight=True))
    groups = {"a": np.array([10, 11, 12, 13]), "b": np.array([20, 21, 22])}
    weights = {"a": np.array([1.0, 2.0, 3.0, 4.0]), "b": np.array([5.0, 6.0, 7.0])}
    model.fit(X, y, sample_weight=weights, groups=groups)
    a, b = (fitted.given_ for fitted in model.estimators_.values())
    assert a["groups"].tolist() == [11, 12, 13]
    assert b["groups"].tolist() == [20, 22]
    assert a["sample_weight"].tolist() == [2.0, 3.0, 4.0]
    assert b["sample_weight"].tolist() == [5.0, 7.0]


def test_a_search_inside_is_given_groups(routing, data):
    X, Y, _ = data
    search = GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=GroupKFold(3))
    model = IndependentTasks(search).fit(X, Y, groups=np.repeat(np.arange(10), 3))
    assert model.predict(X).shape == Y.shape


def test_a_step_of_a_pipeline_inside_is_given_weights(routing, data):
    X, Y, weights = data
    pipe = make_pipeline(StandardScaler(), Ridge().set_fit_request(sample_weight=True))
    pipe[0].set_fit_request(sample_weight=False)
    model = IndependentTasks(pipe).fit(X, Y, sample_weight=weights)
    Z = StandardScaler().fit_transform(X)
    alone = Ridge().fit(Z, Y[:, 1], weights[:, 1])
    # BLAS sums depend on where numbers lie in memory
    np.testing.assert_allclose(model.predict(X)[:, 1], alone.predict(Z), rtol=1e-8)


def test_fit_and_score_in_cross_validation_are_weighted(routing, data):
    X, Y, _ = data
    weights = np.random.default_rng(1).uniform(0.5, 1.5, 30)
    model = IndependentTasks(Ridge().set_fit_request(sample_weight=True))
    model.set_score_request(sample_weight=True)
    found = cross_validate(model, X, Y, cv=KFold(3), params={"sample_weight": weights})
    with config_context(enable_metadata_routing=False):
        for (train, test), score in zip(KFold(3).split(X), found["test_score"], strict=True):
            alone = IndependentTasks(Ridge()).fit(X[train], Y[train], weights[train])
            assert alone.score(X[test], Y[test], weights[test]) == pytest.approx(score)


def test_an_unrequested_weight_is_scikit_learns_own_error(routing, data):
    X, Y, weights = data
    with pytest.raises(ValueError, match="set_fit_request"):
        IndependentTasks(Ridge()).fit(X, Y, weights)
    with pytest.raises(TypeError, match="sample_weight"):
        IndependentTasks(KNeighborsRegressor()).fit(X, Y, weights)


def test_metadata_need_routing_to_be_enabled(data):
    X, Y, _ = data
    with pytest.raises(ValueError, match="enable_metadata_routing=True"):
        IndependentTasks(Ridge()).fit(X, Y, groups=np.arange(30))


def test_a_task_whose_labels_all_weigh_nothing_is_named(data):
    X, Y, weights = data
    weights[:, 1] = 0.0
    with pytest.raises(ValueError, match=r"Task 'task1' .* zero"):
        IndependentTasks(Ridge()).fit(X, Y, weights)
    with pytest.raises(TypeError, match="task 'a' is fitted by KNeighborsRegressor"):
        IndependentTasks(KNeighborsRegressor()).fit(X, {"a": X[:, 0]}, np.ones(30))
    with pytest.raises(ValueError, match=r"Task 'a': Pipeline.fit failed: .*sample_weight"):
        IndependentTasks(make_pipeline(LogisticRegression())).fit(
            X, {"a": X[:, 0] > 0}, sample_weight=np.ones(30)
        )
