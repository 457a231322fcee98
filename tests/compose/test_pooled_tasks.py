"""PooledTasks is one estimator on rows stacked by hand, with the task in columns of its own."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from _labels import CONTAINERS, make_numbers, make_own, to_matrix
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
)
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_mtl import PooledTasks, TaskLayoutError, stack_tasks

FOREST = RandomForestRegressor(n_estimators=5, random_state=0)
ENCODINGS = ["onehot", "ordinal"]


class Recorder(LinearRegression):
    """Remembers what fit and predict were given."""

    def fit(self, X, y, **params):
        self.X_, self.y_, self.params_, self.asked_ = X, np.asarray(y), params, []
        return super().fit(X, y, **params)

    def predict(self, X):
        self.asked_.append(X)
        return super().predict(X)


@parametrize_with_checks(
    [
        PooledTasks(Ridge()),
        PooledTasks(LinearRegression(), task_encoding="ordinal", target_scaling=None),
        PooledTasks(LogisticRegression(), task_weight=None),
        PooledTasks(RidgeClassifier()),
        PooledTasks(DecisionTreeClassifier(random_state=0)),
    ]
)
def test_scikit_learn_finds_nothing_to_object_to(estimator, check):
    check(estimator)


# -- the reference: rows stacked by hand ------------------------------------------------------


def stacked(X, Y, encoding):
    """Return rows, labels and tasks of the observed labels, task after task."""
    rows, labels, tasks = [], [], []
    n_tasks = Y.shape[1]
    for t in range(n_tasks):
        for x, label in zip(X, Y[:, t], strict=True):
            if not np.isnan(label):
                rows.append([*x, *encoded(t, n_tasks, encoding)])
                labels.append(label)
                tasks.append(t)
    return np.array(rows), np.array(labels), np.array(tasks)


def encoded(t, n_tasks, encoding):
    return [float(t)] if encoding == "ordinal" else [float(t == s) for s in range(n_tasks)]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("scaling", ["standard", None])
@pytest.mark.parametrize("estimator", [FOREST, Ridge(), KNeighborsRegressor(3)], ids=str)
def test_pooled_tasks_are_rows_stacked_by_hand(estimator, scaling, encoding):
    X, Y = make_numbers()
    rows, labels, tasks = stacked(X, Y, encoding)
    mean, scale = np.zeros(2), np.ones(2)
    if scaling:
        mean, scale = np.nanmean(Y, axis=0), np.nanstd(Y, axis=0)
    alone = clone(estimator).fit(rows, (labels - mean[tasks]) / scale[tasks])
    model = PooledTasks(estimator, task_encoding=encoding, target_scaling=scaling).fit(X, Y)
    for t in range(2):
        asked = np.column_stack([X, np.tile(encoded(t, 2, encoding), (len(X), 1))])
        # means summed in another order
        np.testing.assert_allclose(
            model.predict(X)[:, t], alone.predict(asked) * scale[t] + mean[t], rtol=1e-9
        )
    np.testing.assert_allclose(model.target_mean_, mean, rtol=1e-12)
    np.testing.assert_allclose(model.target_scale_, scale, rtol=1e-12)


@pytest.mark.parametrize("container", CONTAINERS)
def test_the_container_changes_nothing(container):
    X, Y = make_numbers()
    expected = PooledTasks(FOREST).fit(X, Y).predict(X)
    y = CONTAINERS[container](Y)
    model = PooledTasks(FOREST).fit(X, y)
    assert np.array_equal(to_matrix(model.predict(X)), expected)
    assert isinstance(model.predict(X), type(y) if not isinstance(y, np.ndarray) else np.ndarray)


@pytest.mark.parametrize("kind", ["numbers", "classes"])
def test_own_rows_and_long_form_are_the_same_problem(kind):
    X, y = make_own(kind)
    order = sorted(X)  # long form sorts its tasks
    X, y = {name: X[name] for name in order}, {name: y[name] for name in order}
    estimator = DecisionTreeRegressor() if kind == "numbers" else DecisionTreeClassifier()
    estimator.set_params(random_state=0, min_samples_leaf=3)
    own = PooledTasks(estimator).fit(X, y)
    rows, labels = stack_tasks({name: (X[name], y[name]) for name in order})
    long = PooledTasks(estimator, task_feature=-1).fit(rows, labels)
    joined = np.concatenate(list(own.predict(X).values()))
    assert long.predict(rows).tolist() == joined.tolist()
    assert long.score(rows, labels) == own.score(X, y)
    if kind == "classes":
        by_task = own.predict_proba(X)
        whole = long.predict_proba(rows)
        place = {label: column for column, label in enumerate(long.classes_)}
        tags = rows[:, -1]
        for task in own.layout_.tasks:
            columns = [place[label] for label in task.classes]
            np.testing.assert_array_equal(whole[tags == task.name][:, columns], by_task[task.name])


@pytest.mark.parametrize("names", [[0, 1, 2], ["a", "b", "c"]])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_in_long_form_rows_keep_their_order(encoding, names):
    rng = np.random.default_rng(0)
    X, tags = rng.normal(size=(30, 2)), rng.integers(3, size=30)
    y = X.sum(axis=1) + tags
    y[:4] = np.nan
    task = np.array(names, dtype=object if isinstance(names[0], str) else float)[tags]
    rows = np.column_stack([X, task])
    model = PooledTasks(Recorder(), task_encoding=encoding, task_feature=2, target_scaling=None)
    given = model.fit(rows, y).estimator_.X_
    columns = tags[:, None] if encoding == "ordinal" else np.eye(3)[tags]
    np.testing.assert_array_equal(given.astype(float), np.column_stack([X, columns])[4:])
    assert model.estimator_.y_.tolist() == y[4:].tolist()
    with pytest.raises(TaskLayoutError, match="holds tasks that fit never saw"):
        model.predict(np.column_stack([X, np.full(30, 9 if names[0] == 0 else "z", object)]))


def test_one_task_is_the_estimator_alone():
    X, Y = make_numbers(missing=0.0)
    alone = LinearRegression().fit(X, Y[:, 1])
    model = PooledTasks(LinearRegression()).fit(X, Y[:, 1])
    np.testing.assert_allclose(model.predict(X), alone.predict(X), rtol=1e-10)  # scaled and back


def test_a_linear_model_gives_tasks_constants_and_no_slopes_of_their_own():
    X, Y = make_numbers()
    model = PooledTasks(LinearRegression(), target_scaling=None).fit(X, Y)
    difference = np.diff(model.predict(X), axis=1)
    np.testing.assert_allclose(difference, difference[0, 0], rtol=1e-9)  # rounding of 300
    assert abs(difference[0, 0]) > 100


def test_scaled_targets_do_not_depend_on_units():
    X, Y = make_numbers()
    units = np.array([1.0, 1024.0])  # a power of two: no digit changes
    plain, other = PooledTasks(FOREST).fit(X, Y), PooledTasks(FOREST).fit(X, Y * units)
    np.testing.assert_array_equal(other.predict(X), plain.predict(X) * units)
    unscaled = PooledTasks(Ridge(), target_scaling=None)
    raw = clone(unscaled).fit(X, Y).predict(X)
    assert not np.allclose(clone(unscaled).fit(X, Y * units).predict(X), raw * units)


def test_labels_that_do_not_differ_have_no_spread_to_divide_by():
    X, Y = make_numbers()
    Y[:, 0] = 0.1  # whose mean is off by rounding
    model = PooledTasks(Recorder()).fit(X, Y)
    assert model.target_scale_[0] == 1.0
    np.testing.assert_allclose(model.estimator_.y_[: len(X)], 0.0, atol=1e-15)  # rounding of 0.1


# -- the type and the size of what the estimator is given -------------------------------------


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csc_matrix, sparse.dok_array])
def test_sparse_rows_stay_sparse(make, encoding):
    X, Y = make_numbers()
    X[X < 0] = 0.0
    dense = PooledTasks(Recorder(), task_encoding=encoding).fit(X, Y)
    model = PooledTasks(Recorder(), task_encoding=encoding).fit(make(X), Y)
    given = model.estimator_.X_
    assert sparse.issparse(given)
    assert isinstance(given, sparse.sparray) is issubclass(make, sparse.sparray)
    np.testing.assert_array_equal(given.toarray(), dense.estimator_.X_)
    model.predict(make(X))
    assert all(map(sparse.issparse, model.estimator_.asked_))


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize(
    ("encoding", "columns"),
    [("onehot", ["task_price", "task_size"]), ("ordinal", ["task"])],
)
def test_frames_keep_their_columns_and_gain_those_of_the_tasks(library, encoding, columns):
    X, Y = make_numbers()
    frame = library({name: X[:, j] for j, name in enumerate("abc")})
    y = {"price": Y[:, 0], "size": Y[:, 1]}
    model = PooledTasks(Recorder(), task_encoding=encoding).fit(frame, y)
    assert isinstance(model.estimator_.X_, library)
    assert model.estimator_.feature_names_in_.tolist() == ["a", "b", "c", *columns]
    assert model.feature_names_in_.tolist() == ["a", "b", "c"]
    expected = PooledTasks(Recorder(), task_encoding=encoding).fit(X, Y).predict(X)
    found = model.predict(frame)
    np.testing.assert_allclose(found["size"], expected[:, 1], rtol=1e-9)  # memory order of X
    taken = library({name: X[:, j] for j, name in enumerate([columns[0], "b", "c"])})
    with pytest.raises(TaskLayoutError, match=f"already has the column.*'{columns[0]}'"):
        clone(model).fit(taken, y)


def test_in_long_form_frames_the_columns_are_called_after_the_task_column():
    X, Y = make_numbers(missing=0.0)
    frame = pd.DataFrame({"school": ["b", "a"] * 15, "hours": X[:, 0]}, index=np.arange(30) + 7)
    model = PooledTasks(Recorder(), task_feature="school").fit(frame, Y[:, 0])
    assert list(model.estimator_.X_.columns) == ["hours", "school_a", "school_b"]
    assert model.estimator_.X_["school_b"].tolist() == [1, 0] * 15
    model.set_params(task_encoding="ordinal").fit(frame, Y[:, 0])
    assert model.estimator_.X_["school"].tolist() == [1, 0] * 15


def test_frames_without_names_get_columns_without_names():
    X, Y = make_numbers()
    model = PooledTasks(Recorder()).fit(pd.DataFrame(X), Y)
    assert list(model.estimator_.X_.columns) == [0, 1, 2, 3, 4]
    assert model.predict(pd.DataFrame(X)).shape == Y.shape


def test_many_tasks_cost_a_row_a_label_in_the_dtype_of_x():
    rng = np.random.default_rng(0)
    n_tasks, p = 40, 3
    X = {f"t{t}": rng.normal(size=(5, p)).astype(np.float32) for t in range(n_tasks)}
    y = {name: rows.sum(axis=1) for name, rows in X.items()}
    model = PooledTasks(Recorder()).fit(X, y)
    assert model.estimator_.X_.shape == (5 * n_tasks, p + n_tasks)
    assert model.estimator_.X_.dtype == np.float32
    shared, Y = rng.normal(size=(20, p)), np.full((20, n_tasks), np.nan)
    Y[rng.integers(20, size=n_tasks), np.arange(n_tasks)] = 1.0  # one label a task
    model.fit(shared, Y).predict(shared)
    assert model.estimator_.X_.shape == (n_tasks, p + n_tasks)
    # never all tasks' rows at once
    assert {asked.shape for asked in model.estimator_.asked_} == {(20, p + n_tasks)}


@pytest.mark.parametrize("dtype", [np.int8, np.float16, bool])
def test_task_numbers_are_exact_whatever_the_dtype_of_x(dtype):
    n_tasks = 300  # too many for int8
    X = {t: np.ones((1, 1), dtype) for t in range(n_tasks)}
    y = {t: [float(t)] for t in range(n_tasks)}
    model = PooledTasks(Recorder(), task_encoding="ordinal").fit(X, y)
    assert model.estimator_.X_[:, 1].tolist() == list(range(n_tasks))


# -- weights ----------------------------------------------------------------------------------


def test_weights_of_labels_reach_their_rows():
    X, Y = make_numbers()
    weights = np.random.default_rng(0).uniform(0.5, 2.0, Y.shape)
    weights[:5] = 0.0
    model = PooledTasks(Recorder()).fit(X, Y, weights)
    kept = ~np.isnan(Y) & (weights > 0)
    assert model.estimator_.params_["sample_weight"].tolist() == weights.T[kept.T].tolist()
    t = 1
    mean = np.average(Y[kept[:, t], t], weights=weights[kept[:, t], t])
    assert model.target_mean_[t] == pytest.approx(mean, rel=1e-12)


def test_a_label_counts_once_unless_tasks_are_to_count_the_same():
    X, Y = make_numbers()
    Y[:20, 0] = np.nan
    model = PooledTasks(Recorder()).fit(X, Y)
    assert model.estimator_.params_ == {}
    counts = (~np.isnan(Y)).sum(axis=0)
    for task_weight, shares in ((None, [0.5, 0.5]), ([3.0, 1.0], [0.75, 0.25])):
        model.set_params(task_weight=task_weight).fit(X, Y)
        given = model.estimator_.params_["sample_weight"]
        tasks = np.repeat([0, 1], counts)
        total = np.bincount(tasks, given)
        np.testing.assert_allclose(total / total.sum(), shares, rtol=1e-12)
        assert all(len(set(given[tasks == t])) == 1 for t in range(2))


def test_metadata_is_repeated_with_the_rows():
    X, Y = make_numbers(missing=0.0)
    X_own, y_own = make_own("numbers")
    with sklearn.config_context(enable_metadata_routing=True):
        inner = Noting().set_fit_request(sample_weight=True, note=True)
        model = PooledTasks(inner).fit(X, Y, np.arange(1.0, 31.0), note=np.arange(30))
        assert model.estimator_.note_.tolist() == [*range(30)] * 2
        assert model.estimator_.weight_.tolist() == [*range(1, 31)] * 2
        note = {name: np.arange(len(rows)) for name, rows in X_own.items()}
        model = PooledTasks(inner).fit(X_own, y_own, note=note)
        assert model.estimator_.note_.tolist() == [*range(25), *range(3, 18), *range(12)]


class Noting(BaseEstimator):
    def fit(self, X, y, sample_weight=None, note=None):
        self.note_, self.weight_ = note, sample_weight
        return self

    def predict(self, X):
        return np.zeros(len(X))


# -- classes ----------------------------------------------------------------------------------


def make_classes():
    """Tasks of which the second has a class, its most frequent, that the first lacks."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    return X, {
        "two": np.where(X[:, 0] > 0.2, "yes", "no").astype(object),
        "three": np.select([X[:, 0] > 1.0, X[:, 0] < -1.0], ["yes", "no"], "maybe").astype(object),
    }


