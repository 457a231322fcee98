"""A torch Dataset in place of X: the same fit as in memory, and never held whole."""

import pickle
import random
import tracemalloc
import weakref

import numpy as np
import pytest
import torch
from _plain import PLAIN
from sklearn.callback import ScoringMonitor
from skorch.callbacks import Callback
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset
from torch.utils.data._utils.pin_memory import pin_memory

from sklearn_mtl import (
    MultiTaskClassifier,
    MultiTaskEstimator,
    MultiTaskRegressor,
    MultiTaskTarget,
    make_task_scorer,
)
from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.neural_network._dataset import LabelColumns, RunningMoments, is_dataset
from sklearn_mtl.neural_network._statistics import input_statistics
from sklearn_mtl.nn import DatasetReader

SHORT = {"hidden_layer_sizes": (6,), "max_epochs": 3, "batch_size": 16, "random_state": 0}
SMALL = {**PLAIN, **SHORT}


class Pairs(Dataset):
    """Rows in memory, an item each; missing labels are left out, None or NaN by turns."""

    def __init__(self, X, y):
        self.X, self.y = X, y
        self.n_read = 0

    def __len__(self):
        return len(self.X)

    def __getitem__(self, i):
        self.n_read += 1
        labels = {name: column[i] for name, column in self.y.items()}
        if i % 2:
            labels = {k: v for k, v in labels.items() if v is not None and v == v}
        return torch.from_numpy(np.array(self.X[i])), labels


class Broken(Pairs):
    """Items that a function makes of a number."""

    def __init__(self, make, n=5):
        self.make, self.n = make, n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return self.make(i)


def make_data(n=90, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    score = X @ rng.normal(size=(3, 3))
    y = {
        "price": score[:, 0],
        "good": np.where(score[:, 1] > 0, "yes", "no").astype(object),
        "stars": (np.digitize(score[:, 2], [-0.5, 0.5]) + 1).astype(object),
    }
    y["price"][::7] = np.nan
    y["good"][1::5] = None
    y["stars"][2::3] = None
    return X, y


def assert_same(first, second):
    assert list(first) == list(second)
    for name, values in first.items():
        assert np.array_equal(values, second[name]), name


# -- the same as in memory ------------------------------------------------------------------------


@pytest.mark.parametrize("num_workers", [0, 2])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_fit_is_bit_by_bit_that_on_arrays(num_workers, early_stopping):
    X, y = make_data()
    weights = np.random.default_rng(1).choice([0.0, 1.0, 2.5], len(X))
    params = {**SHORT, "early_stopping": early_stopping, "input_scaling": None}
    params["task_weight"] = {"good": 2.0}
    expected = MultiTaskEstimator(**params).fit(X, y, weights)
    data = Pairs(X, y)
    model = MultiTaskEstimator(num_workers=num_workers, **params).fit(data, sample_weight=weights)
    assert model.layout_.same_tasks(expected.layout_)
    assert_same(model.predict(X), expected.predict(X))
    assert_same(model.predict(data), expected.predict(X))
    assert_same(model.predict_proba(data), expected.predict_proba(X))
    assert model.score(data) == expected.score(X, y)
    weighted = model.score(data, sample_weight=weights)
    assert weighted == expected.score(X, y, weights)
    assert model.n_features_in_ == 3


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_scaled_inputs_are_those_in_memory_but_for_rounding(dtype):
    X, y = make_data()
    X = (1000.0 + 3.0 * X).astype(dtype)
    params = {**SMALL, "early_stopping": False, "dtype": "float64"}
    expected = MultiTaskEstimator(**params).fit(X, y)
    model = MultiTaskEstimator(**params).fit(Pairs(X, y))
    # another order of sums in float64, of values a thousand times their differences
    np.testing.assert_allclose(
        model.predict(X.astype(float))["price"], expected.predict(X.astype(float))["price"],
        rtol=1e-9,
    )  # fmt: skip


def test_callbacks_of_both_kinds_watch_a_streamed_fit():
    X, y = make_data()
    data, seen = Pairs(X, y), []

    class Watch(Callback):
        def on_batch_end(self, net, batch=None, training=None, **kwargs):
            seen.append(len(batch[0]))

    monitor = ScoringMonitor(scoring=make_task_scorer())
    params = {**SMALL, "early_stopping": False, "callbacks": [Watch()]}
    model = MultiTaskEstimator(**params).set_callbacks(monitor).fit(data)
    labelled = [any(v is not None and v == v for v in row) for row in zip(*y.values(), strict=True)]
    assert sum(seen) == 3 * sum(labelled)
    (last,) = [row for row in monitor.get_logs().data if row["task_name"] == "fit"]
    assert last["score"] == model.score(data) == model.score(data, y)


def test_going_on_is_as_in_memory():
    X, y = make_data()
    params = {**SMALL, "input_scaling": None, "early_stopping": False, "warm_start": True}
    streamed, whole = MultiTaskEstimator(**params), MultiTaskEstimator(**params)
    for _ in range(2):
        streamed.fit(Pairs(X, y))
        whole.fit(X, y)
    streamed.partial_fit(Pairs(X, y))
    whole.partial_fit(X, y)
    assert_same(streamed.predict(X), whole.predict(X))
    once = MultiTaskEstimator(**params).partial_fit(Pairs(X, y))
    assert once.n_iter_ == 1
    assert_same(pickle.loads(pickle.dumps(streamed)).predict(Pairs(X, y)), whole.predict(X))


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_images_are_streamed_to_a_module(dtype):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 255, size=(40, 2, 3, 3)).astype(dtype)
    y = {"ink": X.mean(axis=(1, 2, 3)), "dark": X[:, 0, 0, 0] > 100}
    params = {
        **SMALL, "module": torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(18, 5)),
        "input_scaling": None,
    }  # fmt: skip
    expected = MultiTaskEstimator(**params).fit(X, y)
    model = MultiTaskEstimator(**params).fit(Pairs(X, y))
    assert_same(model.predict(Pairs(X, y)), expected.predict(X))
    scaled = MultiTaskEstimator(**{**params, "input_scaling": "standard"}).fit(Pairs(X, y))
    assert scaled.net_.module_.scaler.mean.shape == (2, 1, 1)
    assert np.isfinite(scaled.predict(X)["ink"]).all()


