"""Networks whose trunk is a module of the user's, on images and other inputs."""

import copy
import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from torch import nn

from sklearn_mtl import (
    MultiTaskClassifier,
    MultiTaskEstimator,
    MultiTaskKFold,
    MultiTaskRegressor,
    MultiTaskTarget,
)
from sklearn_mtl.neural_network._statistics import input_statistics

SHORT = {"max_epochs": 2, "batch_size": 8, "random_state": 0}


class ConvNet(nn.Module):
    """Convolution, batch normalisation, dropout, and a lazily shaped layer."""

    def __init__(self, width=3):
        super().__init__()
        self.layers = nn.Sequential(
            nn.LazyConv2d(width, 3),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Flatten(),
            nn.LazyLinear(4),
        )

    def forward(self, x):
        return self.layers(x)


def make_images(n=30, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 2, 5, 5)) * [[[2.0]], [[0.5]]] + [[[10.0]], [[-3.0]]]


def make_labels(X):
    """Return a regression, a binary and a multiclass task, the first known for half of the rows."""
    level = X[:, 0].mean(axis=(1, 2))
    amount = level.copy()
    amount[::2] = np.nan
    return MultiTaskTarget(
        {
            "amount": amount,
            "sign": np.where(X[:, 1, 0, 0] > -3, "up", "down"),
            "band": np.digitize(level, [9.8, 10.2]),
        }
    )


def instance(seed=0):
    torch.manual_seed(seed)
    net = ConvNet()
    net(torch.zeros(2, 2, 5, 5))
    return net


def state_of(module):
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def trunk_of(model):
    return model.net_.module_.sharing.trunk.module


# -- inputs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_images_train_tasks_of_mixed_kinds_with_missing_labels(dtype):
    X = make_images()
    y = make_labels(X)
    model = MultiTaskEstimator(module=ConvNet, dtype=dtype, **SHORT).fit(X, y)
    predicted = model.predict(X)
    assert predicted["amount"].shape == (30,)
    assert set(predicted["sign"]) <= {"up", "down"}
    assert model.predict_proba(X)["band"].shape == (30, 3)
    assert np.isfinite(model.score(X, y))
    assert model.n_features_in_ == 2
    assert next(trunk_of(model).parameters()).dtype == getattr(torch, dtype)
    model.partial_fit(X[:5], y[:5])
    assert model.n_iter_ == 3


def test_tasks_may_have_images_of_their_own():
    X = make_images()
    rows = {"a": X[:12], "b": X[12:]}
    labels = {name: images[:, 0].mean(axis=(1, 2)) for name, images in rows.items()}
    model = MultiTaskRegressor(module=ConvNet, **SHORT).fit(rows, labels)
    assert [len(values) for values in model.predict(rows).values()] == [12, 18]
    with pytest.raises(ValueError, match=r"X of task 'b': X has inputs of shape \(2, 4, 5\)"):
        clone(model).fit({"a": X[:12], "b": X[12:, :, 1:]}, labels)


def test_long_form_reads_the_columns_beside_the_task():
    X = np.column_stack([np.repeat([0, 1], 10), np.random.default_rng(0).normal(size=(20, 3))])
    model = MultiTaskRegressor(module=nn.LazyLinear, module_params={"out_features": 2},
                               task_feature=0, **SHORT).fit(X, X[:, 1])  # fmt: skip
    assert model.predict(X).shape == (20,)
    assert trunk_of(model).in_features == 3


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float16, bool])
def test_numbers_of_few_bits_are_read_as_float32_which_holds_them(kind, monkeypatch):
    from sklearn_mtl.neural_network import _predictions

    read, read_rows = [], _predictions.read_rows

    def recorded(*args, **options):
        read.append(read_rows(*args, **options))
        return read[-1]

    monkeypatch.setattr(_predictions, "read_rows", recorded)
    X = np.random.default_rng(0).integers(0, 200, size=(12, 2, 5, 5)).astype(kind)
    MultiTaskRegressor(module=ConvNet, **SHORT).fit(X, np.arange(12.0))
    assert read[0].dtype == np.float32
    assert np.array_equal(read[0], X)


