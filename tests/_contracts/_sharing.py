"""What every entry of SHARING must be."""

import pickle

import torch

from sklearn_mtl.neural_network import Sharing
from sklearn_mtl.nn.trunks import TrunkFactory
from sklearn_mtl.tasks import TaskSpec


def make_trunk():
    return TrunkFactory(
        (3,), hidden_layer_sizes=(5, 4), activation="tanh", dropout=0.0, input_dropout=0.0, embedding=None,
        module=None, module_params=None, dtype=torch.float32, owner="MultiTaskRegressor",
    )  # fmt: skip


def make(scheme, n_tasks, seed=0):
    torch.manual_seed(seed)
    tasks = [TaskSpec(f"task{t}", "regression") for t in range(n_tasks)]
    return scheme().build(make_trunk(), tasks)


def assert_is_a_sharing_scheme(scheme):
    assert issubclass(scheme, Sharing)
    assert "References" in scheme.__doc__


def assert_output_is_one_representation_or_one_a_task(scheme):
    for n_tasks in (1, 3):
        shared = make(scheme, n_tasks)
        for n_rows in (1, 7):
            shape = shared(torch.randn(n_rows, 3)).shape
            assert shape in ((n_rows, 4), (n_tasks, n_rows, 4))


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