def test_a_part_without_some_task_trains_the_others():
    X, y = make_data()
    model = MultiTaskEstimator(**SMALL).partial_fit(Pairs(X, y))
    model.partial_fit(Pairs(X, {"good": y["good"]}))
    assert np.isnan(model.history_["train"]["price"][1])
    assert np.isfinite(model.history_["train"]["good"]).all()


def test_parts_of_datasets_and_items_without_labels_are_read():
    X, y = make_data()
    data = Pairs(X, y)
    model = MultiTaskEstimator(**SMALL).fit(Subset(data, range(60)))
    alone = Broken(lambda i: X[i], n=len(X))
    assert_same(model.predict(alone), model.predict(data))
    assert_same(model.predict(TensorDataset(torch.from_numpy(X))), model.predict(data))


@pytest.mark.parametrize("missing", [None, np.nan, float("nan")])
def test_labels_are_inferred_as_a_target_of_lists(missing):
    columns = {
        "real": [1.5, missing, 2.0, 3.0],
        "whole": [1, missing, 2, 1],
        "flag": [True, False, missing, True],
        "word": ["a", "b", missing, "a"],
        "mixed": [1, 2.5, 3, 4],
    }
    X = np.arange(8.0).reshape(4, 2)
    data = Broken(lambda i: (X[i], {name: column[i] for name, column in columns.items()}), n=4)
    model = MultiTaskEstimator(**SMALL).fit(data)
    expected = MultiTaskEstimator(**SMALL).fit(X, MultiTaskTarget(columns))
    assert model.layout_.tasks == expected.layout_.tasks
    assert isinstance(model.predict(X), dict)


@pytest.mark.parametrize("wrap", [np.float32, np.array, torch.tensor, lambda v: torch.tensor([v])])
def test_a_label_may_be_a_number_of_any_library(wrap):
    X = np.arange(8.0).reshape(4, 2)
    data = Broken(lambda i: (X[i], {"a": wrap(float(i))}), n=4)
    model = MultiTaskRegressor(**SMALL).fit(data)
    assert model.target_mean_ == [1.5]


