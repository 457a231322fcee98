"""Files of skops hold what the list names, and are refused where they hold anything else."""

import importlib
import json
import zipfile

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import skops.io
import torch
from _plain import PLAIN
from linear_model._estimators import ESTIMATORS, make_data, small
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from skops.io.exceptions import UntrustedTypesFoundException

import sklearn_mtl
from sklearn_mtl import (
    IndependentTasks,
    LowRankClassifier,
    LowRankRegressor,
    LowRankRegressorCV,
    MultiTaskEstimator,
    MultiTaskKFold,
    MultiTaskLinearRegressor,
    MultiTaskRegressor,
    MultiTaskShuffleSplit,
    MultiTaskTarget,
    PooledTasks,
    StackedTasks,
    TaskChain,
    TaskGrouping,
    TaskRelationshipRegressor,
    VotingTasks,
    convex,
    make_task_scorer,
    skops_trusted_types,
)
from sklearn_mtl.neural_network.balancing import BALANCING
from sklearn_mtl.neural_network.numeric_embedding import NUMERIC_EMBEDDINGS
from sklearn_mtl.neural_network.sharing import SHARING

TRUSTED = skops_trusted_types()
SMALL = {
    **PLAIN, "hidden_layer_sizes": (4,), "max_epochs": 1, "batch_size": 20, "random_state": 0
}  # fmt: skip


def assert_same(one, other):
    assert type(one) is type(other)
    if isinstance(one, (dict, MultiTaskTarget)):
        assert list(one.keys()) == list(other.keys())
        for name in one.keys():  # noqa: SIM118
            assert_same(one[name], other[name])
    elif isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other)
    elif isinstance(one, (pl.DataFrame, pa.Table)):
        assert one.equals(other)
    else:
        assert np.asarray(one).tolist() == np.asarray(other).tolist()


def assert_travels(model, X, trusted=TRUSTED):
    """Assert that a file holds trusted types alone, is refused without them, and predicts."""
    predicted = model.predict(X)  # first: what predictions leave behind is in the file too
    file = skops.io.dumps(model)
    assert set(skops.io.get_untrusted_types(data=file)) <= set(trusted)
    with pytest.raises(UntrustedTypesFoundException):
        skops.io.loads(file)
    assert_same(skops.io.loads(file, trusted=trusted).predict(X), predicted)


# -- the list -------------------------------------------------------------------------------------


def test_the_list_names_classes_and_has_no_name_twice():
    assert sorted(set(TRUSTED)) == TRUSTED
    for name in TRUSTED:
        module, _, attribute = name.rpartition(".")
        found = getattr(importlib.import_module(module), attribute)
        # a function or an alias would run, or be, something else than it says
        assert isinstance(found, type)
        assert (found.__module__, found.__qualname__) == (module, attribute)
        assert not issubclass(found, torch.nn.Module)
        assert module.startswith("sklearn")


def full_name(kind):
    return f"{kind.__module__}.{kind.__qualname__}"


def test_every_estimator_and_every_part_of_one_is_in_the_list():
    public = [getattr(sklearn_mtl, name) for name in sklearn_mtl.__all__]
    kinds = [kind for kind in public if isinstance(kind, type) and issubclass(kind, BaseEstimator)]
    abstract = {convex.Penalty, convex.NormPenalty, convex.QuadraticPenalty}
    kinds += [
        kind
        for kind in (getattr(convex, name) for name in convex.__all__)
        if isinstance(kind, type) and issubclass(kind, convex.Penalty) and kind not in abstract
    ]
    for registry in (SHARING, BALANCING, NUMERIC_EMBEDDINGS):
        kinds += registry.values()
    missing = {full_name(kind) for kind in kinds} - set(TRUSTED)
    assert not missing, f"look at what loading these would run, and add them to the list: {missing}"


# -- families -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ESTIMATORS)
def test_linear_models(name):
    X, y = make_data(name, missing=0.1)
    assert_travels(small(name).fit(X, y), X)


@pytest.mark.parametrize(
    "penalty",
    [
        convex.PenaltySum([("low", convex.NuclearNorm(0.1)), ("small", convex.Ridge(0.1))]),
        convex.MeanRegularization(),
        convex.TaskRelationship(),
    ],
    ids=lambda penalty: type(penalty).__name__,
)
def test_penalties_that_are_parameters(penalty):
    X, y = make_data("LowRankRegressor")
    assert_travels(MultiTaskLinearRegressor(penalty).fit(X, y), X)


@pytest.mark.parametrize("kernel", ["rbf", "poly"])
def test_kernels(kernel):
    X, y = make_data("LowRankRegressor")
    assert_travels(TaskRelationshipRegressor(kernel=kernel).fit(X, y), X)


