"""How much a step for one task helps another, measured while training and without a trace."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn

from sklearn_mtl import MultiTaskClassifier, MultiTaskEstimator, MultiTaskRegressor
from sklearn_mtl.nn._affinity_meter import AffinityMeter

SMALL = {
    "hidden_layer_sizes": (6,),
    "max_epochs": 4,
    "batch_size": 15,
    "early_stopping": False,
    "random_state": 0,
    "n_estimators": 1,
    "dropout": 0.0,
    "input_dropout": 0.0,
    "numeric_embedding": None,
    "dtype": "float64",
}


def make_tasks(n=45, missing=0.0, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    w = np.array([[1, 0, 1, 0], [1, 0, 1, 0], [0, 1, 0, 1]])
    Y = X @ w.T + 0.3 * rng.normal(size=(n, 3))
    Y[rng.random(Y.shape) < missing] = np.nan
    return X, Y


class LinearTasks(nn.Module):
    """Predictions x W' A' by a shared matrix W and a head a_t a task."""

    def __init__(self, W, A):
        super().__init__()
        self.shared = nn.Parameter(torch.tensor(W))
        self.heads = nn.Parameter(torch.tensor(A))

    def losses(self, X, Y):
        return (X @ self.shared.T @ self.heads.T - Y).square().mean(0)


def affinity_by_formulas(W, A, X, Y, rate):
    """Equation 1 with gradients worked out by hand, in numpy."""
    n, n_tasks = Y.shape

    def loss(shared, t):
        return np.mean((X @ shared.T @ A[t] - Y[:, t]) ** 2)

    Z = np.empty((n_tasks, n_tasks))
    for i in range(n_tasks):
        error = X @ W.T @ A[i] - Y[:, i]
        gradient = 2 / n * np.outer(A[i], error @ X)
        for j in range(n_tasks):
            Z[i, j] = 1 - loss(W - rate * gradient, j) / loss(W, j)
    return Z


def test_one_measurement_is_the_equation_of_the_paper():
    rng = np.random.default_rng(0)
    W, A, X = rng.normal(size=(2, 4)), rng.normal(size=(3, 2)), rng.normal(size=(9, 4))
    Y = rng.normal(size=(9, 3))
    module = LinearTasks(W, A)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.05)
    measured = AffinityMeter(1)
    inputs, labels = torch.tensor(X), torch.tensor(Y)
    measured.measure(
        lambda: module.losses(inputs, labels), None, module, [module.shared], optimizer
    )
    # the same sums in another order
    np.testing.assert_allclose(
        measured.take(), affinity_by_formulas(W, A, X, Y, 0.05), rtol=1e-9, atol=1e-12
    )
    assert measured.take() is None


def test_pairs_without_a_common_batch_have_no_affinity_and_others_are_averaged():
    rng = np.random.default_rng(1)
    W, A = rng.normal(size=(2, 4)), rng.normal(size=(3, 2))
    module = LinearTasks(W, A)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.05)
    measured = AffinityMeter(1)
    expected = []
    for seen in ([True, True, False], [True, True, False], [False, False, True]):
        X, Y = rng.normal(size=(9, 4)), rng.normal(size=(9, 3))
        inputs, labels = torch.tensor(X), torch.tensor(Y)
        measured.measure(
            lambda x=inputs, y=labels: module.losses(x, y),
            torch.tensor(seen),
            module,
            [module.shared],
            optimizer,
        )
        expected.append(affinity_by_formulas(W, A, X, Y, 0.05))
    found = measured.take().numpy()
    np.testing.assert_allclose(found[:2, :2], np.mean(expected[:2], axis=0)[:2, :2], rtol=1e-9)
    np.testing.assert_allclose(found[2, 2], expected[2][2, 2], rtol=1e-9)
    assert np.isnan(found[:2, 2]).all()
    assert np.isnan(found[2, :2]).all()


class Recorder(Callback):
    """Keeps each step's batch and weights, and the function that gives losses."""

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        self.scale, self.steps = net.criterion_.batch_scale(X), []

    def on_grad_computed(self, net, batch=None, **kwargs):
        module, criterion = deepcopy(net.module_), deepcopy(net.criterion_)
        rate = net.optimizer_.param_groups[0]["lr"]
        self.steps.append((module, criterion, net.last_[0], rate))


def affinity_by_hand(recorder):
    """Step along one task's gradient, look at all losses, step back; a step at a time."""
    found = []
    for module, criterion, batch, rate in recorder.steps:
        shared = list(module.sharing.parameters())
        before = module.task_losses(batch, criterion, recorder.scale)[0].detach()
        Z = torch.empty(len(before), len(before), dtype=before.dtype)
        for i in range(len(before)):
            loss = module.task_losses(batch, criterion, recorder.scale)[0][i]
            gradients = torch.autograd.grad(loss, shared)
            stepped = deepcopy(module)
            with torch.no_grad():
                for p, g in zip(stepped.sharing.parameters(), gradients, strict=True):
                    p -= rate * g
                after = stepped.task_losses(batch, criterion, recorder.scale)[0]
            Z[i] = 1 - after / before
        found.append(Z.numpy())
    return np.array(found)