def test_labels_of_blocks_are_joined_in_their_own_types():
    columns = LabelColumns(["known"])
    columns.add({"a": [1, None]}, 2)
    columns.add({"b": [0.5, None]}, 2)
    columns.add({"a": [True, None]}, 2)
    found = columns.result()
    assert list(found) == ["known", "a", "b"]
    assert np.isnan(found["known"]).all()
    assert len(found["known"]) == 6
    assert found["a"].dtype == object
    assert found["a"][0] == 1
    assert found["a"][4] is True
    np.testing.assert_array_equal(found["b"], [np.nan, np.nan, 0.5, np.nan, np.nan, np.nan])


# -- statistics in one pass -----------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
def test_running_moments_are_those_of_all_rows(weighted):
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=300), 1e8 + rng.normal(size=300), np.full(300, 0.1)])
    mass = rng.choice([0.0, 0.5, 3.0], 300) if weighted else np.ones(300)
    moments = RunningMoments()
    for part in np.split(np.arange(300), [1, 3, 64, 200]):
        moments.add(X[part], mass[part])
    mean, deviation = moments.result()
    expected = np.average(X, axis=0, weights=mass)
    np.testing.assert_allclose(mean, expected, rtol=1e-14)
    spread = np.sqrt(np.average((X - X[0] - (expected - X[0])) ** 2, axis=0, weights=mass))
    assert deviation[2] == 0  # a constant has no rounding error either
    # values of 1e8 have differences good to 1e-8
    np.testing.assert_allclose(deviation[:2], spread[:2], rtol=1e-7)
    assert input_statistics(X, mass)[0].shape == mean.shape


def test_images_have_moments_by_channel():
    X = np.random.default_rng(0).normal([[[3.0]], [[-5.0]]], 2.0, size=(70, 2, 4, 5))
    moments = RunningMoments()
    for part in np.split(X, [10, 40]):
        moments.add(part, np.ones(len(part)))
    mean, deviation = moments.result()
    assert mean.shape == deviation.shape == (2, 1, 1)
    # another order of 1400 terms
    np.testing.assert_allclose(mean[:, 0, 0], X.mean(axis=(0, 2, 3)), rtol=1e-12)
    np.testing.assert_allclose(deviation[:, 0, 0], X.std(axis=(0, 2, 3)), rtol=1e-12)


def test_values_too_large_to_scale_are_refused():
    data = Broken(lambda i: ([1e200 * i, 1.0], {"a": float(i)}))
    with pytest.raises(ValueError, match=r"too large to scale in feature\(s\) 0"):
        MultiTaskRegressor(**SMALL).fit(data)


# -- reading --------------------------------------------------------------------------------------


def test_items_are_read_once_for_labels_and_once_an_epoch():
    X, y = make_data()
    y["price"] = X[:, 0]
    data = Pairs(X, y)
    model = MultiTaskEstimator(**{**SMALL, "early_stopping": True}).fit(data)
    assert data.n_read == (1 + model.n_iter_) * len(X)
    data.n_read = 0
    model.score(data)
    assert data.n_read == len(X)


class Made(Dataset):
    """Wide rows made as they are asked for."""

    def __init__(self, n, p):
        self.n, self.p = n, p

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        x = np.full(self.p, i % 7, np.float32)
        return x, {"a": float(i % 7), "b": "odd" if i % 2 else "even"}


