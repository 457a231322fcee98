"""Labels go in and predictions come out in every row of the table of containers."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from _labels import (
    CONTAINERS,
    N,
    as_dict,
    as_pandas,
    as_polars,
    assert_is_distribution,
    make_mixed,
    make_numbers,
    make_own,
    to_matrix,
)
from _plain import PLAIN
from sklearn.model_selection import KFold, cross_val_predict, train_test_split

from sklearn_mtl import (
    MultiTaskClassifier,
    MultiTaskEstimator,
    MultiTaskRegressor,
    MultiTaskTarget,
    stack_tasks,
)

SMALL = {**PLAIN, "hidden_layer_sizes": (6,), "max_epochs": 3, "random_state": 0}


def fitted(network, X, y, **params):
    return network(**{**SMALL, **params}).fit(X, y)


# -- one task ---------------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [np.asarray, pd.Series, list], ids=["array", "series", "list"])
def test_one_column_of_numbers_gives_an_array(wrap):
    X, Y = make_numbers(missing=0.0)
    model = fitted(MultiTaskRegressor, X, wrap(Y[:, 0]))
    predicted = model.predict(X)
    assert isinstance(predicted, np.ndarray)
    assert predicted.shape == (N,)
    expected = fitted(MultiTaskRegressor, X, Y[:, :1]).predict(X)
    assert expected.shape == (N, 1)
    assert np.array_equal(predicted, expected[:, 0])
    assert model.task_names_ == ["task0"]
    assert isinstance(model.score(X, wrap(Y[:, 0])), float)


@pytest.mark.parametrize("network", [MultiTaskClassifier, MultiTaskEstimator])
@pytest.mark.parametrize(
    "labels", [["no", "yes"], [3, 7], [False, True], ["a", "b", "c"], [-1, 0, 1]], ids=str
)
def test_one_column_of_classes_gives_its_classes_and_one_array_of_probabilities(network, labels):
    X, Y = make_numbers(missing=0.0)
    labels = np.array(labels)
    y = labels[np.argsort(np.argsort(Y[:, 0])) * len(labels) // N]
    model = fitted(network, X, y, max_epochs=30)
    predicted, probabilities = model.predict(X), model.predict_proba(X)
    assert np.array_equal(model.classes_, labels)
    assert predicted.dtype == labels.dtype
    assert probabilities.shape == (N, len(labels))
    assert_is_distribution(probabilities)
    assert np.array_equal(predicted, labels[probabilities.argmax(axis=1)])
    assert model.score(X, y) == np.mean(predicted == y)


# -- several tasks, shared rows -----------------------------------------------------------------


def test_a_matrix_gives_a_matrix_whatever_is_missing():
    X, Y = make_numbers()
    model = fitted(MultiTaskRegressor, X, Y)
    predicted = model.predict(X)
    assert isinstance(predicted, np.ndarray)
    assert predicted.shape == Y.shape
    assert np.isfinite(predicted).all()
    assert model.task_names_ == ["task0", "task1"]


@pytest.mark.parametrize("container", CONTAINERS)
def test_the_container_changes_no_bit_of_predictions_or_score(container):
    X, Y = make_numbers()
    expected = fitted(MultiTaskRegressor, X, Y)
    y = CONTAINERS[container](Y)
    network = MultiTaskEstimator if container == "objects" else MultiTaskRegressor
    model = fitted(network, X, y)
    assert np.array_equal(to_matrix(model.predict(X)), expected.predict(X))
    assert model.score(X, y) == expected.score(X, Y)


def test_named_containers_come_back_as_they_were():
    X, Y = make_numbers()
    frame = pd.DataFrame(Y, columns=["b", "a"], index=np.arange(N) * 3)
    rows = pd.DataFrame(X, columns=list("xyz"), index=frame.index)
    predicted = fitted(MultiTaskRegressor, rows, frame).predict(rows[5:9])
    assert isinstance(predicted, pd.DataFrame)
    assert list(predicted.columns) == ["b", "a"]
    assert predicted.index.tolist() == [15, 18, 21, 24]

    predicted = fitted(MultiTaskRegressor, X, pl.DataFrame(Y, schema=["b", "a"])).predict(X)
    assert isinstance(predicted, pl.DataFrame)
    assert predicted.columns == ["b", "a"]

    named = {"b": Y[:, 0], "a": Y[:, 1]}
    predicted = fitted(MultiTaskRegressor, X, named).predict(X)
    assert type(predicted) is dict
    assert list(predicted) == ["b", "a"]

    predicted = fitted(MultiTaskRegressor, X, MultiTaskTarget(named)).predict(X)
    assert isinstance(predicted, MultiTaskTarget)
    assert list(predicted.keys()) == ["b", "a"]
    assert len(predicted) == N


def test_labels_of_several_kinds_give_the_same_from_dict_frames_and_target():
    X, named = make_mixed()
    y = as_dict(named)
    model = fitted(MultiTaskEstimator, X, y)
    expected = model.predict(X)
    assert [(task.name, task.kind) for task in model.layout_.tasks] == [
        ("good", "binary"), ("price", "regression"), ("stars", "multiclass"),
    ]  # fmt: skip
    assert set(expected["good"]) <= {"no", "yes"}
    assert set(expected["stars"]) <= {1, 2, 3}
    for other in (MultiTaskTarget(y), as_pandas(named), as_polars(named)):
        again = fitted(MultiTaskEstimator, X, other)
        predicted = again.predict(X)
        for name in named:
            assert list(predicted[name]) == list(expected[name])
        assert again.score(X, other) == model.score(X, y)
        for name, block in again.predict_proba(X).items():
            assert np.array_equal(block, model.predict_proba(X)[name])


def test_frames_of_several_kinds_keep_names_order_dtypes_and_index():
    X, named = make_mixed()
    y = as_pandas(named, index=np.arange(N) + 100)
    rows = pd.DataFrame(X, index=y.index, columns=list("uvw"))
    predicted = fitted(MultiTaskEstimator, rows, y).predict(rows)
    assert list(predicted.columns) == ["good", "price", "stars"]
    assert predicted.dtypes.astype(str).tolist() == ["category", "Float64", "Int64"]
    assert predicted.index.equals(rows.index)


def test_a_matrix_of_objects_holds_tasks_of_several_kinds():
    X, named = make_mixed()
    y = np.column_stack([named["good"], named["price"], named["stars"]])
    model = fitted(MultiTaskEstimator, X, y)
    expected = fitted(MultiTaskEstimator, X, as_dict(named)).predict(X)
    predicted = model.predict(X)
    assert predicted.dtype == object
    for t, name in enumerate(named):
        assert predicted[:, t].tolist() == expected[name].tolist()
    good, price, stars = model.predict_proba(X)
    assert good.shape == (N, 2)
    assert price is None
    assert stars.shape == (N, 3)


def test_classes_and_probabilities_follow_the_container():
    X, named = make_mixed()
    model = fitted(MultiTaskEstimator, X, as_dict(named), max_epochs=20)
    probabilities, predicted = model.predict_proba(X), model.predict(X)
    assert list(probabilities) == ["good", "stars"]
    good, price, stars = model.classes_
    assert good.tolist() == ["no", "yes"]
    assert price is None
    assert stars.tolist() == [1, 2, 3]
    for name, classes in (("good", good), ("stars", stars)):
        assert_is_distribution(probabilities[name])
        own = classes[probabilities[name].argmax(axis=1)]
        assert own.tolist() == predicted[name].tolist()


def test_a_matrix_of_classes_gives_a_list_of_probabilities():
    X, Y = make_numbers(missing=0.0)
    y = np.column_stack([Y[:, 0] > 0, np.digitize(Y[:, 1], [280.0, 320.0])]).astype(int)
    model = fitted(MultiTaskClassifier, X, y, max_epochs=20)
    probabilities = model.predict_proba(X)
    assert [block.shape for block in probabilities] == [(N, 2), (N, 3)]
    assert [classes.tolist() for classes in model.classes_] == [[0, 1], [0, 1, 2]]
    predicted = model.predict(X)
    assert predicted.dtype == y.dtype
    for t, block in enumerate(probabilities):
        assert_is_distribution(block)
        assert np.array_equal(predicted[:, t], block.argmax(axis=1))
    assert model.score(X, y) == np.mean([np.mean(predicted[:, t] == y[:, t]) for t in range(2)])


def test_the_score_is_the_mean_over_tasks_of_what_each_kind_is_scored_by():
    from sklearn.metrics import accuracy_score, r2_score

    X, named = make_mixed()
    model = fitted(MultiTaskEstimator, X, as_dict(named))
    predicted, parts = model.predict(X), []
    for name, metric in (("good", accuracy_score), ("price", r2_score), ("stars", accuracy_score)):
        seen = np.array([label is not None for label in named[name]])
        parts.append(metric(named[name][seen].tolist(), predicted[name][seen].tolist()))
    assert model.score(X, as_dict(named)) == pytest.approx(np.mean(parts), rel=1e-12)


# -- own rows and long form ---------------------------------------------------------------------


@pytest.mark.parametrize("frame", [None, pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("kind", ["numbers", "classes"])
def test_tasks_with_own_rows_equal_their_long_form_bit_by_bit(kind, frame):
    X, y = make_own(kind)
    # long form sorts names: heads that stand elsewhere in their matrix round otherwise
    X, y = ({name: parts[name] for name in sorted(parts)} for parts in (X, y))
    if frame is not None:
        X = {name: frame(dict(zip("uvw", part.T, strict=True))) for name, part in X.items()}
    network = MultiTaskRegressor if kind == "numbers" else MultiTaskClassifier
    own = fitted(network, X, y, dropout=0.0)
    predicted = own.predict(X)
    assert type(predicted) is dict
    assert list(predicted) == ["east", "north", "south"]
    assert [len(part) for part in predicted.values()] == [12, 25, 18]

    rows, labels = stack_tasks({name: (X[name], y[name]) for name in X})
    task = -1 if frame is None else "task"
    long = fitted(network, rows, labels, task_feature=task, dropout=0.0)
    together = long.predict(rows)
    assert isinstance(together, np.ndarray)
    assert together.tolist() == np.concatenate(list(predicted.values())).tolist()
    assert long.score(rows, labels) == own.score(X, y)


def test_with_dropout_own_rows_and_long_form_share_a_trunk_bit_by_bit():
    X, y = make_own("numbers")
    rows, labels = stack_tasks({name: (X[name], y[name]) for name in X})
    own = fitted(MultiTaskRegressor, X, y, dropout=0.3)
    long = fitted(MultiTaskRegressor, rows, labels, task_feature=-1, dropout=0.3)
    trunks = [model.net_.module_.sharing.state_dict() for model in (own, long)]
    assert all(np.array_equal(trunks[0][key], trunks[1][key]) for key in trunks[0])
    # long form sorts names, so heads stand elsewhere in their matrix, where one float32 rounding
    # (3e-11 of weights near 1e-3) was seen to differ
    together = np.concatenate(list(own.predict(X).values()))
    np.testing.assert_allclose(long.predict(rows), together, rtol=1e-6)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_the_task_column_may_have_a_name_or_a_number(frame):
    rng = np.random.default_rng(0)
    X, tags = rng.normal(size=(N, 2)), rng.integers(3, size=N)
    y = X.sum(axis=1) + tags
    array = np.column_stack([X[:, 0], tags, X[:, 1]])
    expected = fitted(MultiTaskRegressor, array, y, task_feature=1)
    rows = frame({"u": X[:, 0], "shop": tags, "v": X[:, 1]})
    model = fitted(MultiTaskRegressor, rows, y, task_feature="shop")
    assert np.array_equal(model.predict(rows), expected.predict(array))
    assert model.task_names_ == expected.task_names_ == [0, 1, 2]
    assert model.feature_names_in_.tolist() == ["u", "shop", "v"]
    assert model.n_features_in_ == expected.n_features_in_ == 3


def test_in_long_form_each_row_is_under_its_own_task():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=60), np.repeat([0, 1, 2], 20)])
    y = X[:, 1] * 100.0 + rng.normal(size=60)
    model = fitted(MultiTaskRegressor, X, y, task_feature=-1)
    order = rng.permutation(60)
    predicted = model.predict(X)
    assert np.array_equal(model.predict(X[order]), predicted[order])
    # the mean of a task is far from the others', and a network starts from it
    np.testing.assert_allclose(predicted, X[:, 1] * 100.0, atol=5.0)


def test_in_long_form_probabilities_have_the_union_of_classes_and_zeros():
    X, y = make_own("classes")
    own = fitted(MultiTaskClassifier, X, y, max_epochs=10)
    assert [classes.tolist() for classes in own.classes_] == [
        ["bad", "good"], ["bad", "good", "great"], ["good", "great"],
    ]  # fmt: skip
    rows, labels = stack_tasks({name: (X[name], y[name]) for name in X})
    model = fitted(MultiTaskClassifier, rows, labels, task_feature=-1, max_epochs=10)
    assert model.classes_.tolist() == ["bad", "good", "great"]
    probabilities = model.predict_proba(rows)
    assert probabilities.shape == (55, 3)
    assert_is_distribution(probabilities)
    assert (probabilities[:25, 2] == 0).all()
    assert (probabilities[43:, 0] == 0).all()
    assert np.array_equal(probabilities[:25, :2], own.predict_proba(X)["north"])
    assert model.predict(rows).tolist() == model.classes_[probabilities.argmax(axis=1)].tolist()


def test_in_long_form_tasks_may_differ_in_kind():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"x": rng.normal(size=40), "ask": ["price", "good"] * 20})
    y = np.array([1.5, "no", 2.5, "yes"] * 10, dtype=object)
    model = fitted(MultiTaskEstimator, X, y, task_feature="ask")
    predicted = model.predict(X)
    assert all(isinstance(value, float) for value in predicted[::2])
    assert set(predicted[1::2]) <= {"no", "yes"}
    assert model.classes_.tolist() == ["no", "yes"]
    probabilities = model.predict_proba(X)
    assert np.isnan(probabilities[::2]).all()
    assert_is_distribution(probabilities[1::2])


# -- what scikit-learn does with them -------------------------------------------------------------


@pytest.mark.parametrize("container", ["matrix", "pandas", "polars", "target"])
def test_splitters_and_cross_validation_take_containers_with_missing_labels(container):
    X, Y = make_numbers()
    y = CONTAINERS[container](Y)
    train, test, y_train, y_test = train_test_split(X, y, random_state=0)
    model = fitted(MultiTaskRegressor, train, y_train)
    assert isinstance(model.score(test, y_test), float)
    assert type(model.predict(test)) is type(y)
    if container == "matrix":
        folds = cross_val_predict(MultiTaskRegressor(**SMALL), X, y, cv=KFold(3))
        assert folds.shape == (N, 2)


def test_predict_proba_exists_only_where_there_are_classes():
    X, Y = make_numbers()
    assert not hasattr(fitted(MultiTaskEstimator, X, Y), "predict_proba")
    assert not hasattr(MultiTaskRegressor(), "predict_proba")
    assert hasattr(
        fitted(MultiTaskEstimator, X, {"good": np.arange(N) % 2, "price": Y[:, 1]}), "predict_proba"
    )