def alone_and_rows(model, X):
    """Return the one model's own inputs for each of two tasks."""
    return model.estimator_, [np.column_stack([X, np.tile(e, (len(X), 1))]) for e in np.eye(2)]


def test_probabilities_are_those_of_a_tasks_own_classes():
    X, y = make_classes()
    # weak enough to say "maybe" for the task that does not have it
    y["two"][10:] = None
    model = PooledTasks(LogisticRegression(C=0.03)).fit(X, y)
    assert model.estimator_.classes_.tolist() == ["maybe", "no", "yes"]
    alone, rows = alone_and_rows(model, X)
    found, predicted = model.predict_proba(X), model.predict(X)
    raw = alone.predict_proba(rows[0])
    own = raw[:, 1:] / raw[:, 1:].sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found["two"], own, rtol=1e-12)
    np.testing.assert_allclose(found["three"], alone.predict_proba(rows[1]), rtol=1e-12)
    assert 0 < (alone.predict(rows[0]) == "maybe").sum() < 60
    assert predicted["two"].tolist() == np.array(["no", "yes"])[own.argmax(axis=1)].tolist()
    assert predicted["three"].tolist() == alone.predict(rows[1]).tolist()


def test_without_probabilities_the_most_frequent_class_stands_in_and_a_warning_says_so():
    X, y = make_classes()
    y["two"][10:] = None
    model = PooledTasks(RidgeClassifier(alpha=100.0)).fit(X, y)
    assert not hasattr(model, "predict_proba")
    alone, rows = alone_and_rows(model, X)
    raw = alone.predict(rows[0])
    foreign = raw == "maybe"
    assert 0 < foreign.sum() < 60
    labels = y["two"][:10].tolist()
    most = max(["no", "yes"], key=labels.count)
    with pytest.warns(UserWarning, match=rf"In {foreign.sum()} of 120 answers.*'two'"):
        predicted = model.predict(X)["two"]
    assert predicted.tolist() == np.where(foreign, most, raw).tolist()