def test_history_is_the_mean_over_the_steps_of_each_epoch():
    X, Y = make_tasks()
    recorder = Recorder()
    params = {**SMALL, "lr": 0.05, "callbacks": [recorder]}
    model = MultiTaskRegressor(**params, task_affinity_every=1).fit(X, Y)
    by_hand = affinity_by_hand(recorder).reshape(4, 3, 3, 3).mean(axis=1)
    # float64, and Z is a difference of losses near 1
    np.testing.assert_allclose(model.history_["task_affinity"], by_hand, atol=1e-12)
    assert by_hand.max() > 1e-4  # far above that


def weights(model):
    return [p.detach().numpy().copy() for p in model.net_.module_.parameters()]


@pytest.mark.parametrize("sharing", ["hard", "cross_stitch", "mmoe", "ple", "cascade"])
@pytest.mark.parametrize("n_estimators", [1, 2])
def test_training_is_bit_equal_with_and_without_measuring(sharing, n_estimators):
    X, Y = make_tasks(missing=0.3)
    params = {**SMALL, "sharing": sharing, "n_estimators": n_estimators, "dropout": 0.3}
    params |= {"dtype": "float32", "max_epochs": 2}
    plain = MultiTaskRegressor(**params).fit(X, Y)
    measured = MultiTaskRegressor(**params, task_affinity_every=1).fit(X, Y)
    for before, after in zip(weights(plain), weights(measured), strict=True):
        np.testing.assert_array_equal(before, after)
    assert np.isfinite(measured.history_["task_affinity"]).all()
    assert "task_affinity" not in plain.history_


class Normalised(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Dropout(0.2))

    def forward(self, x):
        return self.layers(x)


@pytest.mark.parametrize("n_estimators", [1, 2])
def test_running_means_and_generators_are_left_as_they_were(n_estimators):
    X, Y = make_tasks()
    params = {**SMALL, "module": Normalised, "n_estimators": n_estimators, "dtype": "float32"}
    torch.manual_seed(3)
    plain = MultiTaskRegressor(**params).fit(X, Y)
    drawn = torch.rand(1)
    torch.manual_seed(3)
    measured = MultiTaskRegressor(**params, task_affinity_every=2).fit(X, Y)
    assert torch.rand(1) == drawn
    state = measured.net_.module_.state_dict()
    for name, value in plain.net_.module_.state_dict().items():
        assert torch.equal(value, state[name]), name


def learn_then_creep(epoch, max_epochs):
    return 1.0 if epoch < max_epochs - 1 else 1e-9


def test_the_same_dropout_is_drawn_before_and_after_the_step():
    X, Y = make_tasks()
    params = {**SMALL, "dropout": 0.5, "lr": 0.05, "lr_schedule": learn_then_creep}
    model = MultiTaskRegressor(**params, task_affinity_every=1).fit(X, Y)
    *_, learning, creeping = np.abs(model.history_["task_affinity"]).max(axis=(1, 2))
    # with masks of their own, losses would differ whatever the step
    assert creeping < 1e-6 < learning


@pytest.mark.parametrize("params", [{}, {"accumulation_steps": 2}, {"precision": "bf16"}])
def test_classes_and_mixed_kinds_are_measured(params):
    X, Y = make_tasks()
    y = {"value": Y[:, 0], "sign": np.where(Y[:, 1] > 0, "up", "down")}
    small = {**SMALL, "dtype": "float32", **params}
    model = MultiTaskEstimator(**small, task_affinity_every=1).fit(X, y)
    assert np.isfinite(model.history_["task_affinity"]).all()
    model = MultiTaskClassifier(**small, task_affinity_every=1).fit(X, Y > 0)
    assert np.isfinite(model.history_["task_affinity"]).all()


def test_tasks_with_rows_of_their_own_meet_in_batches():
    X, Y = make_tasks(n=60)
    own = {name: X[t::3] for t, name in enumerate("abc")}
    labels = {name: Y[t::3, t] for t, name in enumerate("abc")}
    params = {**SMALL, "hidden_layer_sizes": (3,), "max_epochs": 30, "lr": 0.01}
    model = MultiTaskRegressor(**params, task_affinity_every=1).fit(own, labels)
    found = model.history_["task_affinity"].mean(axis=0)
    # a and b are one function of X, c reads other columns
    assert min(found[0, 1], found[1, 0]) > max(found[:2, 2].max(), found[2, :2].max())


def test_a_measurement_is_taken_of_every_so_many_steps():
    X, Y = make_tasks()  # three batches an epoch
    model = MultiTaskRegressor(**SMALL, task_affinity_every=6).fit(X, Y)
    measured = np.isfinite(model.history_["task_affinity"]).all(axis=(1, 2))
    assert measured.tolist() == [False, True, False, True]


def test_frozen_layers_are_not_looked_ahead_along():
    X, Y = make_tasks()
    params = {**SMALL, "module": Normalised, "freeze_epochs": 2}
    model = MultiTaskRegressor(**params, task_affinity_every=1).fit(X, Y)
    measured = np.isfinite(model.history_["task_affinity"]).all(axis=(1, 2))
    assert measured.tolist() == [False, False, True, True]


@pytest.mark.parametrize("sharing", ["separate", "soft"])
def test_a_scheme_without_shared_parameters_is_refused(sharing):
    X, Y = make_tasks()
    model = MultiTaskRegressor(**SMALL, sharing=sharing, task_affinity_every=1)
    with pytest.raises(ValueError, match="gives no parameter to two tasks"):
        model.fit(X, Y)