def test_x_is_never_held_whole():
    data = Made(4000, 2000)
    whole = 4 * data.n * data.p  # 32 MB in float32
    params = {**SMALL, "hidden_layer_sizes": (2,), "max_epochs": 1, "batch_size": 64}
    tracemalloc.start()
    try:
        model = MultiTaskEstimator(early_stopping=True, **params).fit(data)
        model.predict(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # blocks of 64 rows in float64 while statistics are taken, of 2 ** 20 numbers otherwise
    assert peak < whole / 2


class Counted:
    """An x that counts how many of its like are alive."""

    alive = most = 0

    def __init__(self, i):
        self.values = np.array([float(i), 1.0])
        Counted.alive += 1
        Counted.most = max(Counted.most, Counted.alive)

    def __del__(self):
        Counted.alive -= 1

    def __array__(self, dtype=None, copy=None):
        return self.values


def test_blocks_are_let_go_after_their_batch(monkeypatch):
    alive, most = set(), 0
    check = DatasetReader._check

    def checked(reader, X, numbers):
        nonlocal most
        key = object()
        alive.add(key)
        weakref.finalize(X, alive.discard, key)
        most = max(most, len(alive))
        check(reader, X, numbers)

    monkeypatch.setattr(DatasetReader, "_check", checked)
    model = MultiTaskEstimator(**{**SMALL, "early_stopping": True}).fit(Made(400, 3))
    model.predict(Made(4000, 3))
    assert most == 2  # a block, and the one that replaces it
    assert not alive


def test_items_are_let_go_after_their_batch():
    Counted.alive = Counted.most = 0
    data = Broken(lambda i: (Counted(i), {"a": float(i)}), n=500)
    MultiTaskRegressor(**{**SMALL, "early_stopping": False}).fit(data)
    assert Counted.most <= 65  # a block of 64 while labels are read, and the one that replaces it
    assert Counted.alive == 0


def legacy_state():
    return str(np.random.mtrand._rand.get_state())


class Noisy(Pairs):
    def __getitem__(self, i):
        x, labels = super().__getitem__(i)
        return x + 0.1 * torch.randn(3), labels


@pytest.mark.parametrize("num_workers", [0, 2])
def test_random_items_follow_the_seed_and_leave_the_callers_generators(num_workers):
    X, y = make_data()
    states = torch.random.get_rng_state(), legacy_state(), random.getstate()
    params = {**SMALL, "num_workers": num_workers}
    first, same = (MultiTaskEstimator(**params).fit(Noisy(X, y)) for _ in range(2))
    other = MultiTaskEstimator(**{**params, "random_state": 1}).fit(Noisy(X, y))
    assert_same(first.predict(X), same.predict(X))
    assert not np.array_equal(first.predict(X)["price"], other.predict(X)["price"])
    assert_same(first.predict(Noisy(X, y)), first.predict(Noisy(X, y)))
    assert torch.equal(torch.random.get_rng_state(), states[0])
    assert legacy_state() == states[1]
    assert random.getstate() == states[2]


@pytest.mark.parametrize("num_workers", [0, 1])
def test_a_reader_draws_nothing_from_the_callers_generator(num_workers):
    state = torch.random.get_rng_state()
    with DatasetReader(Made(4, 2), num_workers, seed=0, device="cpu") as reader:
        assert [len(block.X) for block in reader.read([np.arange(3), np.arange(1)])] == [3, 1]
    assert torch.equal(torch.random.get_rng_state(), state)


def test_blocks_are_pinned_as_a_loader_pins_them(monkeypatch):
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda X: X + 1.0)  # needs CUDA
    with DatasetReader(Made(4, 2), 0, seed=0, device="cpu") as reader:
        (block,) = reader.read([np.arange(3)])
    assert torch.equal(pin_memory(block).X, block.X + 1.0)


def test_embeddings_look_at_a_sample_of_rows(monkeypatch):
    X, y = make_data()
    params = {**SMALL, "numeric_embedding": "piecewise_linear", "early_stopping": False}
    params |= {"input_scaling": None}
    expected = MultiTaskEstimator(**params).fit(X, y)
    assert_same(MultiTaskEstimator(**params).fit(Pairs(X, y)).predict(X), expected.predict(X))
    monkeypatch.setattr("sklearn_mtl.neural_network._dataset.SAMPLE_ROWS", 40)
    data = Pairs(X, {"price": X[:, 0]})
    sampled = MultiTaskEstimator(**params).fit(data)
    assert data.n_read == (1 + 3) * len(X) + 40
    assert np.isfinite(sampled.predict(X)["price"]).all()


def test_an_interrupt_reaches_the_caller():
    def interrupted(i):
        if interrupted.n_left == 0:
            raise KeyboardInterrupt
        interrupted.n_left -= 1
        return [float(i), 1.0], {"a": float(i)}

    interrupted.n_left = 70  # within the first epoch of 50 rows
    with pytest.raises(KeyboardInterrupt):
        MultiTaskRegressor(**SMALL).fit(Broken(interrupted, n=50))
    assert interrupted.n_left == 0


# -- what is refused ------------------------------------------------------------------------------


