"""What the networks refuse, in words: what, where, what was found and what to do."""

import os
import signal
import threading
import time

import numpy as np
import pandas as pd
import pytest
import torch
from _estimator_refusals import (
    CITY,
    EVERY_ESTIMATOR,
    LONG,
    NAMED,
    NUMBERS,
    OWN_X,
    OWN_Y,
    PRICE,
    RNG,
    WORDS,
    N,
    X,
    Y,
    but_first,
    first_as,
    refused,
    with_value,
)
from _plain import PLAIN
from scipy import sparse
from sklearn.callback import ProgressBar
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback, EarlyStopping, LRScheduler
from torchjd import aggregation

from sklearn_mtl import (
    IndependentTasks,
    MultiTaskClassifier,
    MultiTaskEstimator,
    MultiTaskKFold,
    MultiTaskRegressor,
    TaskLayoutError,
    make_task_scorer,
    score_per_task,
)
from sklearn_mtl.neural_network import GradNorm, MMoE, PeriodicEmbedding

SMALL = {**PLAIN, "hidden_layer_sizes": (4,), "max_epochs": 2, "random_state": 0}


def regressor(**parameters):
    return MultiTaskRegressor(**{**SMALL, **parameters})


def classifier(**parameters):
    return MultiTaskClassifier(**{**SMALL, **parameters})


def mixed(**parameters):
    return MultiTaskEstimator(**{**SMALL, **parameters})


def test_a_classifier_says_who_has_the_spread_of_predictions():
    model = classifier().fit(X, WORDS)
    with pytest.raises(ValueError, match="MultiTaskClassifier predicts classes; predict_proba"):
        model.predict(X, return_std=True)


# route -> (estimator, labels of two tasks)
ROUTES = {
    "regressor": (regressor, NUMBERS),
    "classifier": (classifier, WORDS),
    "mixed": (mixed, NAMED),
}


# {first} is the name of the first task
EVERY_NETWORK = {
    **EVERY_ESTIMATOR,
    "sparse X": (
        lambda make, y: make().fit(sparse.csr_array(X), y),
        TypeError,
        ["Sparse data was passed", "toarray"],
    ),
    # going on
    "warm_start with other tasks": (
        lambda make, y: make(warm_start=True).fit(X, y).fit(X, but_first(y)),
        TaskLayoutError,
        ["warm_start=True", "'{first}'", "found", "warm_start=False"],
    ),
    "warm_start with another width": (
        lambda make, y: make(warm_start=True).fit(X, y).fit(X[:, :2], y),
        ValueError,
        ["X has 2 features", "expecting 3 features"],
    ),
    "partial_fit with other tasks": (
        lambda make, y: make().partial_fit(X, y).partial_fit(X, but_first(y)),
        TaskLayoutError,
        ["y lacks", "'{first}'", "fit saw"],
    ),
    "partial_fit with another width": (
        lambda make, y: make().partial_fit(X, y).partial_fit(X[:, :2], y),
        ValueError,
        ["X has 2 features", "expecting 3 features"],
    ),
    "partial_fit without a label": (
        lambda make, y: (
            make().partial_fit(X, y).partial_fit(X, {name: np.full(N, np.nan) for name in y})
        ),
        TaskLayoutError,
        ["No task has a label", "24 rows", "skip these rows"],
    ),
    # what scikit-learn's splitters refuse
    "a plain dict in a search": (
        lambda make, y: GridSearchCV(make(), {"lr": [0.1]}, cv=2).fit(X, y),
        ValueError,
        ["inconsistent numbers of samples"],
    ),
}


@pytest.mark.parametrize("case", EVERY_NETWORK)
@pytest.mark.parametrize("route", ROUTES)
def test_a_call_without_sense_is_refused_in_words(route, case):
    make, labels = ROUTES[route]
    call, error, fragments = EVERY_NETWORK[case]
    first = next(iter(labels))
    refused(lambda: call(make, labels), error, [text.format(first=first) for text in fragments])


