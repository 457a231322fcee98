"""Labels go in and predictions come out in every row of the table of containers."""

import pickle
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
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
from linear_model._estimators import (
    CLASSIFIERS,
    ESTIMATORS,
    MIXED,
    PATHS,
    PLAIN,
    POPULATION,
    REGRESSORS,
    make_data,
    reached,
    small,
)
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_mtl import MultiTaskTarget, stack_tasks

# -- one task ------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [np.asarray, pd.Series, list], ids=["array", "series", "list"])
@pytest.mark.parametrize("name", REGRESSORS)
def test_one_column_of_numbers_gives_an_array(name, wrap):
    X, Y = make_numbers(missing=0.0)
    model = small(name).fit(X, wrap(Y[:, 0]))
    predicted = model.predict(X)
    assert isinstance(predicted, np.ndarray)
    assert predicted.shape == (N,)
    expected = small(name).fit(X, Y[:, :1]).predict(X)
    assert expected.shape == (N, 1)
    assert np.array_equal(predicted, expected[:, 0])
    assert model.task_names_ == ["task0"]
    assert model.coef_.shape == (1, 3)
    assert model.intercept_.shape == (1,)
    assert isinstance(model.score(X, wrap(Y[:, 0])), float)


@pytest.mark.parametrize("name", [*CLASSIFIERS, *MIXED])
@pytest.mark.parametrize(
    "labels", [["no", "yes"], [3, 7], [False, True], ["a", "b", "c"], [-1, 0, 1]], ids=str
)
def test_one_column_of_classes_gives_its_classes_and_one_array_of_probabilities(name, labels):
    X, Y = make_numbers(missing=0.0)
    labels = np.array(labels)
    y = labels[np.argsort(np.argsort(Y[:, 0])) * len(labels) // N]
    model = small(name).fit(X, y)
    predicted, probabilities = model.predict(X), model.predict_proba(X)
    assert np.array_equal(model.classes_, labels)
    assert predicted.dtype == labels.dtype
    assert probabilities.shape == (N, len(labels))
    assert_is_distribution(probabilities)
    assert np.array_equal(predicted, labels[probabilities.argmax(axis=1)])
    assert model.score(X, y) == np.mean(predicted == y)
    assert model.coef_.shape == ((1 if len(labels) == 2 else 3), 3)


# -- several tasks, shared rows ------------------------------------------------------------------


# an array of objects is for labels of several kinds
@pytest.mark.parametrize("container", [key for key in CONTAINERS if key != "objects"])
@pytest.mark.parametrize("name", REGRESSORS)
def test_the_container_changes_no_bit_of_predictions_or_score(name, container):
    X, Y = make_numbers()
    expected = small(name).fit(X, Y)
    y = CONTAINERS[container](Y)
    model = small(name).fit(X, y)
    assert np.array_equal(to_matrix(model.predict(X)), expected.predict(X))
    assert model.score(X, y) == expected.score(X, Y)
    assert reached(model) == reached(expected)
    names = ["task0", "task1"] if container == "matrix" else ["a", "b"]
    assert model.task_names_ == names


@pytest.mark.parametrize("name", REGRESSORS)
def test_named_containers_come_back_as_they_were(name):
    X, Y = make_numbers()
    frame = pd.DataFrame(Y, columns=["b", "a"], index=np.arange(N) * 3)
    rows = pd.DataFrame(X, columns=list("xyz"), index=frame.index)
    model = small(name).fit(rows, frame)
    assert model.feature_names_in_.tolist() == ["x", "y", "z"]
    assert model.task_names_ == ["b", "a"]
    predicted = model.predict(rows[5:9])
    assert isinstance(predicted, pd.DataFrame)
    assert list(predicted.columns) == ["b", "a"]
    assert predicted.index.tolist() == [15, 18, 21, 24]

    predicted = small(name).fit(X, pl.DataFrame(Y, schema=["b", "a"])).predict(X)
    assert isinstance(predicted, pl.DataFrame)
    assert predicted.columns == ["b", "a"]

    named = {"b": Y[:, 0], "a": Y[:, 1]}
    predicted = small(name).fit(X, named).predict(X)
    assert type(predicted) is dict
    assert list(predicted) == ["b", "a"]

    predicted = small(name).fit(X, MultiTaskTarget(named)).predict(X)
    assert isinstance(predicted, MultiTaskTarget)
    assert list(predicted.keys()) == ["b", "a"]
    assert len(predicted) == N


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classes_of_several_kinds_give_the_same_from_dict_frames_and_target(name):
    X, named = make_mixed()
    named = {task: named[task] for task in ("good", "stars")}
    model = small(name).fit(X, named)
    expected, probabilities = model.predict(X), model.predict_proba(X)
    assert [classes.tolist() for classes in model.classes_] == [["no", "yes"], [1, 2, 3]]
    assert model.coef_.shape == (4, 3)
    for other in (MultiTaskTarget(named), as_pandas(named), as_polars(named)):
        again = small(name).fit(X, other)
        predicted = again.predict(X)
        assert type(predicted) is type(other)
        for task in named:
            assert list(predicted[task]) == list(expected[task])
            block = again.predict_proba(X)[task]
            assert np.array_equal(block, probabilities[task])
            assert_is_distribution(block)
        assert again.score(X, other) == model.score(X, named)


@pytest.mark.parametrize("name", MIXED)
def test_labels_of_several_kinds_give_the_same_from_dict_frames_and_target(name):
    X, named = make_mixed()
    y = as_dict(named)
    model = small(name).fit(X, y)
    expected = model.predict(X)
    assert [(task.name, task.kind) for task in model.layout_.tasks] == [
        ("good", "binary"), ("price", "regression"), ("stars", "multiclass"),
    ]  # fmt: skip
    assert set(expected["good"]) <= {"no", "yes"}
    assert expected["price"].dtype == float
    assert model.coef_.shape == (5, 3)
    for other in (MultiTaskTarget(y), as_pandas(named), as_polars(named)):
        again = small(name).fit(X, other)
        predicted = again.predict(X)
        for task in named:
            assert list(predicted[task]) == list(expected[task])
        assert again.score(X, other) == model.score(X, y)
        assert list(again.predict_proba(X)) == ["good", "stars"]


@pytest.mark.parametrize("name", MIXED)
def test_frames_of_several_kinds_keep_names_order_dtypes_and_index(name):
    X, named = make_mixed()
    y = as_pandas(named, index=np.arange(N) + 100)
    rows = pd.DataFrame(X, index=y.index, columns=list("uvw"))
    predicted = small(name).fit(rows, y).predict(rows)
    assert list(predicted.columns) == ["good", "price", "stars"]
    assert predicted.dtypes.astype(str).tolist() == ["category", "Float64", "Int64"]
    assert predicted.index.equals(rows.index)


@pytest.mark.parametrize("name", MIXED)
def test_a_matrix_of_objects_holds_tasks_of_several_kinds(name):
    X, named = make_mixed()
    y = np.column_stack([named["good"], named["price"], named["stars"]])
    model = small(name).fit(X, y)
    expected = small(name).fit(X, as_dict(named)).predict(X)
    predicted = model.predict(X)
    assert predicted.dtype == object
    for t, task in enumerate(named):
        assert predicted[:, t].tolist() == expected[task].tolist()
    good, price, stars = model.predict_proba(X)
    assert good.shape == (N, 2)
    assert price is None
    assert stars.shape == (N, 3)


@pytest.mark.parametrize("name", MIXED)
def test_task_kinds_override_what_labels_say(name):
    X, named = make_mixed()
    stars = np.where(pd.isna(named["stars"]), np.nan, named["stars"]).astype(float)
    model = small(name, task_kinds={"stars": "classification"}).fit(X, {"stars": stars})
    assert model.classes_[0].tolist() == [1, 2, 3]
    model = small(name, task_kinds={"stars": "regression"}).fit(X, {"stars": named["stars"]})
    assert model.predict(X)["stars"].dtype == float
    assert not hasattr(model, "predict_proba")


@pytest.mark.parametrize("name", [*CLASSIFIERS, *MIXED])
def test_a_matrix_of_classes_gives_a_list_of_probabilities(name):
    X, Y = make_numbers(missing=0.0)
    y = np.column_stack([Y[:, 0] > 0, np.digitize(Y[:, 1], [280.0, 320.0])]).astype(int)
    model = small(name).fit(X, y)
    probabilities = model.predict_proba(X)
    assert [block.shape for block in probabilities] == [(N, 2), (N, 3)]
    assert [classes.tolist() for classes in model.classes_] == [[0, 1], [0, 1, 2]]
    predicted = model.predict(X)
    assert predicted.dtype == y.dtype
    for t, block in enumerate(probabilities):
        assert_is_distribution(block)
        assert np.array_equal(predicted[:, t], block.argmax(axis=1))
    assert model.score(X, y) == np.mean([np.mean(predicted[:, t] == y[:, t]) for t in range(2)])


@pytest.mark.parametrize("name", ESTIMATORS)
def test_sparse_rows_of_every_format_are_the_dense_ones(name):
    X, y = make_data(name, missing=0.2)
    X[np.abs(X) < 0.5] = 0.0
    dense = small(name, tol=1e-10).fit(X, y)
    for kind in (sparse.csr_array, sparse.csc_matrix, sparse.coo_array):
        model = small(name, tol=1e-10).fit(kind(X), y)
        # sums in another order, to a gap of 1e-10 of the objective
        np.testing.assert_allclose(model.coef_, dense.coef_, atol=1e-4)
        for task, column in model.predict(kind(X)).items():
            other = dense.predict(X)[task]
            if column.dtype.kind == "f":
                np.testing.assert_allclose(column, other, atol=1e-3)
            else:
                assert np.array_equal(column, other)


@pytest.mark.parametrize("own_rows", [False, True])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_predictions_are_weights_times_rows_whatever_the_order_of_kinds(name, own_rows):
    # classes of two, two, three and two; for the mixed estimator the second task is numbers
    X, y = make_data(name, n_tasks=4)
    fresh = np.random.default_rng(1).normal(size=(9, 4))
    rows = dict.fromkeys(y, X) if own_rows else X
    model = small(name).fit(rows, y)
    predicted = model.predict(dict.fromkeys(y, fresh) if own_rows else fresh)
    first = 0
    for task, labels in y.items():
        classes = None if labels.dtype.kind == "f" else np.unique(labels)
        width = 3 if classes is not None and len(classes) == 3 else 1
        own = slice(first, first + width)
        first += width
        z = fresh @ model.coef_[own].T + model.intercept_[own]
        if classes is None:
            np.testing.assert_allclose(predicted[task], z[:, 0], rtol=1e-12, atol=1e-13)
        else:
            code = z.argmax(axis=1) if width == 3 else (z[:, 0] > 0).astype(int)
            same = predicted[task] == classes[code]
            if name in POPULATION and width == 3:
                # the mean of a softmax over the posterior is not the softmax of the mean, so that
                # another class may win where the first two are within a factor of e
                ordered = np.sort(z, axis=1)
                assert same[ordered[:, 2] - ordered[:, 1] > 1.0].all()
                assert same.mean() > 0.8
            else:
                assert same.all()
    assert first == len(model.coef_) == len(model.intercept_)


# -- own rows and long form ----------------------------------------------------------------------


@pytest.mark.parametrize("frame", [None, pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("name", [*PLAIN, *POPULATION])
def test_tasks_with_own_rows_equal_their_long_form(name, frame):
    X, y = make_own("numbers" if name in REGRESSORS else "classes")
    if frame is not None:
        X = {task: frame(dict(zip("uvw", part.T, strict=True))) for task, part in X.items()}
    own = small(name, tol=1e-12).fit(X, y)
    predicted = own.predict(X)
    assert type(predicted) is dict
    assert list(predicted) == own.task_names_ == ["north", "south", "east"]
    assert [len(part) for part in predicted.values()] == [25, 18, 12]

    rows, labels = stack_tasks({task: (X[task], y[task]) for task in X})
    long = small(name, tol=1e-12, task_feature=-1 if frame is None else "task").fit(rows, labels)
    together, expected = long.predict(rows), np.concatenate(list(predicted.values()))
    assert isinstance(together, np.ndarray)
    # long form sorts names, so that sums come in another order
    # the center of a hyper-prior is a first fit's, known to the square root of tol
    rel = 1e-6 if name in POPULATION else 1e-9
    assert reached(long) == pytest.approx(reached(own), rel=rel)
    if name in REGRESSORS:
        np.testing.assert_allclose(together, expected, atol=1e-4)
    else:
        assert together.tolist() == expected.tolist()
    assert long.score(rows, labels) == pytest.approx(own.score(X, y), rel=1e-6)


@pytest.mark.parametrize("name", PATHS)
def test_strengths_are_searched_over_own_rows_and_long_form(name):
    X, y = make_own("numbers")
    predicted = small(name).fit(X, y).predict(X)
    assert [(task, len(part)) for task, part in predicted.items()] == [
        ("north", 25), ("south", 18), ("east", 12),
    ]  # fmt: skip
    rows, labels = stack_tasks({task: (X[task], y[task]) for task in X})
    order = np.random.default_rng(0).permutation(55)  # folds are runs of rows
    model = small(name, task_feature=-1).fit(rows[order], labels[order])
    assert model.predict(rows).shape == (55,)
    assert model.score(rows, np.nan_to_num(labels)) > 0.5


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_in_long_form_probabilities_have_the_union_of_classes_and_zeros(name):
    X, y = make_own("classes")
    own = small(name, tol=1e-12).fit(X, y)
    assert [classes.tolist() for classes in own.classes_] == [
        ["bad", "good"], ["bad", "good", "great"], ["good", "great"],
    ]  # fmt: skip
    rows, labels = stack_tasks({task: (X[task], y[task]) for task in X})
    model = small(name, tol=1e-12, task_feature=-1).fit(rows, labels)
    assert model.classes_.tolist() == ["bad", "good", "great"]
    probabilities = model.predict_proba(rows)
    assert probabilities.shape == (55, 3)
    assert_is_distribution(probabilities)
    assert (probabilities[:25, 2] == 0).all()
    assert (probabilities[43:, 0] == 0).all()
    np.testing.assert_allclose(probabilities[:25, :2], own.predict_proba(X)["north"], atol=1e-5)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_task_column_may_stand_anywhere_and_rows_in_any_order(name):
    rng = np.random.default_rng(0)
    X, tags = rng.normal(size=(45, 2)), rng.integers(3, size=45)
    y = X.sum(axis=1) + tags + 0.1 * rng.normal(size=45)
    if name not in REGRESSORS:
        y = np.where(y > 1.0, "yes", "no")
    expected = small(name, task_feature=1).fit(np.column_stack([X[:, 0], tags, X[:, 1]]), y)
    rows = pd.DataFrame({"u": X[:, 0], "shop": tags, "v": X[:, 1]})
    model = small(name, task_feature="shop").fit(rows, y)
    assert np.array_equal(model.coef_, expected.coef_)
    assert model.task_names_ == expected.task_names_ == [0, 1, 2]
    assert model.feature_names_in_.tolist() == ["u", "shop", "v"]
    assert model.n_features_in_ == 3
    assert model.coef_.shape == (3, 2)
    order = rng.permutation(45)
    assert np.array_equal(model.predict(rows.iloc[order]), model.predict(rows)[order])


@pytest.mark.parametrize("name", MIXED)
def test_in_long_form_tasks_may_differ_in_kind(name):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"x": rng.normal(size=40), "ask": ["price", "good"] * 20})
    y = np.array([1.5, "no", 2.5, "yes"] * 10, dtype=object)
    model = small(name, task_feature="ask").fit(X, y)
    predicted = model.predict(X)
    assert all(isinstance(value, float) for value in predicted[::2])
    assert set(predicted[1::2]) <= {"no", "yes"}
    probabilities = model.predict_proba(X)
    assert np.isnan(probabilities[::2]).all()
    assert_is_distribution(probabilities[1::2])


# -- pipelines and splitters ---------------------------------------------------------------------


@pytest.mark.parametrize("output", ["default", "pandas", "polars"])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_pipeline_that_sets_output_hands_its_names_on(name, output):
    X, y = make_data(name)
    rows = pd.DataFrame(X, columns=list("wxyz"))
    model = make_pipeline(StandardScaler(), small(name)).set_output(transform=output)
    model.fit(rows, pd.DataFrame(y))
    if output != "default":
        assert model[-1].feature_names_in_.tolist() == list("wxyz")
    predicted = model.predict(rows)
    assert isinstance(predicted, pd.DataFrame)
    assert list(predicted.columns) == list("abc")


@pytest.mark.parametrize("container", ["matrix", "pandas", "polars", "target"])
@pytest.mark.parametrize("name", REGRESSORS)
def test_splitters_take_containers_with_missing_labels(name, container):
    X, Y = make_numbers()
    y = CONTAINERS[container](Y)
    train, test, y_train, y_test = train_test_split(X, y, random_state=0)
    model = small(name).fit(train, y_train)
    assert isinstance(model.score(test, y_test), float)
    assert type(model.predict(test)) is type(y)


# -- travel --------------------------------------------------------------------------------------

FRESH = """
import sys
import joblib, pickle
import numpy as np
with open({path!r}, "rb") as file:
    fits = pickle.load(file)
    fits += joblib.load(file)
for model, X, expected in fits:
    repr(model), model.get_params(), model.task_names_, model.coef_
    predicted = model.predict(X)
    assert list(predicted) == list(expected)
    for task in expected:
        assert np.array_equal(predicted[task], expected[task]), task
assert not {{"torch", "skorch", "sklearn_mtl.nn", "dask"}} & set(sys.modules), "imported torch"
"""


def test_a_fresh_process_predicts_the_same_and_loads_no_torch(tmp_path):
    fits = []
    for name in ESTIMATORS:
        X, y = make_data(name)
        model = small(name).fit(X, y)
        fits.append((model, X, model.predict(X)))
    path = tmp_path / "models"
    with path.open("wb") as file:
        pickle.dump(fits, file)
        joblib.dump(fits, file)
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", FRESH.format(path=str(path))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_pickle_is_weights_and_statistics_whatever_the_rows(name):
    sizes = []
    for n in (50, 5000):
        X, y = make_data(name, n=n)
        sizes.append(len(pickle.dumps(small(name).fit(X, y))))
    assert sizes[1] < sizes[0] + 1000  # numbers print longer, rows are not kept


@pytest.mark.parametrize("name", ESTIMATORS)
def test_parameters_are_cloned_and_printed_and_not_changed_by_fit(name):
    X, y = make_data(name)
    model = small(name, tol=1e-5)
    before = repr(model)
    assert before.startswith(f"{name}(")
    assert "tol=1e-05" in before
    model.fit(X, y)
    assert repr(model) == before
    again = clone(model)
    assert repr(again) == before
    assert not hasattr(again, "coef_")
    with pytest.raises(AttributeError, match="before fit"):
        _ = again.task_names_


@pytest.mark.parametrize("name", ESTIMATORS)
def test_weights_of_rows_are_routed_through_a_pipeline(name):
    X, y = make_data(name)
    weights = np.random.default_rng(0).uniform(0.1, 2.0, size=len(X))
    scaled = StandardScaler().fit_transform(X)
    with sklearn.config_context(enable_metadata_routing=True):
        model = small(name).set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipeline = make_pipeline(scaler, model)
        # a dict is no target that scikit-learn knows by rows, a frame is
        pipeline.fit(X, pd.DataFrame(y), sample_weight=weights)
        expected = small(name).fit(scaled, pd.DataFrame(y), sample_weight=weights)
        assert np.array_equal(pipeline[-1].coef_, expected.coef_)
        score = pipeline.score(X, pd.DataFrame(y), sample_weight=weights)
    assert score == expected.score(scaled, pd.DataFrame(y), sample_weight=weights)
    assert not np.array_equal(expected.coef_, small(name).fit(scaled, y).coef_)
