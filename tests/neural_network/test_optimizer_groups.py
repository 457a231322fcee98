"""What tasks share has a rate and a decay of its own, and may stay frozen for some epochs."""

import pickle
from itertools import pairwise

import numpy as np
import pytest
import torch
from _plain import PLAIN
from skorch.callbacks import Callback
from torch import nn

from sklearn_mtl import MultiTaskEstimator, MultiTaskRegressor
from sklearn_mtl.neural_network.balancing import BALANCING
from sklearn_mtl.neural_network.sharing import SHARING

SMALL = {
    **PLAIN, "hidden_layer_sizes": (5, 4), "batch_size": 8, "max_epochs": 3, "random_state": 0,
}  # fmt: skip


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    return X, X @ rng.normal(size=(3, 2))


def weights(part):
    return {name: tensor.detach().clone() for name, tensor in part.state_dict().items()}


def moved(before, part):
    """Return the names of the tensors that differ from what they were."""
    return {name for name, tensor in part.state_dict().items() if not tensor.equal(before[name])}


# -- groups ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_equal_rates_are_one_group_and_the_training_without_any(data, optimizer):
    params = {**SMALL, "optimizer": optimizer, "lr": 0.01, "weight_decay": 0.1}
    plain = MultiTaskRegressor(**params).fit(*data)
    said = MultiTaskRegressor(module_lr=0.01, module_weight_decay=0.1, **params).fit(*data)
    assert len(said.net_.optimizer_.param_groups) == 1
    assert np.array_equal(plain.predict(data[0]), said.predict(data[0]))
    assert "module_lr" not in said.history_


@pytest.mark.parametrize("schedule", ["cosine", "constant"])
def test_each_group_has_its_own_rate_times_the_schedule(data, schedule):
    params = {"lr": 0.01, "module_lr": 0.002, "module_weight_decay": 0.5, "lr_schedule": schedule}
    model = MultiTaskRegressor(**params, **SMALL).fit(*data)
    heads, shared = model.net_.optimizer_.param_groups
    network = model.net_.module_
    assert {*map(id, heads["params"])} == {*map(id, network.heads.parameters())}
    assert {*map(id, shared["params"])} == {*map(id, network.sharing.parameters())}
    assert (heads["weight_decay"], shared["weight_decay"]) == (0.01, 0.5)
    factor = np.array([1.0, 0.75, 0.25]) if schedule == "cosine" else np.ones(3)
    # cos(pi / 3) to a rounding error
    np.testing.assert_allclose(model.history_["lr"], 0.01 * factor, rtol=1e-12)
    np.testing.assert_allclose(model.history_["module_lr"], 0.002 * factor, rtol=1e-12)


def test_rates_act_as_two_optimisers_would():
    """SGD without momentum: a step is rate times gradient, so rates scale the first step."""
    X = np.random.default_rng(0).normal(size=(8, 3))
    y = X @ np.ones((3, 2))
    params = {**SMALL, "optimizer": "sgd", "max_epochs": 2, "weight_decay": 0.0, "dropout": 0.0}
    params["lr_schedule"] = "constant"
    steps = {}
    for rate in (0.1, 0.2):
        seen = []

        class Recorder(Callback):
            def on_epoch_begin(self, net, *args, _seen=seen, **kwargs):
                _seen.append((weights(net.module_.sharing), weights(net.module_.heads)))

        model = MultiTaskRegressor(lr=0.1, module_lr=rate, callbacks=[Recorder()], **params)
        model.fit(X, y)
        shared, heads = (weights(p) for p in (model.net_.module_.sharing, model.net_.module_.heads))
        # the heads start at zero, so that the trunk's first step is zero at any rate
        steps[rate] = ({k: shared[k] - seen[1][0][k] for k in shared}, heads)
    for name, step in steps[0.1][0].items():
        # differences of float32 weights near 1
        torch.testing.assert_close(steps[0.2][0][name], 2 * step, rtol=1e-3, atol=1e-6)
    assert all(steps[0.2][1][name].equal(value) for name, value in steps[0.1][1].items())