PARAMETERS = [
    ("activation", "rellu", ["'rellu'", "did you mean 'relu'?"]),
    ("sharing", "hart", ["'hard'", "'hart'", "did you mean 'hard'?"]),
    ("sharing", "MMoE", ["'MMoE'", "did you mean 'mmoe'?"]),
    ("sharing", MMoE, ["'sharing'", "the class MMoE", "write MMoE()"]),
    ("balancing", GradNorm, ["'balancing'", "the class GradNorm", "write GradNorm()"]),
    ("balancing", aggregation.MGDA, ["the class MGDA", "write MGDA()"]),
    ("balancing", dict, ["balancing must be a word", "got <class 'dict'>"]),
    ("numeric_embedding", PeriodicEmbedding, ["'numeric_embedding'", "PeriodicEmbedding()"]),
    ("balancing", "equl", ["'equl'", "did you mean 'equal'?"]),
    ("optimizer", "adm", ["'adamw', 'adam', 'sgd'", "did you mean 'adam'?"]),
    ("optimizer", 3, ["'optimizer'", "3"]),
    ("lr_schedule", "cosin", ["'cosin'", "did you mean 'cosine'?"]),
    ("hidden_layer_sizes", (4, 0), ["hidden_layer_sizes", "positive integers", "(4, 0)"]),
    ("hidden_layer_sizes", (4, "a"), ["hidden_layer_sizes", "positive integers", "'a'"]),
    ("hidden_layer_sizes", (4.5,), ["hidden_layer_sizes", "positive integers", "4.5"]),
    ("hidden_layer_sizes", [[4]], ["hidden_layer_sizes", "positive integers", "[[4]]"]),
    ("hidden_layer_sizes", (True,), ["hidden_layer_sizes", "positive integers", "True"]),
    ("hidden_layer_sizes", "many", ["'hidden_layer_sizes'", "'many'"]),
    ("hidden_layer_sizes", -1, ["'hidden_layer_sizes'", "-1"]),
    ("lr", 0, ["'lr'", "(0", "0 instead"]),
    ("lr", -1e-3, ["'lr'", "-0.001 instead"]),
    ("lr", float("nan"), ["'lr'", "nan"]),
    ("lr", float("inf"), ["'lr'", "inf"]),
    ("dropout", 1.0, ["'dropout'", "[0.0, 1.0)", "1.0 instead"]),
    ("weight_decay", -1, ["'weight_decay'", "-1 instead"]),
    ("validation_fraction", 1.0, ["'validation_fraction'", "(0.0, 1.0)", "1.0 instead"]),
    ("validation_fraction", 0, ["'validation_fraction'", "(0.0, 1.0)", "0 instead"]),
    ("batch_size", 0, ["'batch_size'", "[1, inf)", "0 instead"]),
    ("batch_size", "big", ["'batch_size'", "'auto'", "'big' instead"]),
    ("max_epochs", 0, ["'max_epochs'", "[1, inf)", "0 instead"]),
    ("patience", 0, ["'patience'", "0 instead"]),
    ("tol", -1.0, ["'tol'", "-1.0 instead"]),
    ("early_stopping", "yes", ["'early_stopping'", "'auto'", "'yes' instead"]),
    ("input_scaling", "minmax", ["'input_scaling'", "'standard'", "'minmax' instead"]),
    ("dtype", "float16", ["'dtype'", "'float32'", "'float16' instead"]),
    ("device", "gpu0", ["device='gpu0'", "not present", "cpu", "'auto'"]),
    ("device", "cuda:99", ["device='cuda:99'", "not present", "cpu", "'auto'"]),
    ("device", 0, ["'device'", "0 instead"]),
    ("callbacks", EarlyStopping(), ["'callbacks'", "list", "EarlyStopping"]),
    ("callbacks", ["early"], ["callbacks", "'early'", "skorch"]),
    ("callbacks", [ProgressBar()], ["callbacks", "ProgressBar", "skorch", "set_callbacks"]),
    ("callbacks", [EarlyStopping()], ["'valid_loss'", "early_stopping=True", "'train_loss'"]),
    ("callbacks", [LRScheduler()], ["LRScheduler", "lr_schedule='constant'"]),
    ("net_params", [("compile", True)], ["'net_params'", "dict"]),
    ("net_params", {"lr": 0.1}, ["net_params", "'lr'", "sets itself"]),
    ("net_params", {"compil": True}, ["net_params", "compil"]),
    ("net_params", {"optimizer__momentun": 0.9}, ["net_params", "momentun"]),
    ("task_weight", "n_sample", ["task_weight", "did you mean 'n_samples'?"]),
    ("task_weight", {"{first}": -1.0}, ["task_weight", "'{first}'", "not negative", "-1.0"]),
    ("task_weight", {"{first}": float("nan")}, ["task_weight", "'{first}'", "finite", "nan"]),
    ("task_weight", {"{first}": "much"}, ["task_weight", "'{first}'", "'much'"]),
    ("task_weight", {"{first}s": 1.0}, ["'{first}s'", "no task", "did you mean '{first}'"]),
    ("task_weight", [1.0], ["task_weight", "2 task(s)", "(1,)"]),
    ("task_weight", [0.0, 0.0], ["task_weight", "0 for every task", "positive"]),
    ("task_feature", "city", ["task_feature='city'", "long form", "stack_tasks"]),
    ("random_state", -1, ["random_state", "-1"]),
    ("random_state", "seed", ["random_state", "'seed'"]),
]


