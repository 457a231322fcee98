"""The parts of the network around the heads: input scaling and the multilayer perceptron."""

import numpy as np
import pytest
import torch

from sklearn_mtl.nn import MLP
from sklearn_mtl.nn._module import InputScaler
from sklearn_mtl.nn.trunks import ACTIVATIONS


def test_scaling_far_from_zero_loses_no_digits():
    x = 1e6 + np.random.default_rng(0).normal(size=(50, 2))
    mean, scale = torch.tensor(x.mean(axis=0)), torch.tensor(x.std(axis=0))
    scaled = InputScaler(mean, scale)(torch.tensor(x)).to(torch.float32).numpy()
    # float64 until it is scaled: float32 alone would round 1e6 at 0.06
    np.testing.assert_allclose(scaled, (x - x.mean(axis=0)) / x.std(axis=0), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_an_mlp_is_its_formula(activation):
    torch.manual_seed(0)
    mlp = MLP(3, (5, 4), activation).double()
    x = torch.randn(6, 3, dtype=torch.float64)
    first, second = (stage[0] for stage in mlp.stages)
    function = ACTIVATIONS[activation]()
    for layer in (first, second):
        assert (layer.bias == 0).all()  # where they start; elsewhere they must show
        torch.nn.init.normal_(layer.bias)
    hidden = function(x @ first.weight.T + first.bias)
    expected = function(hidden @ second.weight.T + second.bias)
    # the same float64 operations: only the order of a sum may differ
    torch.testing.assert_close(mlp(x), expected, rtol=1e-12, atol=1e-14)
    assert mlp.n_outputs == 4


def test_without_layers_an_mlp_gives_its_input():
    x = torch.randn(6, 3)
    assert torch.equal(MLP(3, ())(x), x)
    assert MLP(3, ()).n_outputs == 3


@pytest.mark.parametrize("activation", ["relu", "tanh", "identity"])
def test_deep_networks_neither_fade_nor_blow_up(activation):
    torch.manual_seed(0)
    out = MLP(100, (300,) * 6, activation)(torch.randn(500, 100)).detach()
    # the gain keeps the mean square of a layer's output near 1 (relu: of 2 halves)
    assert 0.3 < float(out.square().mean()) < 2.0


def test_dropout_acts_in_training_alone():
    torch.manual_seed(0)
    mlp = MLP(3, (50,), "relu", dropout=0.5)
    x = torch.randn(20, 3)
    assert not torch.equal(mlp.train()(x), mlp(x))
    assert torch.equal(mlp.eval()(x), mlp(x))


def test_smooth_clipping_bounds_what_is_far_and_leaves_what_is_near():
    scaler = InputScaler(torch.tensor([1.0]).double(), torch.tensor([2.0]).double(), limit=3.0)
    x = torch.tensor([[1.0], [1.002], [1e9], [-1e9]], dtype=torch.float64)
    z = scaler(x)[:, 0]
    assert z[0] == 0
    assert float(z[1]) == pytest.approx(0.001, rel=1e-6)  # z²/18 is 6e-8
    assert z[2:].tolist() == pytest.approx([3.0, -3.0])


def test_dropout_of_inputs_acts_before_the_first_layer_alone():
    torch.manual_seed(0)
    mlp = MLP(3, (50,), "relu", input_dropout=0.5)
    plain = MLP(3, (50,), "relu")
    plain.load_state_dict(
        {key.replace("0.1.", "0.0."): value for key, value in mlp.state_dict().items()}
    )
    x = torch.randn(2000, 3)
    assert torch.equal(mlp.eval()(x), plain(x))
    hidden = mlp.train()(torch.ones(2000, 3))
    # a row's inputs are each 0 or 2: eight rows, whatever the width
    assert len(hidden.unique(dim=0)) == 8
    assert torch.equal(MLP(3, (), input_dropout=0.5).eval()(x), x)
