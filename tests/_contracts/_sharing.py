"""What every entry of nn.SHARING must be."""

import pickle

import torch

from sklearn_mtl.nn import MLP, Sharing


def make_trunk():
    return MLP(3, (5, 4), "tanh")


def make(scheme, n_tasks, seed=0):
    torch.manual_seed(seed)
    return scheme(make_trunk, n_tasks)


def assert_is_a_sharing_scheme(scheme):
    assert issubclass(scheme, Sharing)
    assert "References" in scheme.__doc__


def assert_output_has_the_width_it_says(scheme):
    for n_tasks in (1, 3):
        shared = make(scheme, n_tasks)
        for n_rows in (1, 7):
            assert shared(torch.randn(n_rows, 3)).shape == (n_rows, shared.n_outputs)


def assert_rows_are_apart(scheme):
    shared = make(scheme, 3).double().eval()
    x = torch.randn(7, 3, dtype=torch.float64)
    alone = torch.cat([shared(row[None]) for row in x])
    # float64 products summed in another order
    torch.testing.assert_close(alone, shared(x), rtol=1e-12, atol=1e-14)


def assert_every_parameter_is_trained(scheme):
    shared = make(scheme, 3)
    shared(torch.randn(20, 3)).square().sum().backward()
    for name, parameter in shared.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def assert_its_state_is_its_state_dict(scheme):
    x = torch.randn(7, 3)
    one, other = make(scheme, 3, seed=0), make(scheme, 3, seed=1)
    assert not torch.equal(one(x), other(x))
    other.load_state_dict(pickle.loads(pickle.dumps(one.state_dict())))
    assert torch.equal(one(x), other(x))
