"""Labels go in and predictions come out in every container, whatever is composed."""

import pickle

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
from compose._compositions import CLASSIFIER, COMPOSITIONS, MIXED_ESTIMATORS, REGRESSOR, TASKWISE
from sklearn.base import clone

import sklearn_mtl
from sklearn_mtl import MultiTaskTarget, compose, stack_tasks


def test_every_composition_is_in_the_table():
    shown = {*compose.__all__, "TaskGrouping"}
    assert set(COMPOSITIONS) == shown
    assert all(hasattr(sklearn_mtl, name) for name in shown)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("name", COMPOSITIONS)
def test_the_container_changes_no_bit_of_predictions_or_score(name, container):
    X, Y = make_numbers()
    make = COMPOSITIONS[name]
    expected = make(REGRESSOR).fit(X, Y)
    y = CONTAINERS[container](Y)
    model = make(REGRESSOR).fit(X, y)
    assert np.array_equal(to_matrix(model.predict(X)), expected.predict(X))
    assert model.score(X, y) == expected.score(X, Y)
    unnamed = container in ("matrix", "objects")
    assert model.task_names_ == (["task0", "task1"] if unnamed else ["a", "b"])


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_named_containers_come_back_as_they_were(name):
    X, Y = make_numbers()
    make = COMPOSITIONS[name]
    frame = pd.DataFrame(Y, columns=["b", "a"], index=np.arange(N) * 3)
    rows = pd.DataFrame(X, columns=list("xyz"), index=frame.index)
    model = make(REGRESSOR).fit(rows, frame)
    assert model.feature_names_in_.tolist() == ["x", "y", "z"]
    predicted = model.predict(rows[5:9])
    assert isinstance(predicted, pd.DataFrame)
    assert list(predicted.columns) == ["b", "a"]
    assert predicted.index.tolist() == [15, 18, 21, 24]

    predicted = make(REGRESSOR).fit(X, pl.DataFrame(Y, schema=["b", "a"])).predict(X)
    assert isinstance(predicted, pl.DataFrame)
    assert predicted.columns == ["b", "a"]

    named = {"b": Y[:, 0], "a": Y[:, 1]}
    for y in (named, MultiTaskTarget(named)):
        predicted = make(REGRESSOR).fit(X, y).predict(X)
        assert type(predicted) is type(y)
        assert list(predicted.keys()) == ["b", "a"]


@pytest.mark.parametrize("name", TASKWISE)
def test_labels_of_several_kinds_give_the_same_from_dict_frames_and_target(name):
    X, named = make_mixed()
    y = as_dict(named)
    model = COMPOSITIONS[name](MIXED_ESTIMATORS).fit(X, y)
    expected, probabilities = model.predict(X), model.predict_proba(X)
    assert set(expected["good"]) <= {"no", "yes"}
    assert expected["price"].dtype == float
    assert list(probabilities) == ["good", "stars"]
    for block in probabilities.values():
        assert_is_distribution(block)
    for other in (MultiTaskTarget(y), as_pandas(named), as_polars(named)):
        again = COMPOSITIONS[name](MIXED_ESTIMATORS).fit(X, other)
        predicted = again.predict(X)
        assert type(predicted) is type(other)
        for task in named:
            assert list(predicted[task]) == list(expected[task])
        assert again.score(X, other) == model.score(X, y)


@pytest.mark.parametrize("kind", ["numbers", "classes"])
@pytest.mark.parametrize("name", COMPOSITIONS)
def test_own_rows_and_long_form_give_the_same(name, kind):
    X, y = make_own(kind)
    # long form has tasks in this order
    X, y = ({task: by_task[task] for task in sorted(X)} for by_task in (X, y))
    estimator = REGRESSOR if kind == "numbers" else CLASSIFIER
    own = COMPOSITIONS[name](estimator).fit(X, y)
    predicted = own.predict(X)
    assert type(predicted) is dict
    assert {task: len(block) for task, block in predicted.items()} == {
        task: len(rows) for task, rows in X.items()
    }
    stacked, labels = stack_tasks({task: (X[task], y[task]) for task in X})
    long = COMPOSITIONS[name](estimator, task_feature=-1).fit(stacked, labels)
    together = np.concatenate([predicted[task] for task in X])
    again = long.predict(stacked)
    if kind == "numbers":
        # sums over the same rows in another order
        np.testing.assert_allclose(again, together, rtol=1e-9)
    else:
        assert list(again) == list(together)
        whole, place = long.predict_proba(stacked), {c: j for j, c in enumerate(long.classes_)}
        for task, block in own.predict_proba(X).items():
            classes = own.layout_.tasks[own.task_names_.index(task)].classes
            columns = [place[label] for label in classes.tolist()]
            assert np.array_equal(whole[stacked[:, -1] == task][:, columns], block)
    assert own.score(X, y) == pytest.approx(long.score(stacked, labels), rel=1e-9)


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_clones_and_pickles_predict_the_same(name):
    X, Y = make_numbers()
    model = COMPOSITIONS[name](REGRESSOR).fit(X, Y)
    expected = model.predict(X)
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict(X), expected)
    assert np.array_equal(clone(model).fit(X, Y).predict(X), expected)