def mixed(n=40):
    X = np.random.default_rng(0).normal(size=(n, 4))
    return X, {"a": X[:, 0], "b": X[:, 1] > 0, "c": np.array(["u", "v", "w"])[np.arange(n) % 3]}


@pytest.mark.parametrize("sharing", SHARING)
@pytest.mark.parametrize("n_estimators", [1, 2])
def test_networks_with_every_sharing_scheme(sharing, n_estimators):
    X, y = mixed()
    params = {"sharing": sharing, "n_estimators": n_estimators}
    assert_travels(MultiTaskEstimator(**{**SMALL, **params}).fit(X, y), X)


@pytest.mark.parametrize("balancing", BALANCING)
def test_networks_with_every_balancing_method(balancing):
    X, y = mixed()
    assert_travels(MultiTaskEstimator(**SMALL, balancing=balancing).fit(X, y), X)


@pytest.mark.parametrize("embedding", NUMERIC_EMBEDDINGS)
def test_networks_with_every_embedding(embedding):
    X, y = mixed()
    model = MultiTaskEstimator(**{**SMALL, "numeric_embedding": embedding}, early_stopping=True)
    assert_travels(model.fit(X, y).trim(), X)


def test_training_goes_on_from_a_file():
    X, y = mixed()
    model = MultiTaskEstimator(**SMALL, dropout=0.2).fit(X, y)
    loaded = skops.io.loads(skops.io.dumps(model), trusted=TRUSTED)
    assert_same(loaded.partial_fit(X, y).predict(X), model.partial_fit(X, y).predict(X))


@pytest.mark.parametrize(
    "model",
    [
        IndependentTasks(Ridge()),
        PooledTasks(Ridge()),
        StackedTasks(Ridge()),
        TaskChain(Ridge()),
        VotingTasks([("low", LowRankRegressor()), ("ridge", IndependentTasks(Ridge()))]),
        TaskGrouping(LowRankRegressor(), n_groups=2, affinity="coefficients"),
        LowRankRegressorCV(alphas=3, cv=MultiTaskKFold(3)),
        LowRankRegressorCV(alphas=3, cv=MultiTaskShuffleSplit(3)),
    ],
    ids=lambda model: type(model).__name__,
)
def test_compositions_and_splitters(model):
    X, y = make_data("LowRankRegressor")
    assert_travels(model.fit(X, y), X)


def test_a_composition_of_classifiers():
    X, y = make_data("LowRankClassifier")
    assert_travels(StackedTasks(LogisticRegression()).fit(X, y), X)


def test_a_search():
    X, y = make_data("LowRankRegressor")
    search = GridSearchCV(LowRankRegressor(), {"alpha": [0.1, 1.0]}, cv=3)
    assert_travels(search.fit(X, MultiTaskTarget(y)), X)


@pytest.mark.parametrize(
    ("scorer", "refit"),
    [(make_task_scorer("r2"), True), (make_task_scorer(None, average=None), "b")],
    ids=["mean", "by task"],
)
def test_scorers_travel_in_searches(scorer, refit):
    X, y = make_data("LowRankRegressor")
    target = MultiTaskTarget(y)
    params = {"scoring": scorer, "refit": refit, "cv": 3}
    search = GridSearchCV(LowRankRegressor(), {"alpha": [0.1, 1.0]}, **params).fit(X, target)
    assert_travels(search, X)
    loaded = skops.io.loads(skops.io.dumps(search), trusted=TRUSTED)
    assert loaded.score(X, target) == search.score(X, target)


# -- containers -----------------------------------------------------------------------------------


def frames():
    X, y = mixed()
    pandas = pd.DataFrame(y)
    pandas["b"] = pandas["b"].astype("boolean")
    pandas["c"] = pandas["c"].astype("category")
    text = pandas.astype({"a": "Float64", "b": "str", "c": "string"})
    header = pd.MultiIndex.from_tuples([("m", "a"), ("m", "b")], names=["s", None])
    numbers = X[:, :2]
    return {
        "pandas": pandas,
        "pandas text": text,
        "two levels": pd.DataFrame(numbers, columns=header),
        "numbered": pd.DataFrame(numbers),
        "polars": pl.DataFrame(y),
        "polars enum": pl.DataFrame(y).with_columns(pl.col("c").cast(pl.Enum(["u", "v", "w"]))),
        "arrow": pa.table(y),
        "arrow in pandas": pd.DataFrame(numbers, columns=["a", "b"], dtype="double[pyarrow]"),
        "target": MultiTaskTarget(y),
        "array": numbers,
        "objects": np.array([[int(x > 0), "uv"[int(z > 0)]] for x, z in numbers], dtype=object),
        "column": pd.Series(numbers[:, 0], name="a"),
        "names of several types": {1: numbers[:, 0], ("b", 2.5): numbers[:, 1]},
    }