class Certain(ClassifierMixin, BaseEstimator):
    """Is sure of the first class."""

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.repeat(self.classes_[:1], len(X))

    def predict_proba(self, X):
        return np.tile(np.arange(len(self.classes_)) == 0, (len(X), 1)).astype(float)


def test_where_a_tasks_classes_have_no_probability_their_frequencies_stand_in():
    X = np.zeros((4, 1))
    y = {"a": ["x", "y", "y", None], "b": [None, "w", "w", "z"]}
    model = PooledTasks(Certain()).fit(X, y, [2.0, 1.0, 2.0, 1.0])
    with pytest.warns(UserWarning, match="In 4 of 8 answers.*class frequencies of.*'a'") as caught:
        found = model.predict_proba(X)
    assert [warning.filename for warning in caught] == [__file__]
    np.testing.assert_allclose(found["a"], np.tile([0.4, 0.6], (4, 1)), rtol=1e-12)
    assert found["b"].tolist() == [[1.0, 0.0]] * 4
    with pytest.warns(UserWarning, match="In 4 of 8 answers"):
        assert model.predict(X)["a"].tolist() == ["y"] * 4


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_a_call_warns_once_of_all_tasks_that_the_model_knows_nothing_of(method):
    X = np.zeros((4, 1))
    y = {"a": [None, "w", "w", "z"], "b": ["x", "y", "y", None], "c": ["x", "x", "y", None]}
    model = PooledTasks(Certain()).fit(X, y)
    with pytest.warns(UserWarning, match=r"In 8 of 12 answers.*task\(s\) 'b', 'c' stand") as caught:
        getattr(model, method)(X)
    assert [warning.filename for warning in caught] == [__file__]


