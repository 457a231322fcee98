"""What every entry of SHARING must be."""

import pickle

import numpy as np
import torch
from sklearn.base import clone
from torch import nn

from sklearn_mtl.neural_network import Sharing
from sklearn_mtl.nn import GroupedHeads, MultiTaskModule, SharingModule
from sklearn_mtl.nn._module import InputScaler
from sklearn_mtl.nn.trunks import TrunkFactory
from sklearn_mtl.tasks import TaskSpec
from sklearn_mtl.tasks._outputs import group_outputs

KINDS = ("regression", "binary", "multiclass")
CLASSES = {"regression": None, "binary": np.arange(2), "multiclass": np.arange(3)}


def make_trunk(**changes):
    return TrunkFactory(
        **{
            "input_shape": (3,), "hidden_layer_sizes": (5, 4), "activation": "tanh", "dropout": 0.0,
            "input_dropout": 0.0, "embedding": None, "module": None, "module_params": None,
            "dtype": torch.float64, "owner": "MultiTaskRegressor", **changes,
        }
    )  # fmt: skip


def backbone():
    """Return a small convolutional trunk of inputs (1, 4, 4), in two stages."""
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.Tanh()),
        nn.Sequential(nn.Flatten(), nn.Linear(32, 4), nn.Tanh()),
    )


def make_tasks(n_tasks):
    kinds = [KINDS[t % 3] for t in range(n_tasks)]
    return [TaskSpec(f"task{t}", kind, CLASSES[kind]) for t, kind in enumerate(kinds)]


def nudge(module, seed=0):
    """Move every parameter from its start, where some are zero or the same."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)
            parameter.add_(0.3 * noise)
    return module


def make(scheme, n_tasks, seed=0, nudged=True, **changes):
    """Return a network of that many tasks of mixed kinds under a scheme, in float64."""
    torch.manual_seed(seed)
    tasks, trunk = make_tasks(n_tasks), make_trunk(**changes)
    sharing = scheme if isinstance(scheme, Sharing) else scheme()
    shared = sharing.build(trunk, tasks).to(torch.float64)
    width = getattr(shared, "n_outputs", trunk.n_outputs)
    groups = group_outputs(tasks)
    n_outputs = sum(task.n_outputs for task in tasks)
    heads = GroupedHeads(width, groups, torch.zeros(n_outputs, dtype=torch.float64))
    scaler = InputScaler(torch.zeros(1), torch.ones(1))
    network = MultiTaskModule(scaler, shared, heads)
    return nudge(network, seed) if nudged else network


def rows(n=7, seed=0, shape=(3,)):
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(seed)).double()


def image(n=7, seed=0):
    return rows(n, seed, (1, 4, 4))


BACKBONE = {"module": backbone, "input_shape": (1, 4, 4)}


def assert_is_a_sharing_scheme(scheme):
    assert issubclass(scheme, Sharing)
    assert "References" in scheme.__doc__
    assert isinstance(make(scheme, 3).sharing, SharingModule)


def assert_its_parameters_are_its_identity(scheme):
    parameters = scheme().get_params()
    assert clone(scheme()).get_params() == parameters
    assert pickle.loads(pickle.dumps(scheme())).get_params() == parameters
    assert set(scheme._parameter_constraints) == set(parameters)


def assert_values_are_one_for_all_tasks_or_one_a_task(scheme):
    for changes, x_of in (({}, rows), (BACKBONE, image)):
        for n_tasks in (1, 3):
            network = make(scheme, n_tasks, **changes)
            for n_rows in (1, 7):
                values = network.represent(x_of(n_rows)).values
                assert values.shape in ((n_rows, 4), (n_tasks, n_rows, 4))
                assert values.dtype == torch.float64


def assert_rows_are_apart(scheme):
    for changes, x_of in (({}, rows), (BACKBONE, image)):
        network, x = make(scheme, 4, **changes), x_of()
        alone = torch.cat([network(row[None]) for row in x])
        # float64 products summed in another order
        torch.testing.assert_close(alone, network(x), rtol=1e-12, atol=1e-13)


def assert_a_row_of_one_task_gets_what_all_tasks_would(scheme):
    task = torch.tensor([2, 0, 3, 0, 0, 2, 4])  # task 1 has no row
    for changes, x_of in (({}, rows), (BACKBONE, image)):
        network, x = make(scheme, 5, **changes), x_of()
        values = network.represent(x).values
        expected = values if values.ndim == 2 else values[task, torch.arange(7)]
        # float64 products summed in another order
        own = network.represent(x, task).values
        torch.testing.assert_close(own, expected, rtol=1e-12, atol=1e-13)


def assert_every_parameter_is_trained(scheme):
    for changes, x_of in (({}, rows), (BACKBONE, image)):
        network = make(scheme, 3, **changes)
        network(x_of(20)).square().sum().backward()
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name


def assert_training_moves_every_parameter_from_its_start(scheme):
    network, x = make(scheme, 3, nudged=False), rows(20)
    start = {name: value.clone() for name, value in network.named_parameters()}
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    target = rows(20, seed=1)[:, :1]
    for _ in range(4):  # heads, then what they read, then what these read
        optimizer.zero_grad()
        (network(x) - target).square().mean().backward()
        optimizer.step()
    for name, value in network.named_parameters():
        assert not torch.equal(value, start[name]), name


def assert_shared_parameters_are_those_that_several_tasks_use(scheme):
    network, x = make(scheme, 3), rows(20)
    outputs = network.heads.blocks(network(x))
    used: dict[str, int] = {}
    for block in outputs:
        network.zero_grad()
        block.square().sum().backward(retain_graph=True)
        for name, parameter in network.sharing.named_parameters():
            reached = parameter.grad is not None and bool(parameter.grad.abs().sum() > 0)
            used[name] = used.get(name, 0) + reached
    shared = {id(parameter) for parameter in network.shared_parameters()}
    for name, parameter in network.sharing.named_parameters():
        if used[name] < 2:  # one tensor may hold a part for each task, and be used by all
            assert id(parameter) not in shared, name
    assert len(shared) == len(network.shared_parameters())


def assert_losses_go_through_what_is_common(scheme):
    network, x = make(scheme, 3), rows(20)
    values, common, _ = network.represent(x)
    if common is None:
        return
    blocks = network.heads.blocks(network.heads(values))
    for block in blocks:
        (gradient,) = torch.autograd.grad(block.square().sum(), common, retain_graph=True)
        assert gradient.abs().sum() > 0
    # what the shared parameters before it get is what flows back from it
    total = sum(block.square().sum() for block in blocks)
    before = [
        parameter
        for parameter in network.shared_parameters()
        if torch.autograd.grad(common.sum(), parameter, retain_graph=True, allow_unused=True)[0]
        is not None
    ]
    assert before
    (at_common,) = torch.autograd.grad(total, common, retain_graph=True)
    expected = torch.autograd.grad(total, before, retain_graph=True)
    through = torch.autograd.grad(common, before, at_common)
    for one, other in zip(through, expected, strict=True):
        # float64 sums in another order
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


def assert_copies_start_apart(scheme):
    network = make(scheme, 3, nudged=False)
    for name, value in network.sharing.named_parameters():
        if value.ndim == 3 and len(value) > 1 and value.abs().sum() > 0:
            assert not torch.equal(value[0], value[1]), name


def assert_its_state_is_its_state_dict(scheme):
    x = rows()
    one, other = make(scheme, 3, seed=0), make(scheme, 3, seed=1)
    assert not torch.equal(one(x), other(x))
    other.load_state_dict(pickle.loads(pickle.dumps(one.state_dict())))
    assert torch.equal(one(x), other(x))