class Endless(IterableDataset):
    def __iter__(self):
        yield [1.0], {"a": 1.0}


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_an_iterable_dataset_is_told_what_is_needed(method):
    with pytest.raises(TypeError, match=r"Endless.*map-style Dataset, with __len__ and __getitem_"):
        getattr(MultiTaskRegressor(**SMALL), method)(Endless())


@pytest.mark.parametrize("method", ["fit", "predict"])
def test_a_loader_is_told_to_give_its_dataset(method):
    X, y = make_data()
    model = MultiTaskEstimator(**SMALL).fit(X, y)
    with pytest.raises(TypeError, match=r"X is a DataLoader, .* pass its Dataset, X\.dataset"):
        getattr(model, method)(DataLoader(Pairs(X, y), batch_size=4))


def test_labels_beside_a_dataset_are_refused():
    X, y = make_data()
    with pytest.raises(ValueError, match="hold the labels, so y must be None; found dict"):
        MultiTaskEstimator(**SMALL).fit(Pairs(X, y), y)


ROW = [1.0, 2.0]
BAD_ITEMS = {
    "no pair": (lambda i: ROW if i == 3 else (ROW, {"a": 1.0 * i}), r"Item 3 .*a list of|pair"),
    "three": (lambda i: (ROW, {"a": 1.0}, 0), r"Item 0 of the Dataset is a tuple of 3; each item"),
    "labels no dict": (lambda i: (ROW, [1.0]), r"Item 0 .* with labels of type list; .*a dict by"),
    "empty": (lambda i: (ROW, {}), r"None of the 5 items of the Dataset names a task"),
    "never": (lambda i: (ROW, {"a": 1.0 * i, "b": None}), r"Task 'b' has no observed label among"),
    "shapes": (lambda i: (ROW[: 1 + i], {"a": 1.0 * i}), r"x of item 1 .* \(2,\), where \(1,\)"),
    "scalar": (lambda i: (1.0, {"a": 1.0 * i}), r"x of item 0 of the Dataset is a single number"),
    "text": (lambda i: (["a"], {"a": 1.0 * i}), r"x of item 0 of the Dataset has dtype <U1"),
    "infinite": (
        lambda i: ([1.0, np.inf if i == 2 else 1.0], {"a": 1.0 * i}),
        r"contains NaN or infinity: x of item 2 of the Dataset",
    ),
    "wide label": (
        lambda i: (ROW, {"a": np.zeros(2)}),
        r"label of task 'a' in item 0 of the Dataset has shape \(2,\)",
    ),
    "image": (
        lambda i: (np.zeros((1, 2, 2)), {"a": 1.0 * i}),
        r"found shape \(5, 1, 2, 2\).* need module=",
    ),
}


@pytest.mark.parametrize("num_workers", [0, 1])
@pytest.mark.parametrize("case", BAD_ITEMS)
def test_an_item_that_cannot_be_used_is_named(case, num_workers):
    make, message = BAD_ITEMS[case]
    with pytest.raises(ValueError, match=message) as caught:
        MultiTaskRegressor(num_workers=num_workers, **SMALL).fit(Broken(make))
    assert "Traceback" not in str(caught.value)


def test_shapes_that_differ_between_blocks_are_named():
    data = Broken(lambda i: (np.zeros(2 if i < 64 else 3), {"a": 1.0 * i}), n=100)
    with pytest.raises(ValueError, match=r"x of item 64 .* shape \(3,\), where \(2,\) is expected"):
        MultiTaskRegressor(**SMALL).fit(data)


@pytest.mark.parametrize("method", ["predict", "fit", "partial_fit", "score"])
def test_another_shape_than_that_of_fit_is_refused(method):
    X = np.random.default_rng(0).normal(size=(9, 4))
    y = {"a": X[:, 0]}
    model = MultiTaskRegressor(warm_start=True, **SMALL).fit(X, y)
    with pytest.raises(ValueError, match=r"x of item 0 .* shape \(2,\), where \(4,\) is expected"):
        getattr(model, method)(Pairs(X[:, :2], y))


def test_items_without_labels_are_left_out_of_the_epochs():
    X, y = make_data()
    data = Pairs(X, {"price": y["price"]})
    known = int(np.isfinite(y["price"]).sum())
    model = MultiTaskRegressor(**{**SMALL, "early_stopping": False}).fit(data)
    assert data.n_read == len(X) + 3 * known
    mean = X[np.isfinite(y["price"])].mean(axis=0)
    # another order of sums
    np.testing.assert_allclose(model.net_.module_.scaler.mean, mean, rtol=1e-12)