@pytest.mark.parametrize("container", frames())
def test_predictions_come_back_in_the_container_of_fit(container):
    X, _ = mixed()
    model = sklearn_mtl.MultiTaskLinearEstimator().fit(X, frames()[container])
    assert_travels(model, X)


def test_long_form_and_own_rows():
    X, y = make_data("LowRankRegressor")
    rows = pd.DataFrame(X, columns=list("pqrs")).assign(task=["n", "s"] * 20)
    assert_travels(LowRankRegressor(task_feature="task").fit(rows, y["a"]), rows)
    own = {"a": X[:30], "b": X}
    assert_travels(LowRankRegressor().fit(own, {"a": y["a"][:30], "b": y["b"]}), own)


# -- what is not trusted --------------------------------------------------------------------------


class Backbone(torch.nn.Linear):
    """A module of the user's."""


def test_a_module_of_the_users_is_trusted_by_the_user_alone():
    X, y = mixed()
    params = {"module": Backbone, "module_params": {"in_features": 4, "out_features": 3}}
    model = MultiTaskRegressor(**SMALL, **params).fit(X, X[:, :2])
    file = skops.io.dumps(model)
    own = full_name(Backbone)
    assert set(skops.io.get_untrusted_types(data=file)) - set(TRUSTED) == {own}
    with pytest.raises(UntrustedTypesFoundException, match="Backbone"):
        skops.io.loads(file, trusted=TRUSTED)
    assert_travels(model, X, [*TRUSTED, own])


def absolute(outputs, labels):
    """A loss of the user's."""
    return (outputs - labels).abs()


def test_a_function_of_the_users_is_trusted_by_the_user_alone():
    X, y = mixed()
    model = MultiTaskRegressor(**SMALL, loss={"a": absolute}).fit(X, {"a": y["a"]})
    with pytest.raises(UntrustedTypesFoundException, match="absolute"):
        skops.io.loads(skops.io.dumps(model), trusted=TRUSTED)


def tampered(file, change, path):
    """Write a file of skops again, with its schema changed."""
    original = path.with_name("original.skops")
    original.write_bytes(file)
    with zipfile.ZipFile(original) as before, zipfile.ZipFile(path, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            if name == "schema.json":
                schema = json.loads(content)
                change(schema)
                content = json.dumps(schema).encode()
            after.writestr(name, content)
    return path


def layout_of(schema):
    return schema["content"]["content"]["layout_"]


CHANGES = {
    "a command": lambda schema: layout_of(schema).update(
        {"__module__": "os", "__class__": "system", "__loader__": "FunctionNode"}
    ),
    "a call": lambda schema: layout_of(schema).update(
        {
            "__module__": "builtins",
            "__class__": "eval",
            "__loader__": "ConstructorFromReduceNode",
        }
    ),
    "another type": lambda schema: layout_of(schema).update(
        {"__module__": "subprocess", "__class__": "Popen"}
    ),
    "a type of the package that holds code": lambda schema: layout_of(schema).update(
        {"__module__": "sklearn_mtl.nn._net", "__class__": "MultiTaskNet"}
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_was_tampered_with_is_refused(change, tmp_path):
    X, y = make_data("LowRankRegressor")
    file = skops.io.dumps(LowRankRegressor().fit(X, y))
    untouched = tampered(file, lambda schema: None, tmp_path / "same.skops")
    skops.io.load(untouched, trusted=TRUSTED)  # what writes the file again does not break it
    path = tampered(file, CHANGES[change], tmp_path / "model.skops")
    assert set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED)
    with pytest.raises(UntrustedTypesFoundException):
        skops.io.load(path, trusted=TRUSTED)


def test_a_file_whose_content_is_broken_is_refused():
    X, y = make_data("LowRankRegressor")
    file = bytearray(skops.io.dumps(LowRankRegressor().fit(X, y)))
    at = file.index(b"schema.json") + 200  # zip keeps a checksum of each entry
    file[at] ^= 0xFF
    with pytest.raises((zipfile.BadZipFile, ValueError)):
        skops.io.loads(bytes(file), trusted=TRUSTED)


def test_names_of_data_types_lead_to_data_types_alone():
    X, y = mixed()
    model = LowRankClassifier().fit(X, pl.DataFrame({"c": y["c"]}))

    task = model.layout_.tasks[0]
    state = {**task.__getstate__(), "dtype": ("polars", "read_csv")}
    with pytest.raises(TypeError, match="no data type of polars"):
        task.__setstate__(state)