def test_predictions_of_a_row_do_not_depend_on_those_beside_it():
    X = make_images()
    model = MultiTaskRegressor(module=ConvNet, dtype="float64", **SHORT).fit(X, X[:, 0, 0])
    alone = np.concatenate([model.predict(row[None]) for row in X])
    # float64 sums in another order
    np.testing.assert_allclose(alone, model.predict(X), rtol=1e-10)


@pytest.mark.parametrize("weighted", [False, True])
def test_channels_are_scaled_over_rows_and_positions(weighted):
    X = make_images()
    mass = np.random.default_rng(1).uniform(0.5, 1.5, len(X)) if weighted else np.ones(len(X))
    mean, scale = input_statistics(X, mass)
    assert mean.shape == scale.shape == (2, 1, 1)
    for channel in range(2):
        values, weights = X[:, channel].ravel(), np.repeat(mass, 25)
        average = np.average(values, weights=weights)
        spread = np.sqrt(np.average((values - average) ** 2, weights=weights))
        # sums of 750 numbers in another order
        np.testing.assert_allclose([mean[channel, 0, 0], scale[channel, 0, 0]], [average, spread],
                                   rtol=1e-12)  # fmt: skip
    assert (input_statistics(np.full((4, 1, 3), 7.1), np.ones(4))[1] == 1).all()


def test_without_scaling_the_module_reads_what_came():
    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(10, 3)

        def forward(self, x):
            return self.table(x.long()).mean(1)

    X = np.random.default_rng(0).integers(0, 10, size=(20, 6))
    model = MultiTaskRegressor(module=Tokens, input_scaling=None, **SHORT)
    assert model.fit(X, (X == 3).sum(axis=1) * 1.0).predict(X).shape == (20,)
    images = make_images()
    seen = MultiTaskRegressor(module=ConvNet, input_scaling=None, **SHORT).fit(
        images, images[:, 0, 0]
    )
    assert seen.predict(images).shape == (30, 5)


@pytest.mark.parametrize("n", [1, 3])
def test_a_batch_of_one_row_does_not_stop_training(n):
    X = make_images(n)
    model = MultiTaskRegressor(module=ConvNet, **{**SHORT, "batch_size": 2}).fit(
        X, np.arange(1.0 * n)
    )
    assert np.isfinite(model.predict(X)).all()


# -- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(30, 2, 5, 4), (30, 1, 5, 5), (30, 50), (30, 2, 25)])
def test_inputs_of_another_shape_are_refused(shape):
    X = make_images()
    model = MultiTaskRegressor(module=ConvNet, **SHORT).fit(X, X[:, 0, 0])
    with pytest.raises(ValueError, match=r"fitted on inputs of shape \(2, 5, 5\)"):
        model.predict(np.zeros(shape))
    with pytest.raises(ValueError, match=r"fitted on inputs of shape \(2, 5, 5\)"):
        model.partial_fit(np.zeros(shape), X[:, 0, 0])


@pytest.mark.parametrize("own", [False, True])
def test_images_without_a_module_are_refused_with_advice(own):
    X = make_images()
    given = ({"a": X}, {"a": X[:, 0, 0, 0]}) if own else (X, X[:, 0, 0])
    with pytest.raises(ValueError, match=r"found shape \(30, 2, 5, 5\)\. Images .* need module="):
        MultiTaskRegressor().fit(*given)


def test_parameters_that_would_do_nothing_are_refused():
    X = make_images()
    y = X[:, 0, 0, 0]
    with pytest.raises(ValueError, match=r"module_params=.* are arguments for module, but"):
        MultiTaskRegressor(module_params={"width": 2}).fit(X[:, 0, 0], y)
    with pytest.raises(ValueError, match="numeric_embedding='periodic' is the first layer of the"):
        MultiTaskRegressor(module=ConvNet, numeric_embedding="periodic").fit(X, y)


