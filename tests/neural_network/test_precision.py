"""Mixed precision and compiled networks."""

import pickle
from functools import partial

import numpy as np
import pytest
import torch
from _plain import PLAIN
from torchjd.aggregation import Aggregator

from sklearn_mtl import MultiTaskEstimator, MultiTaskRegressor
from sklearn_mtl.neural_network import MGDA, FairGrad, NashMTL
from sklearn_mtl.nn._precision import Precision

SMALL = {
    **PLAIN,
    "hidden_layer_sizes": (16, 16),
    "dropout": 0.1,
    "max_epochs": 10,
    "batch_size": 16,
    "random_state": 0,
}


def data(n=80):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 4))
    latent = X @ rng.normal(size=(4, 3))
    price = latent[:, 0].copy()
    price[: n // 5] = np.nan
    kind = np.array(["a", "b", "c"])[np.digitize(latent[:, 2], [-0.7, 0.7])]
    return X, {"price": price, "good": latent[:, 1] > 0, "kind": kind}


class Watched(torch.nn.Module):
    """A trunk that notes in which precision its products come out."""

    seen: set = set()

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(4, 16)

    def forward(self, x):
        out = self.linear(x)
        Watched.seen.add((self.training, out.dtype))
        return out.tanh()


@pytest.mark.parametrize("n_estimators", [1, 3])
@pytest.mark.parametrize(("precision", "dtype"), [("bf16", torch.bfloat16), ("16", torch.float16)])
def test_training_is_in_16_bits_and_ends_near_that_in_32(precision, dtype, n_estimators):
    X, y = data()
    parameters = {**SMALL, "n_estimators": n_estimators, "numeric_embedding": "periodic"}
    full = MultiTaskEstimator(**parameters).fit(X, y)
    mixed = MultiTaskEstimator(**parameters, precision=precision).fit(X, y)
    for name, losses in mixed.history_["train"].items():
        # a first mean loss, before rounding adds up; 8 bits of digits in bf16
        assert losses[0] == pytest.approx(full.history_["train"][name][0], rel=0.05)
        assert losses[-1] < losses[0]
        assert losses[-1] != full.history_["train"][name][-1]
    assert {weight.dtype for weight in mixed.net_.module_.parameters()} == {torch.float32}
    # predictions are in full precision: rows alone as rows together
    price = mixed.predict(X)["price"]
    np.testing.assert_allclose(mixed.predict(X[:1])["price"], price[:1], rtol=1e-12)


@pytest.mark.parametrize("precision", ["32", "bf16", "16"])
def test_products_are_lower_in_training_alone(precision):
    X, y = data()
    Watched.seen = set()
    parameters = {**SMALL, "max_epochs": 2, "early_stopping": True}
    MultiTaskEstimator(**parameters, module=Watched, precision=precision).fit(X, y).predict(X)
    lower = {"32": torch.float32, "bf16": torch.bfloat16, "16": torch.float16}[precision]
    assert {dtype for training, dtype in Watched.seen if training} == {lower}
    assert {dtype for training, dtype in Watched.seen if not training} <= {
        torch.float32,
        torch.float64,
    }


@pytest.mark.parametrize("balancing", ["uncertainty", "gradnorm", "pcgrad"])
def test_balancing_sees_losses_as_they_are(balancing):
    X, y = data()
    parameters = {**SMALL, "dropout": 0.0, "max_epochs": 3, "balancing": balancing}
    full = MultiTaskEstimator(**parameters).fit(X, y)
    mixed = MultiTaskEstimator(**parameters, precision="16").fit(X, y)
    for name, weight in full.history_["weight"].items():
        # 11 bits of digits in the gradients that some weights come from
        np.testing.assert_allclose(mixed.history_["weight"][name], weight, rtol=0.05)


class OfUnitLength(Aggregator):
    """The mean gradient, shortened to a fixed length."""

    def forward(self, matrix, /):
        mean = matrix.mean(0)
        return 0.1 * mean / mean.norm().clamp(min=1e-12)


@pytest.mark.parametrize("sharing", ["hard", "mmoe", "cross_stitch"])
@pytest.mark.parametrize("balancing", [NashMTL(max_norm=0.05), FairGrad(alpha=2.0), OfUnitLength()])
def test_gradient_methods_see_gradients_as_they_are(balancing, sharing):
    X, y = data()
    parameters = {**SMALL, "dropout": 0.0, "optimizer": "sgd", "lr": 0.01, "max_epochs": 3}
    parameters |= {"balancing": balancing, "sharing": sharing}
    full = MultiTaskEstimator(**parameters).fit(X, y)
    mixed = MultiTaskEstimator(**parameters, precision="16").fit(X, y)
    untrained = MultiTaskEstimator(**{**parameters, "lr": 1e-12}).fit(X, y)
    moved, wanted = (
        torch.cat(
            [
                (p - start).detach().flatten()
                for p, start in zip(
                    model.net_.module_.sharing.parameters(),
                    untrained.net_.module_.sharing.parameters(),
                    strict=True,
                )
            ]
        )
        for model in (mixed, full)
    )
    # 11 bits of digits in each product
    torch.testing.assert_close(moved.norm(), wanted.norm(), rtol=0.05, atol=0)


class Gaussian(torch.nn.Module):
    """Negative log-likelihood with a standard deviation that is learned."""

    def __init__(self):
        super().__init__()
        self.log_std = torch.nn.Parameter(torch.zeros(()))

    def forward(self, prediction, label):
        return 0.5 * (-2 * self.log_std).exp() * (prediction - label).square() + self.log_std


@pytest.mark.parametrize("balancing", ["equal", MGDA(gradients="exact"), "uncertainty"])
def test_what_a_loss_learns_takes_the_same_steps(balancing):
    X, y = data()
    parameters = {**SMALL, "dropout": 0.0, "optimizer": "sgd", "lr": 0.1, "max_epochs": 3}
    parameters |= {"balancing": balancing, "loss": {"price": Gaussian()}}
    full, mixed = (
        MultiTaskEstimator(**parameters, precision=precision).fit(X, y)
        for precision in ("32", "16")
    )
    (wanted,), (learned,) = (
        list(model.net_.criterion_.losses.parameters()) for model in (full, mixed)
    )
    assert wanted != 0
    torch.testing.assert_close(learned, wanted, rtol=0.05, atol=0)  # 11 bits in each product


def test_a_step_that_overflowed_is_left_out():
    precision = Precision(torch.float16, torch.device("cpu"))
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    balancer = torch.nn.Module()
    balancer.share = torch.nn.Parameter(torch.ones(()))
    optimizer.add_param_group({"params": [balancer.share]})

    def step(factor):
        optimizer.zero_grad()
        losses = precision.scaled(weight.square() * factor)
        assert torch.equal(losses, weight.square() * factor)  # as the balancer sees them
        (balancer.share * losses.detach().sum() + losses.sum()).backward()
        precision.unscale(optimizer, balancer)
        precision.step(optimizer)

    step(1.0)
    # 1 - 0.1 * 2: the gradient is what it is without the large factor
    torch.testing.assert_close(weight.detach(), torch.full((2,), 0.8), rtol=1e-6, atol=0)
    torch.testing.assert_close(balancer.share.detach(), torch.tensor(0.8), rtol=1e-6, atol=0)
    step(float("inf"))
    torch.testing.assert_close(weight.detach(), torch.full((2,), 0.8), rtol=1e-6, atol=0)


@pytest.mark.parametrize("precision", ["bf16", "16"])
def test_float64_and_16_bits_exclude_one_another(precision):
    X, y = data()
    with pytest.raises(ValueError, match=r"precision='.*' rounds .* dtype='float64'"):
        MultiTaskEstimator(**SMALL, precision=precision, dtype="float64").fit(X, y)


def test_another_precision_is_another_network():
    X, y = data()
    model = MultiTaskEstimator(**SMALL).fit(X, y)
    with pytest.raises(ValueError, match="precision is now 'bf16'"):
        model.set_params(precision="bf16").partial_fit(X, y)


def test_a_compiled_network_is_the_same_network(monkeypatch):
    # tracing is what may change results; g++ would take half a minute
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    torch._dynamo.reset()
    X, y = data(32)
    y = y["price"]
    parameters = {**SMALL, "max_epochs": 2, "dropout": 0.0, "dtype": "float64"}
    parameters["numeric_embedding"] = "auto"
    plain = MultiTaskRegressor(**parameters).fit(X, y)
    # "auto" is one network where it is compiled
    model = MultiTaskRegressor(**{**parameters, "n_estimators": "auto"}, compile=True).fit(X, y)
    assert torch._dynamo.utils.counters["frames"]["ok"] > 0
    state = model.net_.module_.state_dict()
    for name, tensor in plain.net_.module_.state_dict().items():
        # the same float64 operations
        torch.testing.assert_close(state[name], tensor, rtol=1e-12, atol=1e-14)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict(X[:5]), model.predict(X[:5]))


def test_several_networks_are_not_compiled():
    X, y = data()
    with pytest.raises(ValueError, match=r"compile=True .* n_estimators=2"):
        MultiTaskEstimator(**{**SMALL, "n_estimators": 2}, compile=True).fit(X, y)