def test_the_decay_of_what_tasks_share_is_its_own(data):
    X, y = data
    params = {**SMALL, "lr_schedule": "constant", "lr": 0.1, "max_epochs": 1}
    free = MultiTaskRegressor(module_lr=1e-12, weight_decay=0.5, module_weight_decay=0.0, **params)
    held = MultiTaskRegressor(module_lr=1e-2, weight_decay=0.0, module_weight_decay=50.0, **params)
    start = MultiTaskRegressor(module_lr=1e-12, weight_decay=0, module_weight_decay=0, **params)
    size = [
        sum(
            float(p.detach().square().sum())
            for p in model.fit(X, y).net_.module_.sharing.parameters()
        )
        for model in (free, held, start)
    ]
    assert size[1] < 0.1 * size[0]
    assert size[0] == pytest.approx(size[2], rel=1e-6)  # rates of 1e-12 move nothing else


def test_balancers_do_not_decay(data):
    params = {**SMALL, "balancing": "uncertainty", "lr": 1e-8, "lr_schedule": "constant"}
    model = MultiTaskRegressor(weight_decay=1e6, **params).fit(*data)
    own = list(model.net_.criterion_.parameters())
    assert own
    group = next(
        g for g in model.net_.optimizer_.param_groups if any(p is own[0] for p in g["params"])
    )
    assert group["weight_decay"] == 0.0
    assert len(group["params"]) == len(own)


def test_an_optimizers_own_groups_are_kept(data):
    def split(groups, lr, weight_decay):
        (group,) = groups
        first, *rest = group["params"]
        own = [{"params": [first], "lr": 0.5}, {"params": rest}]
        return torch.optim.SGD(own, lr=lr, weight_decay=weight_decay)

    model = MultiTaskRegressor(optimizer=split, lr=0.01, lr_schedule="constant", **SMALL).fit(*data)
    assert [group["lr"] for group in model.net_.optimizer_.param_groups] == [0.5, 0.01]


# -- going on -------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_rates_may_part_and_meet_again_while_training_goes_on(data, optimizer):
    X, y = data
    model = MultiTaskRegressor(optimizer=optimizer, lr=1e-3, **SMALL).fit(X, y)
    for rate, decay, n_groups in ((0.01, None, 2), (None, 0.5, 2), (None, None, 1)):
        model.set_params(module_lr=rate, module_weight_decay=decay).partial_fit(X, y)
        assert len(model.net_.optimizer_.param_groups) == n_groups
        other = pickle.loads(pickle.dumps(model))
        assert np.array_equal(
            model.partial_fit(X, y).predict(X), other.partial_fit(X, y).predict(X)
        )
    assert model.history_["module_lr"].tolist() == pytest.approx(
        [*model.history_["lr"][:3], 0.01, 0.01, 1e-3, 1e-3, 1e-3, 1e-3]
    )
    state = model.net_.optimizer_.state
    assert len(state) == (0 if optimizer == "sgd" else 6)
    if optimizer == "adamw":  # what it remembers went along: 5 batches an epoch, 9 epochs
        assert {float(entry["step"]) for entry in state.values()} == {45.0}


def test_a_new_decay_of_what_tasks_share_acts(data):
    X, y = data
    params = {**SMALL, "module_lr": 0.01, "warm_start": True, "lr_schedule": "constant"}
    model = MultiTaskRegressor(**params).fit(X, y)
    model.set_params(module_weight_decay=90.0).fit(X, y)
    assert max(float(p.detach().abs().max()) for p in model.net_.module_.sharing.parameters()) < 0.1


# -- freezing -------------------------------------------------------------------------------------


class Recorder(Callback):
    """Keeps the weights of sharing scheme and heads at the start of each epoch."""

    def __init__(self):
        self.seen = []

    def on_epoch_end(self, net, *args, **kwargs):
        self.seen.append((weights(net.module_.sharing), weights(net.module_.heads)))