def test_a_module_that_cannot_read_the_inputs_is_named():
    X = make_images()
    with pytest.raises(
        ValueError, match=r"module=Linear of MultiTaskRegressor fails on .*\(2, 5, 5\)"
    ):
        MultiTaskRegressor(module=nn.Linear(7, 3)).fit(X, X[:, 0, 0, 0])


# -- whose weights --------------------------------------------------------------------------------


def test_the_callers_instance_is_left_as_it_is():
    net = instance().eval()
    before = state_of(net)
    X = make_images()
    model = MultiTaskRegressor(module=net, **SHORT).fit(X, X[:, 0, 0])
    model.partial_fit(X, X[:, 0, 0])
    assert not net.training
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())
    assert all(parameter.grad is None for parameter in net.parameters())
    assert not torch.equal(before["layers.5.weight"], trunk_of(model).layers[5].weight)


def test_training_starts_from_the_weights_of_an_instance():
    net = instance()
    X = make_images()
    model = MultiTaskRegressor(module=net, **{**SHORT, "max_epochs": 1, "lr": 1e-30,
                               "weight_decay": 0.0}).fit(X, X[:, 0, 0])  # fmt: skip
    for name, parameter in trunk_of(model).named_parameters():
        assert torch.equal(parameter, net.get_parameter(name)), name


def test_layers_that_came_frozen_stay_frozen():
    net = instance()
    net.layers[0].requires_grad_(False)
    X = make_images()
    model = MultiTaskRegressor(module=net, freeze_epochs=1, **SHORT).fit(X, X[:, 0, 0])
    assert torch.equal(trunk_of(model).layers[0].weight, net.layers[0].weight)
    assert not torch.equal(trunk_of(model).layers[5].weight, net.layers[5].weight)


def test_what_becomes_of_an_instance_later_does_not_reach_the_model():
    net = instance()
    X = make_images()
    model = MultiTaskRegressor(module=net, **SHORT).fit(X, X[:, 0, 0])
    before = model.predict(X)
    net.layers[5] = nn.Linear(27, 9)
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict(X), before)


# -- travel, search, going on ---------------------------------------------------------------------