@pytest.mark.parametrize(
    ("parameter", "value", "fragments"),
    PARAMETERS,
    ids=[f"{name}={value!r}"[:60] for name, value, _ in PARAMETERS],
)
@pytest.mark.parametrize("route", ROUTES)
def test_a_parameter_without_sense_is_refused_in_words(route, parameter, value, fragments):
    make, labels = ROUTES[route]
    first = next(iter(labels))
    if isinstance(value, dict):
        value = {name.format(first=first): one for name, one in value.items()}
    refused(
        lambda: make(**{parameter: value}).fit(X, labels),
        (ValueError, TypeError),
        [text.format(first=first) for text in fragments],
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA is present")
def test_an_absent_cuda_device_lists_what_is_there():
    refused(
        lambda: regressor(device="cuda").fit(X, NUMBERS),
        ValueError,
        ["device='cuda'", "not present", "cpu", "'auto'"],
    )


ONE_NETWORK = {
    # kinds of labels
    "words in regression": (
        lambda: regressor().fit(X, WORDS),
        TaskLayoutError,
        ["'good'", "strings", "'yes'", "classifier"],
    ),
    "an infinite target": (
        lambda: regressor().fit(X, first_as(NUMBERS, with_value(PRICE, np.inf))),
        TaskLayoutError,
        ["'price'", "1 infinite label", "24 rows", "NaN"],
    ),
    "an infinite target in an array": (
        lambda: regressor().fit(X, with_value(Y, -np.inf)),
        TaskLayoutError,
        ["'task0'", "1 infinite label", "24 rows", "NaN"],
    ),
    "an infinite target at score": (
        lambda: regressor().fit(X, NUMBERS).score(X, first_as(NUMBERS, with_value(PRICE, np.inf))),
        TaskLayoutError,
        ["'price'", "infinite"],
    ),
    "a column of NaN in an array": (
        lambda: regressor().fit(X, np.column_stack([PRICE, np.full(N, np.nan)])),
        TaskLayoutError,
        ["'task1'", "no observed label", "24 rows"],
    ),
    "fewer columns at score": (
        lambda: regressor().fit(X, Y).score(X, PRICE),
        TaskLayoutError,
        ["1 column(s)", "fit saw 2 task(s)"],
    ),
    "complex labels": (
        lambda: regressor().fit(X, PRICE * 1j),
        ValueError,
        ["omplex"],
    ),
    "continuous labels in a classifier": (
        lambda: classifier().fit(X, NUMBERS),
        TaskLayoutError,
        ["Unknown label type: continuous", "'price'", "regression"],
    ),
    "one class": (
        lambda: classifier().fit(X, {**WORDS, "same": np.ones(N, dtype=int)}),
        TaskLayoutError,
        ["'same'", "one class only, 1,", "24 observed rows", "two classes"],
    ),
    "one class in a mixed network": (
        lambda: mixed().fit(X, {**NAMED, "same": np.full(N, "a")}),
        TaskLayoutError,
        ["'same'", "one class only, 'a'", "two classes"],
    ),
    "an unseen class at score": (
        lambda: classifier().fit(X, WORDS).score(X, {**WORDS, "grade": np.arange(N) % 4}),
        TaskLayoutError,
        ["'grade'", "3", "fit"],
    ),
    "an unseen class at partial_fit": (
        lambda: (
            classifier().partial_fit(X, WORDS).partial_fit(X, {**WORDS, "grade": np.arange(N) % 4})
        ),
        TaskLayoutError,
        ["'grade'", "3", "fit"],
    ),
    "an unseen class at warm_start": (
        lambda: (
            classifier(warm_start=True).fit(X, WORDS).fit(X, {**WORDS, "grade": np.arange(N) % 4})
        ),
        TaskLayoutError,
        ["warm_start=True", "classes", "warm_start=False"],
    ),
    "classes of another sort at score": (
        lambda: classifier().fit(X, WORDS).score(X, {**WORDS, "good": np.arange(N) % 2}),
        TaskLayoutError,
        ["'good'"],
    ),
    "classes of too few tasks": (
        lambda: classifier().partial_fit(X, WORDS, classes=[["no", "yes"]]),
        TaskLayoutError,
        ["classes has 1 entries for 2 tasks", "dict by task name"],
    ),
    "classes of an unknown task": (
        lambda: classifier().partial_fit(X, WORDS, classes={"grades": [0, 1, 2]}),
        TaskLayoutError,
        ["classes names 'grades'", "did you mean 'grade'"],
    ),
    "classes of another sort": (
        lambda: classifier().partial_fit(X, WORDS, classes={"grade": ["a", "b"]}),
        TaskLayoutError,
        ["'grade'", "classes lists 'a', 'b'"],
    ),
    "a kind for an unknown task": (
        lambda: mixed(task_kinds={"lat": "regression"}).fit(X, NAMED),
        TaskLayoutError,
        ["task_kinds names 'lat'", "'price', 'late'", "did you mean 'late'"],
    ),
    "an unknown kind": (
        lambda: mixed(task_kinds={"late": "regresion"}).fit(X, NAMED),
        ValueError,
        ["task_kinds['late']", "'regresion'", "did you mean 'regression'"],
    ),
    "kinds that are no dict": (
        lambda: mixed(task_kinds="regression").fit(X, NAMED),
        (TypeError, ValueError),
        ["task_kinds", "dict", "'regression'"],
    ),
    "a kind that the labels do not allow": (
        lambda: mixed(task_kinds={"price": "classification"}).fit(X, NAMED),
        TaskLayoutError,
        ["'price'", "continuous", "regression"],
    ),
    "words of a task that is to be regression": (
        lambda: mixed(task_kinds={"good": "regression"}).fit(X, WORDS),
        TaskLayoutError,
        ["'good'", "regression", "strings"],
    ),
    # tasks with rows of their own
    "names of X and y that differ": (
        lambda: regressor().fit(OWN_X, {"north": OWN_Y["north"], "soth": OWN_Y["south"]}),
        TaskLayoutError,
        ["same tasks", "'south'", "did you mean 'soth'"],
    ),
    "a task's labels of another length": (
        lambda: regressor().fit(OWN_X, {**OWN_Y, "south": PRICE[:3]}),
        TaskLayoutError,
        ["'south'", "3 labels", "14 rows"],
    ),
    "an array at predict after a dict": (
        lambda: regressor().fit(OWN_X, OWN_Y).predict(X),
        TaskLayoutError,
        ["fit received X as a dict", "'north', 'south'", "ndarray"],
    ),
    "a name missing at predict": (
        lambda: regressor().fit(OWN_X, OWN_Y).predict({"north": X}),
        TaskLayoutError,
        ["X lacks", "'south'", "found 'north'"],
    ),
    "a name unknown at predict": (
        lambda: regressor().fit(OWN_X, OWN_Y).predict({**OWN_X, "souht": X}),
        TaskLayoutError,
        ["'souht'", "never saw", "did you mean 'south'"],
    ),
    "tasks of different widths": (
        lambda: regressor().fit({**OWN_X, "south": X[10:, :2]}, OWN_Y),
        ValueError,
        ["X of task 'south'", "2 features", "expecting 3", "IndependentTasks"],
    ),
    "a task of another width at predict": (
        lambda: regressor().fit(OWN_X, OWN_Y).predict({**OWN_X, "south": X[10:, :2]}),
        ValueError,
        ["X of task 'south'", "2 features", "expecting 3"],
    ),
    "NaN in one task's X": (
        lambda: regressor().fit({**OWN_X, "south": with_value(X[10:], np.nan)}, OWN_Y),
        ValueError,
        ["X of task 'south'", "contains NaN"],
    ),
    "one sample_weight for tasks of their own rows": (
        lambda: regressor().fit(OWN_X, OWN_Y, np.ones(N)),
        TaskLayoutError,
        ["X is a dict", "sample_weight must be a dict", "ndarray"],
    ),
    "a sample_weight of another length for a task": (
        lambda: regressor().fit(OWN_X, OWN_Y, {"north": np.ones(10), "south": np.ones(3)}),
        TaskLayoutError,
        ["sample_weight of task 'south'", "(14,)", "(3,)"],
    ),
    "warm_start from shared to own rows": (
        lambda: (
            regressor(warm_start=True).fit(X, {"north": PRICE, "south": PRICE}).fit(OWN_X, OWN_Y)
        ),
        TaskLayoutError,
        ["warm_start=True", "'north', 'south'", "warm_start=False"],
    ),
    "tasks of their own rows in a search": (
        lambda: GridSearchCV(regressor(), {"lr": [0.1]}, cv=MultiTaskKFold(2)).fit(OWN_X, OWN_Y),
        ValueError,
        [],
    ),
    # long form
    "a task column that X lacks": (
        lambda: regressor(task_feature="town").fit(LONG, PRICE),
        TaskLayoutError,
        ["task_feature='town'", "no column of X", "'city'"],
    ),
    "a task column misspelt": (
        lambda: regressor(task_feature="citty").fit(LONG, PRICE),
        TaskLayoutError,
        ["task_feature='citty'", "did you mean 'city'"],
    ),
    "a task column out of range": (
        lambda: regressor(task_feature=7).fit(X, PRICE),
        TaskLayoutError,
        ["task_feature=7", "out of range", "3 column(s)"],
    ),
    "a task column by name in an array": (
        lambda: regressor(task_feature="city").fit(X, PRICE),
        TaskLayoutError,
        ["task_feature='city'", "X is an array", "number, or a DataFrame"],
    ),
    "a task column with own rows": (
        lambda: regressor(task_feature="city").fit(OWN_X, PRICE),
        TaskLayoutError,
        ["task_feature='city'", "X is a dict", "stack_tasks", "task_feature=None"],
    ),
    "a task column with a gap": (
        lambda: regressor(task_feature="city").fit(LONG.assign(city=[None, *CITY[1:]]), PRICE),
        TaskLayoutError,
        ["'city'", "missing in 1 of 24 rows", "fill them in or drop"],
    ),
    "a task at predict that fit never saw": (
        lambda: regressor(task_feature="city").fit(LONG, PRICE).predict(LONG.assign(city="roma")),
        TaskLayoutError,
        ["'city'", "never saw", "'roma'", "did you mean 'rome'"],
    ),
    "no task column at predict": (
        lambda: regressor(task_feature="city").fit(LONG, PRICE).predict(LONG[["a", "b", "c"]]),
        TaskLayoutError,
        ["task_feature='city'", "no column of X", "'a', 'b', 'c'"],
    ),
    "long form with labels of several columns": (
        lambda: regressor(task_feature="city").fit(LONG, Y),
        TaskLayoutError,
        ["one-dimensional y", "(24, 2)"],
    ),
    "long form with labels of another length": (
        lambda: regressor(task_feature="city").fit(LONG, PRICE[:-1]),
        TaskLayoutError,
        ["24 rows", "23 labels"],
    ),
    "long form with a task column alone": (
        lambda: regressor(task_feature="city").fit(LONG[["city"]], PRICE),
        ValueError,
        ["0 feature(s)"],
    ),
    "words beside the task column": (
        lambda: regressor(task_feature="city").fit(LONG.assign(a="red"), PRICE),
        ValueError,
        ["could not convert string to float", "'red'"],
    ),
    "NaN beside the task column": (
        lambda: regressor(task_feature="city").fit(LONG.assign(b=np.nan), PRICE),
        ValueError,
        ["Input X contains NaN"],
    ),
    # numbers too large, networks that cannot go on
    "labels too large to scale": (
        lambda: regressor().fit(X, {**NUMBERS, "huge": PRICE * 1e200}),
        ValueError,
        ["'huge'", "too large", "overflow", "divide"],
    ),
    "features too large to scale": (
        lambda: regressor().fit(X * [1.0, 1e200, 1.0], PRICE),
        ValueError,
        ["X has values too large", "feature(s) 1:", "overflow", "divide"],
    ),
    "warm_start with another network": (
        lambda: (
            regressor(warm_start=True)
            .fit(X, PRICE)
            .set_params(hidden_layer_sizes=(5,))
            .fit(X, PRICE)
        ),
        ValueError,
        ["hidden_layer_sizes is now (5,)", "made with (4,)", "warm_start=False"],
    ),
    "partial_fit with another network": (
        lambda: (
            regressor().partial_fit(X, PRICE).set_params(activation="tanh").partial_fit(X, PRICE)
        ),
        ValueError,
        ["activation is now 'tanh'", "made with 'relu'", "clone"],
    ),
    "an optimiser without weight decay": (
        lambda: regressor(optimizer=torch.optim.LBFGS).fit(X, PRICE),
        TypeError,
        ["optimizer", "LBFGS", "weight_decay", "pass a callable"],
    ),
    "dates as labels": (
        lambda: mixed().fit(X, pd.DataFrame({"day": pd.date_range("2020", periods=N)})),
        TaskLayoutError,
        ["'day'", "datetime64", "numbers, booleans or strings"],
    ),
    "no task with a row at predict": (
        lambda: regressor().fit(OWN_X, OWN_Y).predict({"north": X[:0], "south": X[:0]}),
        ValueError,
        ["X of task 'north'", "0 sample(s)"],
    ),
    # early stopping and divergence
    "early_stopping with too few rows": (
        lambda: classifier(early_stopping=True).fit(X[:2], ["no", "yes"]),
        ValueError,
        ["early_stopping=True", "n_samples=2", "add rows or set early_stopping=False"],
    ),
    "a rate so large that the loss diverges": (
        lambda: regressor(optimizer="sgd", lr=1e30, max_epochs=20).fit(X, NUMBERS),
        ValueError,
        ["training loss", "'price'", "not finite", "epoch", "lower lr (now 1e+30)"],
    ),
    "a schedule that returns no number": (
        lambda: regressor(lr_schedule=lambda epoch, max_epochs: "fast").fit(X, NUMBERS),
        (TypeError, ValueError),
        ["lr_schedule", "'fast'"],
    ),
    "an optimiser that is none": (
        lambda: regressor(optimizer=dict).fit(X, NUMBERS),
        (TypeError, ValueError),
        ["optimizer", "torch.optim.Optimizer"],
    ),
    # around the networks
    "a network for each task, of the wrong kind": (
        lambda: IndependentTasks(classifier()).fit(X, NUMBERS),
        TaskLayoutError,
        ["'price'", "continuous"],
    ),
    "a network of a dict that lacks a task": (
        lambda: IndependentTasks({"price": regressor()}).fit(X, NUMBERS),
        TaskLayoutError,
        ["'weight'"],
    ),
    "a failing network among independent tasks": (
        lambda: IndependentTasks(regressor(activation="rellu")).fit(X, NUMBERS),
        ValueError,
        ["Task 'price'", "MultiTaskRegressor.fit failed", "did you mean 'relu'"],
    ),
    "a scorer of an unknown task": (
        lambda: make_task_scorer(average="prize")(regressor().fit(X, NUMBERS), X, NUMBERS),
        TaskLayoutError,
        ["average='prize'", "did you mean 'price'"],
    ),
    "a scorer of labels with other names": (
        lambda: make_task_scorer()(regressor().fit(X, NUMBERS), X, but_first(NUMBERS)),
        ValueError,
        ["price"],
    ),
    "a scorer of probabilities of a regressor": (
        lambda: make_task_scorer("neg_log_loss")(regressor().fit(X, NUMBERS), X, NUMBERS),
        ValueError,
        ["neg_log_loss", "price"],
    ),
    "a scorer that is a loss": (
        lambda: score_per_task(NUMBERS, NUMBERS, metric="mean_squared_eror"),
        ValueError,
        ["mean_squared_eror"],
    ),
    "more folds than rows": (
        lambda: GridSearchCV(regressor(), {"lr": [0.1]}, cv=MultiTaskKFold(30)).fit(X, Y),
        ValueError,
        ["n_splits=30", "24 row(s)", "lower n_splits"],
    ),
    "an own X split by folds": (
        lambda: next(MultiTaskKFold(2).split(OWN_X, OWN_Y)),
        TaskLayoutError,
        ["X is a dict", "stack_tasks", "task_feature="],
    ),
}


@pytest.mark.parametrize("case", ONE_NETWORK)
def test_a_call_without_sense_of_one_kind_is_refused_in_words(case):
    refused(*ONE_NETWORK[case])


# -- what an error leaves behind ----------------------------------------------------------------


class Recorder:
    """A callback of scikit-learn that notes what it is told."""

    def __init__(self):
        self.events = []

    def setup(self, estimator, context):
        self.events.append("setup")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context):
        self.events.append(f"end {context.task_name}")

    def teardown(self, estimator, context):
        self.events.append("teardown")