def changes(seen):
    """Return whether (scheme, heads) changed in each epoch after the first."""
    return [
        tuple(any(not a[name].equal(b[name]) for name in a) for a, b in zip(old, new, strict=True))
        for old, new in pairwise(seen)
    ]


class Normalised(nn.Module):
    """A layer and its normalisation, which counts the rows that it saw."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.LazyLinear(4), nn.BatchNorm1d(4), nn.ReLU())

    def forward(self, x):
        return self.layers(x)


@pytest.mark.parametrize("module", [None, Normalised])
def test_what_tasks_share_learns_after_the_frozen_epochs(data, module):
    recorder = Recorder()
    model = MultiTaskRegressor(module=module, freeze_epochs=3, callbacks=[recorder],
                               **{**SMALL, "max_epochs": 5})  # fmt: skip
    model.fit(*data)
    assert changes(recorder.seen) == [(False, True), (False, True), (True, True), (True, True)]
    if module is Normalised:
        counts = [float(shared["trunk.module.layers.1.num_batches_tracked"])
                  for shared, _ in recorder.seen]  # fmt: skip
        assert counts == [0, 0, 0, 5, 10]  # five batches an epoch


def test_frozen_epochs_are_counted_over_calls(data):
    X, y = data
    params = {**SMALL, "freeze_epochs": 4, "max_epochs": 3}
    model = MultiTaskRegressor(warm_start=True, **params).fit(X, y)
    before = weights(model.net_.module_.sharing)
    model.partial_fit(X, y)
    assert not moved(before, model.net_.module_.sharing)
    model.partial_fit(X, y)
    assert moved(before, model.net_.module_.sharing)
    before = weights(model.net_.module_.sharing)
    model.set_params(freeze_epochs=9).fit(X, y)
    assert not moved(before, model.net_.module_.sharing)
    model.set_params(freeze_epochs=0).fit(X, y)
    assert moved(before, model.net_.module_.sharing)


def test_a_training_that_breaks_off_frozen_does_not_stay_so(data):
    class Break(Callback):
        def on_epoch_end(self, net, *args, **kwargs):
            raise RuntimeError("broken off")

    X, y = data
    model = MultiTaskRegressor(freeze_epochs=1, warm_start=True, callbacks=[Break()], **SMALL)
    with pytest.raises(RuntimeError, match="broken off"):
        model.fit(X, y)
    before = weights(model.net_.module_.sharing)
    model.set_params(callbacks=None).fit(X, y)
    assert moved(before, model.net_.module_.sharing)


def test_patience_does_not_run_out_before_the_training_proper(data):
    X, y = data
    params = {**SMALL, "max_epochs": 8, "early_stopping": True, "patience": 1, "tol": 0.9}
    assert MultiTaskRegressor(**params).fit(X, y).n_iter_ == 2
    assert MultiTaskRegressor(freeze_epochs=5, **params).fit(X, y).n_iter_ > 5


@pytest.mark.parametrize("balancing", BALANCING)
def test_every_balancer_trains_heads_on_a_frozen_trunk(data, balancing):
    X, y = data
    labels = {"a": y[:, 0], "b": np.where(y[:, 1] > 0, "yes", "no")}
    recorder = Recorder()
    params = {**SMALL, "max_epochs": 3, "freeze_epochs": 2, "callbacks": [recorder]}
    MultiTaskEstimator(balancing=balancing, **params).fit(X, labels)
    assert changes(recorder.seen) == [(False, True), (True, True)]


@pytest.mark.parametrize("sharing", SHARING)
def test_every_scheme_can_be_frozen(data, sharing):
    X, y = data
    labels = {"a": y[:, 0], "b": np.where(y[:, 1] > 0, "yes", "no")}
    recorder = Recorder()
    params = {**SMALL, "max_epochs": 3, "freeze_epochs": 2, "callbacks": [recorder]}
    MultiTaskEstimator(sharing=sharing, module_lr=1e-2, **params).fit(X, labels)
    assert changes(recorder.seen) == [(False, True), (True, True)]