@pytest.mark.parametrize("module", [ConvNet, instance()], ids=["class", "instance"])
@pytest.mark.parametrize("travel", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_model_travels_and_goes_on_as_if_it_had_not(module, travel):
    X = make_images()
    y = make_labels(X)
    stays = MultiTaskEstimator(module=module, module_lr=1e-2, freeze_epochs=1, **SHORT).fit(X, y)
    travels = travel(stays)
    for model in (stays, travels):
        model.partial_fit(X, y)
    assert np.array_equal(stays.predict(X)["amount"], travels.predict(X)["amount"])
    assert np.array_equal(clone(travels).fit(X, y).predict(X)["band"],
                          clone(stays).fit(X, y).predict(X)["band"])  # fmt: skip


class LazyNet(nn.Module):
    """All of it lazily shaped, batch normalisation too."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.LazyConv2d(3, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(4)
        )

    def forward(self, x):
        return self.layers(x)


@pytest.mark.parametrize("travel", [clone, lambda model: pickle.loads(pickle.dumps(model))])
def test_an_instance_of_lazily_shaped_layers_is_copied_and_travels(travel):
    net = LazyNet()
    X = make_images()
    model = travel(MultiTaskRegressor(module=net, **SHORT)).fit(X, X[:, 0, 0])
    assert model.module is not net
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    for one in (net, model.module):  # the caller's, and the parameter
        assert type(one.layers[1]) is nn.LazyBatchNorm2d
    assert trunk_of(model).layers[1].num_batches_tracked == 8  # four batches an epoch


def test_another_module_cannot_be_trained_on():
    X = make_images()
    y = X[:, 0, 0]
    model = MultiTaskRegressor(module=instance(), warm_start=True, **SHORT).fit(X, y).fit(X, y)
    assert model.n_iter_ == 4
    with pytest.raises(
        ValueError, match=r"(?s)module is now another such object, but .* made with ConvNet"
    ):
        model.set_params(module=instance()).fit(X, y)
    weights = {"weights": np.arange(3.0)}
    model = MultiTaskRegressor(module=Weighted, module_params=weights, **SHORT).fit(X, y)
    model.set_params(module_params={"weights": np.arange(3.0)}).partial_fit(X, y)
    with pytest.raises(ValueError, match=r"module_params is now"):
        model.set_params(module_params={"weights": np.ones(3)}).partial_fit(X, y)


class Weighted(nn.Module):
    """Gives three sums of the input, weighted by an array."""

    def __init__(self, weights):
        super().__init__()
        self.weights = nn.Parameter(torch.tensor(weights))

    def forward(self, x):
        return x.flatten(1).sum(1, keepdim=True) * self.weights


def test_a_grid_reaches_into_the_module_and_into_other_processes():
    X = make_images()
    y = make_labels(X)
    model = MultiTaskEstimator(module=ConvNet, **SHORT)
    grid = {"module_params": [{"width": 2}, {"width": 3}], "module_lr": [None, 1e-2]}
    search = GridSearchCV(model, grid, cv=MultiTaskKFold(2), n_jobs=2, error_score="raise")
    search.fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert trunk_of(search.best_estimator_).layers[0].out_channels in (2, 3)


# -- with other parts -----------------------------------------------------------------------------


@pytest.mark.parametrize("network", [MultiTaskRegressor, MultiTaskClassifier])
def test_members_of_an_ensemble_have_backbones_of_their_own(network):
    X = make_images()
    y = X[:, 0, 0, 0] if network is MultiTaskRegressor else X[:, 0, 0, 0] > 10
    model = network(module=ConvNet, n_estimators=2, **SHORT).fit(X, y)
    weight = trunk_of(model).layers[5].weight
    assert weight.shape[0] == 2
    assert not torch.equal(weight[0], weight[1])
    counted = trunk_of(model).layers[1].num_batches_tracked
    assert counted.tolist() == [8, 8]  # four batches an epoch
    assert len(model.predict(X)) == 30


@pytest.mark.parametrize("module", [instance(), lambda: instance(seed=1)], ids=["instance", "same"])
def test_members_of_an_ensemble_that_would_start_equal_are_refused(module):
    X = make_images()
    with pytest.raises(
        ValueError, match=r"n_estimators=2 needs networks that start apart, .* pass"
    ):
        MultiTaskRegressor(module=module, n_estimators=2, **SHORT).fit(X, X[:, 0, 0])


@pytest.mark.parametrize("sharing", ["hard", "separate", "mmoe", "ple", "cascade", "soft"])
def test_every_scheme_takes_a_backbone(sharing):
    X = make_images()
    params = {"module": ConvNet, "module_lr": 1e-2, "freeze_epochs": 1, **SHORT}
    model = MultiTaskEstimator(sharing=sharing, **params).fit(X, make_labels(X))
    assert np.isfinite(model.score(X, make_labels(X)))


def test_torchvisions_resnet_is_a_backbone():
    models = pytest.importorskip("torchvision.models")
    net = models.resnet18(num_classes=5)
    X = np.random.default_rng(0).normal(size=(6, 3, 32, 32)).astype(np.float32)
    y = {"level": X.mean(axis=(1, 2, 3)), "sign": np.array(["a", "b"] * 3)}
    settings = {**SHORT, "max_epochs": 1}
    model = MultiTaskEstimator(module=net, module_lr=1e-4, freeze_epochs=1, **settings).fit(X, y)
    assert torch.equal(trunk_of(model).conv1.weight, net.conv1.weight)
    model.partial_fit(X, y)
    assert not torch.equal(trunk_of(model).conv1.weight, net.conv1.weight)
    assert model.predict(X)["level"].shape == (6,)