def test_an_empty_dataset_is_refused():
    with pytest.raises(ValueError, match=r"The Dataset \(Broken\) is empty"):
        MultiTaskRegressor(**SMALL).fit(Broken(None, n=0))


@pytest.mark.parametrize("num_workers", [0, 1])
def test_an_error_of_the_dataset_comes_through_with_the_number_of_the_item(num_workers):
    def fails(i):
        if i == 3:
            raise LookupError("no file 'row_3.npy'")
        return ROW, {"a": 1.0 * i}

    message = r"Item 3 of the Dataset \(Broken\) cannot be read: LookupError: no file 'row_3\.npy'"
    with pytest.raises(RuntimeError, match=message) as caught:
        MultiTaskRegressor(num_workers=num_workers, **SMALL).fit(Broken(fails))
    if num_workers == 0:
        assert isinstance(caught.value.__cause__, LookupError)


@pytest.mark.filterwarnings("ignore:Got pickle error")
def test_a_dataset_that_cannot_travel_says_so(monkeypatch):
    monkeypatch.setattr("torch.multiprocessing.get_start_method", lambda: "spawn")
    context = torch.multiprocessing.get_context("spawn")
    monkeypatch.setattr("torch.utils.data.dataloader.multiprocessing", context, raising=False)
    monkeypatch.setattr("torch.multiprocessing.Process", context.Process)
    data = Broken(lambda i: (ROW, {"a": 1.0 * i}))
    with pytest.raises(TypeError, match=r"cannot be sent to the num_workers=1 .*num_workers=0"):
        MultiTaskRegressor(num_workers=1, **SMALL).fit(data)


def test_long_form_and_own_rows_take_no_dataset():
    X, y = make_data()
    data = Pairs(X, {"price": y["price"]})
    with pytest.raises(ValueError, match=r"task_feature='shop' asks MultiTaskRegressor"):
        MultiTaskRegressor(task_feature="shop", **SMALL).fit(data)
    own = MultiTaskRegressor(**SMALL).fit({"a": X, "b": X}, {"a": X[:, 0], "b": X[:, 1]})
    with pytest.raises(ValueError, match="belong to one task each; pass X as fit received it"):
        own.predict(data)


def test_sampling_takes_no_dataset():
    X, y = make_data()
    with pytest.raises(ValueError, match="task_sampling='uniform'"):
        MultiTaskEstimator(task_sampling="uniform", **SMALL).fit(Pairs(X, y))


def test_weights_are_one_an_item():
    X, y = make_data()
    with pytest.raises(ValueError, match=r"sample_weight must have shape \(90,\), one weight for"):
        MultiTaskEstimator(**SMALL).fit(Pairs(X, y), sample_weight=np.ones((90, 3)))


def test_labels_of_another_kind_are_refused_as_in_memory():
    X, y = make_data()
    with pytest.raises(TaskLayoutError, match="Task 'good' is regression, but its labels are str"):
        MultiTaskRegressor(**SMALL).fit(Pairs(X, y))
    with pytest.raises(TaskLayoutError, match=r"continuous\. Task 'price' is classification"):
        MultiTaskClassifier(**SMALL).fit(Pairs(X, y))


def test_arrays_without_labels_are_still_told_so():
    with pytest.raises(ValueError, match="y is None"):
        MultiTaskRegressor(**SMALL).fit(np.zeros((3, 2)))


def test_what_holds_numbers_is_no_dataset():
    import pandas as pd
    from scipy.sparse import csr_array

    numbers = [[1.0, 2.0]]
    for X in (
        numbers, tuple(numbers), np.array(numbers), pd.DataFrame(numbers), csr_array(numbers),
        {"a": numbers}, torch.tensor(numbers), range(3), "text", None, 1.0,
        MultiTaskTarget({"a": [1.0]}),
    ):  # fmt: skip
        assert not is_dataset(X), type(X)
    assert is_dataset(Made(2, 3))
    assert is_dataset(TensorDataset(torch.zeros(2, 3)))