def test_classes_of_weight_zero_are_no_classes_of_the_model():
    X, y = make_classes()
    weights = {name: np.where(labels == "maybe", 0.0, 1.0) for name, labels in y.items()}
    model = PooledTasks(LogisticRegression()).fit(X, y, weights)
    assert model.estimator_.classes_.tolist() == ["no", "yes"]
    assert (model.predict_proba(X)["three"][:, 0] == 0.0).all()


# -- in scikit-learn --------------------------------------------------------------------------


def test_searches_pipelines_clones_and_pickles_work():
    X, Y = make_numbers()
    model = make_pipeline(StandardScaler(), PooledTasks(FOREST))
    search = GridSearchCV(
        model,
        {
            "pooledtasks__estimator__max_depth": [1, 3],
            "pooledtasks__task_encoding": ["onehot", "ordinal"],
        },
        cv=3,
    ).fit(X, Y)
    assert search.best_params_["pooledtasks__estimator__max_depth"] == 3
    again = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(again.predict(X), search.predict(X))
    fitted = search.best_estimator_
    np.testing.assert_array_equal(clone(fitted).fit(X, Y).predict(X), fitted.predict(X))


def test_a_second_fit_forgets_the_first():
    X, Y = make_numbers()
    model = PooledTasks(DecisionTreeClassifier(random_state=0)).fit(*make_classes())
    model.set_params(estimator=FOREST).fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), PooledTasks(FOREST).fit(X, Y).predict(X))
    assert not hasattr(model, "predict_proba")
    assert not hasattr(model, "classes_")
    model.set_params(estimator=DecisionTreeClassifier()).fit(*make_classes())
    assert not hasattr(model, "target_mean_")