class SignalInHook(Callback):
    """Presses Ctrl-C in the middle of a hook of skorch."""

    def __init__(self, hook):
        self.hook = hook

    def on_epoch_begin(self, net, **kwargs):
        self._press("on_epoch_begin")

    def on_batch_end(self, net, **kwargs):
        self._press("on_batch_end")

    def on_epoch_end(self, net, **kwargs):
        self._press("on_epoch_end")

    def _press(self, hook):
        if hook == self.hook:
            signal.raise_signal(signal.SIGINT)


@pytest.fixture
def ctrl_c():
    """Python's own handler, whatever handler or none the process came with."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def random_states():
    return torch.get_rng_state().tolist(), repr(np.random.get_state())  # noqa: NPY002


def nothing_is_broken(model, recorder, states):
    assert random_states() == states
    assert recorder.events[-1] == "teardown"
    assert recorder.events.count("teardown") == 1
    assert not hasattr(model, "_callback_fit_ctx")
    fresh = regressor().fit(X, NUMBERS)
    model.set_callbacks().set_params(max_epochs=2, callbacks=None, lr=fresh.lr)
    again = model.fit(X, NUMBERS)
    assert again.n_iter_ == 2
    for name in NUMBERS:
        np.testing.assert_array_equal(again.predict(X)[name], fresh.predict(X)[name])


def test_ctrl_c_between_two_steps_reaches_the_caller_and_breaks_nothing(ctrl_c):
    states, recorder = random_states(), Recorder()
    model = regressor(max_epochs=10**6).set_callbacks(recorder)
    started = threading.Event()
    recorder.on_fit_task_end = lambda estimator, context: started.set()

    def press():
        started.wait(30)
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, NUMBERS)
    thread.join()
    assert model.net_.callbacks_ == []
    nothing_is_broken(model, recorder, states)


@pytest.mark.parametrize("hook", ["on_epoch_begin", "on_batch_end", "on_epoch_end"])
def test_ctrl_c_inside_a_hook_reaches_the_caller_and_breaks_nothing(ctrl_c, hook):
    states, recorder = random_states(), Recorder()
    model = regressor(max_epochs=50, callbacks=[SignalInHook(hook)]).set_callbacks(recorder)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, NUMBERS)
    assert recorder.events.count("begin epoch") <= 1
    nothing_is_broken(model, recorder, states)


def test_a_callback_that_stops_training_by_an_interrupt_is_no_ctrl_c():
    stop = EarlyStopping(monitor="train_loss", patience=1, threshold=10.0, threshold_mode="abs")
    recorder = Recorder()
    model = regressor(max_epochs=50, callbacks=[stop]).set_callbacks(recorder)
    model.fit(X, NUMBERS)
    assert model.n_iter_ == 2
    assert recorder.events == [
        "setup", "begin fit", *["begin epoch", "end epoch"] * 2, "end fit", "teardown"
    ]  # fmt: skip


def test_a_fit_that_diverges_leaves_no_model_and_breaks_nothing():
    states, recorder = random_states(), Recorder()
    model = regressor(max_epochs=20).fit(X, NUMBERS)
    model.set_params(optimizer="sgd", lr=1e30).set_callbacks(recorder)
    with pytest.raises(ValueError, match="lower lr"):
        model.fit(X, NUMBERS)
    with pytest.raises(NotFittedError):
        model.predict(X)
    model.set_params(optimizer="adamw")
    nothing_is_broken(model, recorder, states)


def test_an_error_in_a_callback_reaches_the_caller_and_breaks_nothing():
    class Failing(Callback):
        def on_epoch_end(self, net, **kwargs):
            raise LookupError("no disk")

    states, recorder = random_states(), Recorder()
    model = regressor(callbacks=[Failing()]).set_callbacks(recorder)
    with pytest.raises(LookupError, match="no disk"):
        model.fit(X, NUMBERS)
    nothing_is_broken(model, recorder, states)


@pytest.mark.parametrize("unit", [2.0**-900, 2.0**-60, 2.0**60, 2.0**900])
def test_the_unit_of_sample_weight_does_not_matter(unit):
    weight = RNG.random((N, 2))
    plain, scaled = (regressor().fit(X, NUMBERS, weight * u).predict(X) for u in (1.0, unit))
    for name in NUMBERS:
        # a power of two rounds nothing
        np.testing.assert_array_equal(scaled[name], plain[name])


def test_a_task_without_a_row_at_predict_has_no_prediction():
    model = regressor().fit(OWN_X, OWN_Y)
    predicted = model.predict({"north": X[:0], "south": X[:2]})
    assert predicted["north"].shape == (0,)
    np.testing.assert_array_equal(
        predicted["south"], model.predict({"north": X[:1], "south": X[:2]})["south"]
    )


@pytest.mark.parametrize("route", ROUTES)
def test_data_refused_before_training_leave_the_last_fit_as_it_was(route):
    make, labels = ROUTES[route]
    model = make().fit(X, labels)
    before = model.score(X, labels)
    with pytest.raises(TaskLayoutError):
        model.fit(X, {**labels, "empty": np.full(N, np.nan)})
    assert model.score(X, labels) == before


@pytest.mark.parametrize("callback", ["EpochScoring", "BatchScoring", "InputShapeSetter"])
def test_skorch_callbacks_that_read_its_own_data_sets_are_refused(callback):
    import skorch.callbacks

    kind = getattr(skorch.callbacks, callback)
    made = kind() if callback == "InputShapeSetter" else kind("r2")
    X = np.random.default_rng(0).normal(size=(20, 2))
    model = MultiTaskRegressor(callbacks=[made], max_epochs=1)
    with pytest.raises(TypeError, match=r"reads rows and predictions.*ScoringMonitor"):
        model.fit(X, X)
