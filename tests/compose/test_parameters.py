"""Nested parameters of one estimator and of a dict of them; clones, pickles and displays."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import estimator_html_repr, get_tags

from sklearn_mtl import IndependentTasks


def mixed():
    return IndependentTasks(
        {
            "quality": RandomForestRegressor(3, random_state=0),
            "good": make_pipeline(StandardScaler(), LogisticRegression()),
        }
    )


def mixed_data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    return X, {"quality": X[:, 0] + 1.0, "good": np.where(X[:, 1] > 0, "yes", "no")}


def test_parameters_of_one_estimator_have_scikit_learns_names():
    model = IndependentTasks(Ridge(alpha=2.0))
    assert model.get_params()["estimator__alpha"] == 2.0
    assert model.set_params(estimator__alpha=3.0).estimator.alpha == 3.0
    assert model.set_params(estimator=SVC(), estimator__C=5.0).estimator.C == 5.0


def test_parameters_of_a_dict_go_by_task():
    model = mixed()
    params = model.get_params()
    assert params["estimator__quality"] is model.estimator["quality"]
    assert params["estimator__quality__n_estimators"] == 3
    assert params["estimator__good__logisticregression__C"] == 1.0
    assert not [key for key in model.get_params(deep=False) if "__" in key]
    model.set_params(estimator__quality__n_estimators=7, estimator__good__logisticregression__C=0.2)
    assert model.estimator["quality"].n_estimators == 7
    assert model.estimator["good"][-1].C == 0.2


def test_what_get_params_returns_set_params_takes():
    model = mixed()
    assert repr(clone(model).set_params(**model.get_params())) == repr(model)


def test_an_estimator_can_be_replaced_before_its_parameters_are_set():
    model, before = mixed(), mixed()
    given = model.estimator
    model.set_params(estimator__good__C=4.0, estimator__good=SVC(), n_jobs=2)
    assert isinstance(model.estimator["good"], SVC)
    assert model.estimator["good"].C == 4.0
    assert model.n_jobs == 2
    assert repr(given) == repr(before.estimator)
    model.set_params(estimator__a__alpha=9.0, estimator={"a": Ridge()})
    assert model.estimator["a"].alpha == 9.0


def test_task_names_may_hold_the_separator_or_be_numbers():
    model = IndependentTasks({"a": Ridge(), "a__b": Ridge(), 3: Ridge()})
    model.set_params(estimator__a__alpha=2.0, estimator__a__b__alpha=3.0, estimator__3__alpha=4.0)
    assert [est.alpha for est in model.estimator.values()] == [2.0, 3.0, 4.0]


def test_an_unknown_task_in_a_parameter_name_is_an_error_that_suggests_one():
    with pytest.raises(ValueError, match=r"no entry for task 'qualiti'.*did you mean 'quality'"):
        mixed().set_params(estimator__qualiti__n_estimators=3)
    with pytest.raises(ValueError, match="Invalid parameter 'depth'"):
        mixed().set_params(estimator__quality__depth=3)
    with pytest.raises(ValueError, match="Invalid parameter 'jobs'"):
        mixed().set_params(jobs=3)


def test_a_clone_shares_no_estimator_and_carries_no_fit():
    X, y = mixed_data()
    model = mixed().fit(X, y)
    twin = clone(model)
    assert repr(twin) == repr(model)
    assert not hasattr(twin, "estimators_")
    twin.set_params(estimator__quality__n_estimators=99)
    assert model.estimator["quality"].n_estimators == 3


def test_fit_leaves_the_given_estimators_unfitted():
    X, y = mixed_data()
    model = mixed().fit(X, y)
    assert not hasattr(model.estimator["quality"], "estimators_")
    assert list(model.estimators_) == ["quality", "good"]
    assert model.task_names_ == ["quality", "good"]


def test_a_pickled_model_predicts_the_same():
    X, y = mixed_data()
    model = mixed().fit(X, y)
    again = pickle.loads(pickle.dumps(model)).predict(X)
    for name, column in model.predict(X).items():
        assert again[name].tolist() == column.tolist()


def test_displays_show_every_estimator():
    html = estimator_html_repr(mixed())
    assert "quality: RandomForestRegressor" in html
    assert "good: Pipeline" in html
    assert "LogisticRegression" in html
    assert "Ridge" in estimator_html_repr(IndependentTasks(Ridge()))
    assert "n_estimators=3" in repr(mixed())
    X, y = mixed_data()
    assert "estimators_" in estimator_html_repr(mixed().fit(X, y))


def test_the_estimator_type_is_that_of_all_its_estimators():
    assert is_regressor(IndependentTasks(Ridge()))
    assert is_classifier(IndependentTasks(SVC()))
    assert is_classifier(IndependentTasks({"a": SVC(), "b": LogisticRegression()}))
    assert get_tags(mixed()).estimator_type is None


def test_input_tags_hold_for_every_estimator():
    tags = get_tags(IndependentTasks({"a": DecisionTreeClassifier(), "b": LogisticRegression()}))
    assert tags.input_tags.sparse
    assert not tags.input_tags.allow_nan  # a tree takes NaN, a logistic regression does not
    assert tags.target_tags.multi_output


def test_predict_proba_exists_where_every_classifier_has_it():
    X, y = mixed_data()
    assert hasattr(mixed(), "predict_proba")
    assert hasattr(mixed().fit(X, y), "predict_proba")
    assert not hasattr(IndependentTasks(Ridge()), "predict_proba")
    assert not hasattr(IndependentTasks(Ridge()).fit(X, y["quality"]), "predict_proba")
    some = IndependentTasks({"a": LogisticRegression(), "b": SVC()})
    assert not hasattr(some, "predict_proba")
    with pytest.raises(AttributeError, match="predict_proba"):
        some.predict_proba(X)


def test_probabilities_of_unnamed_tasks_are_a_list_and_of_one_task_an_array():
    X, _ = mixed_data()
    y = (X > 0).astype(int)
    model = IndependentTasks(RandomForestClassifier(3, random_state=0)).fit(X, y)
    assert [block.shape for block in model.predict_proba(X)] == [(40, 2), (40, 2)]
    assert [classes.tolist() for classes in model.classes_] == [[0, 1], [0, 1]]
    model.fit(X, y[:, 0])
    assert model.predict_proba(X).shape == (40, 2)
    assert model.classes_.tolist() == [0, 1]


def test_a_second_fit_leaves_nothing_of_the_first():
    X, y = mixed_data()
    model = IndependentTasks(Ridge()).fit(X, y["quality"])
    assert model.n_features_in_ == 2
    model.fit({"a": X, "b": X[:5, :1]}, {"a": y["quality"], "b": y["quality"][:5]})
    assert not hasattr(model, "n_features_in_")
    model.set_params(estimator=LogisticRegression()).fit(X, y["good"])
    assert model.classes_.tolist() == ["no", "yes"]
    assert not hasattr(model.set_params(estimator=Ridge()).fit(X, y["quality"]), "classes_")