# -- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (PooledTasks({"a": Ridge()}), TypeError, "estimator is a dict.*IndependentTasks"),
        (PooledTasks(Ridge), TypeError, "is the class Ridge"),
        (
            PooledTasks(Ridge(), task_encoding="one-hot"),
            ValueError,
            "'task_encoding' parameter of PooledTasks.*did you mean 'onehot'",
        ),
        (PooledTasks(Ridge(), target_scaling="std"), ValueError, "'target_scaling' parameter"),
        (PooledTasks(Ridge(), task_weight="equal"), ValueError, "task_weight must be None"),
        (PooledTasks(PoissonRegressor()), ValueError, "positive labels.*target_scaling=None"),
        (
            PooledTasks(KNeighborsRegressor(), task_weight=None),
            TypeError,
            "every task_weight but 'n_samples'.*KNeighborsRegressor.fit takes no sample_weight",
        ),
        (
            PooledTasks(Noting(), task_kinds={"task0": "classification"}),
            TaskLayoutError,
            "tasks of one kind, but 'task0' is .* and 'task1' regression",
        ),
    ],
    ids=lambda value: "",
)
def test_what_makes_no_pooled_model_is_told_of(model, error, message):
    X, Y = make_numbers(missing=0.0)
    with pytest.raises(error, match=message):
        model.fit(X, Y.round())


def test_classes_of_one_type_are_needed():
    X, y = make_classes()
    y["number"] = np.arange(60) % 3
    with pytest.raises(TaskLayoutError, match="task 'two' has 'no', 'yes', task 'number' has 0, 1"):
        PooledTasks(LogisticRegression()).fit(X, y)


def test_tasks_that_are_written_alike_are_told_of():
    X, Y = make_numbers()
    with pytest.raises(TaskLayoutError, match="do not all differ when written as text"):
        PooledTasks(Ridge()).fit(X, {1: Y[:, 0], "1": Y[:, 1]})


def test_a_classifiers_labels_are_those_it_was_given():
    model = PooledTasks(Saying("other"), task_kinds={"two": "classification"})
    X, y = make_classes()
    with pytest.raises(ValueError, match="predicted 'other', which are not all among the classes"):
        model.fit(X, {"two": y["two"]}).predict(X)
    with pytest.raises(ValueError, match=r"predict returned shape \(60, 2\)"):
        model.set_params(estimator=Saying(["no", "yes"])).fit(X, y).predict(X)


class Saying(BaseEstimator):
    def __init__(self, word):
        self.word = word

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.full((len(X), *np.shape(self.word)), self.word, dtype=object)
