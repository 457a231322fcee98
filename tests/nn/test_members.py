"""Networks that are trained side by side are what each would be alone."""

import pickle
from copy import deepcopy

import numpy as np
import pytest
import torch

from sklearn_mtl.neural_network.sharing import SHARING
from sklearn_mtl.nn import GroupedHeads, MultiTaskModule
from sklearn_mtl.nn._batches import Batch
from sklearn_mtl.nn._criterion import MultiTaskCriterion
from sklearn_mtl.nn._gradient import scale_gradient
from sklearn_mtl.nn._members import Members
from sklearn_mtl.nn._module import InputScaler
from sklearn_mtl.nn.balancing import WeightedSum
from sklearn_mtl.nn.trunks import TrunkFactory
from sklearn_mtl.tasks import TaskSpec
from sklearn_mtl.tasks._outputs import group_outputs

M, T, B = 3, 4, 12
TASKS = [
    TaskSpec("price", "regression"),
    TaskSpec("good", "binary", np.array(["no", "yes"])),
    TaskSpec("kind", "multiclass", np.array(["x", "y", "z"])),
    TaskSpec("size", "regression"),
]


def networks(scheme, n=M):
    torch.manual_seed(0)
    make_trunk = TrunkFactory(
        (3,), hidden_layer_sizes=(5, 4), activation="tanh", dropout=0.0, input_dropout=0.0,
        embedding=None,
        module=None, module_params=None, dtype=torch.float64, owner="MultiTaskEstimator",
    )  # fmt: skip
    groups = group_outputs(TASKS)
    made = []
    for _ in range(n):
        sharing = SHARING[scheme]().build(make_trunk, TASKS).double()
        scaler = InputScaler(torch.tensor([1.0, 2.0, 3.0]).double(), torch.full((3,), 2.0).double())
        heads = GroupedHeads(4, groups, torch.randn(6, dtype=torch.float64))
        torch.nn.init.normal_(heads.weight)
        made.append(MultiTaskModule(scaler, sharing, heads))
    weight = torch.tensor([1.0, 0.5, 2.0, 1.5], dtype=torch.float64)
    unit = torch.tensor([1.0, 0.7, 1.1, 1.0], dtype=torch.float64)
    return made, MultiTaskCriterion(groups, unit, WeightedSum(weight))


def batch(own_rows=False):
    """Labels of all kinds, a third of them missing, or one task a row."""
    generator = torch.Generator().manual_seed(1)
    groups = group_outputs(TASKS)
    x = torch.randn(B, 3, dtype=torch.float64, generator=generator)
    labels, hidden, places = [], [], []
    task = torch.randint(T, (B,), generator=generator)
    for group in groups:
        shape = (B, 1 if own_rows else len(group.tasks))
        drawn = torch.randint(2, shape, generator=generator)
        labels.append(drawn if group.kind == "multiclass" else drawn.double())
        if own_rows:
            place = torch.zeros(B, dtype=torch.int64)
            for number, t in enumerate(group.tasks.tolist()):
                place[task == t] = number
            places.append(place)
            belongs = torch.isin(task, torch.as_tensor(group.tasks))
            hidden.append(~belongs[:, None])
        else:
            hidden.append(torch.rand(shape, generator=generator) < 1 / 3)
    nothing = [None] * len(groups)
    return Batch(x, labels, hidden, nothing, task if own_rows else None, places or None)


def scales():
    return [None] * len(group_outputs(TASKS))


@pytest.mark.parametrize("own_rows", [False, True], ids=["shared rows", "own rows"])
@pytest.mark.parametrize("batched", [True, False], ids=["at once", "in turn"])
@pytest.mark.parametrize("scheme", SHARING)
def test_losses_and_gradients_are_those_of_each_network_alone(scheme, batched, own_rows):
    alone, criterion = networks(scheme)
    members = Members(deepcopy(alone), batched=batched)
    rows = batch(own_rows)
    losses, _ = members.task_losses(rows, criterion, scales())
    each = [network.task_losses(rows, criterion, scales())[0] for network in alone]
    # float64 sums in another order, here and below
    torch.testing.assert_close(losses, torch.stack(each).mean(0), rtol=1e-12, atol=1e-14)

    weight = criterion.balancer.task_weight
    losses.backward(weight)
    for own in each:
        own.backward(weight)
    penalty = members.penalty()
    assert (penalty is None) == (alone[0].penalty() is None)
    if penalty is not None:
        penalty.backward()
        for network in alone:
            network.penalty().backward()
    for name, parameter in members.network.named_parameters():
        expected = [network.get_parameter(name) for network in alone]
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in expected]
        found = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        torch.testing.assert_close(found, torch.stack(gradients), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("batched", [True, False], ids=["at once", "in turn"])
@pytest.mark.parametrize("scheme", SHARING)
def test_outputs_are_those_of_each_network_alone(scheme, batched):
    alone, _ = networks(scheme)
    members = Members(deepcopy(alone), batched=batched).eval()
    x = torch.randn(7, 3, dtype=torch.float64)
    outputs = members(x)
    assert outputs.shape == (M, 7, 6)
    for network, own in zip(alone, outputs, strict=True):
        torch.testing.assert_close(own, network(x), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("scheme", SHARING)
def test_what_is_common_to_the_tasks_is_part_of_the_losses_graph(scheme):
    alone, criterion = networks(scheme)
    common = alone[0].task_losses(batch(), criterion, scales())[1]
    members = Members(deepcopy(alone), batched=True)
    losses, stacked = members.task_losses(batch(), criterion, scales())
    assert (stacked is None) == (common is None)
    if common is not None:
        assert stacked.shape == (M, *common.shape)
        (gradient,) = torch.autograd.grad(losses.sum(), stacked)
        assert gradient.abs().sum() > 0


def test_state_has_a_first_axis_over_members_and_survives_copies():
    alone, _ = networks("mmoe")
    members = Members(deepcopy(alone), batched=True)
    state = members.state_dict()
    for name, tensor in alone[0].state_dict().items():
        stacked = state["network." + name]
        assert stacked.shape == (tensor.shape if name.startswith("scaler.") else (M, *tensor.shape))
    x = torch.randn(7, 3, dtype=torch.float64)
    for copy in (deepcopy(members), pickle.loads(pickle.dumps(members))):
        assert torch.equal(copy(x), members(x))
        copy.heads.bias.data += 1.0
        assert not torch.equal(copy(x), members(x))
    single = deepcopy(members).to(torch.float32)
    assert single.dtype == torch.float32
    torch.testing.assert_close(single(x).double(), members(x), rtol=1e-4, atol=1e-5)  # float32


def test_shared_parameters_are_those_that_the_optimiser_has():
    members = Members(networks("hard")[0], batched=True)
    own = {id(parameter) for parameter in members.parameters()}
    shared = members.shared_parameters()
    assert shared
    assert {id(parameter) for parameter in shared} < own


@pytest.mark.parametrize("longest", [0.01, 0.5, 1e6])
def test_each_member_has_its_own_longest_gradient(longest):
    alone, criterion = networks("hard")
    for network, size in zip(alone, (0.1, 1.0, 10.0), strict=True):
        network.heads.weight.data *= size
    members = Members(deepcopy(alone), batched=True)
    members.task_losses(batch(), criterion, scales())[0].sum().backward()
    members.clip_gradients(longest)
    for m, network in enumerate(alone):
        network.task_losses(batch(), criterion, scales())[0].sum().backward()
        network.clip_gradients(longest)
        for name, parameter in network.named_parameters():
            found = members.network.get_parameter(name).grad[m]
            torch.testing.assert_close(found, parameter.grad, rtol=1e-10, atol=1e-14)


def test_scaling_a_gradient_leaves_the_value_and_its_second_derivative():
    x = torch.tensor([1.5, -2.0], dtype=torch.float64, requires_grad=True)
    y = scale_gradient(x**3, 4.0)
    assert torch.equal(y, x**3)
    (first,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    torch.testing.assert_close(first, 12 * x**2, rtol=1e-15, atol=0)
    (second,) = torch.autograd.grad(first.sum(), x)
    torch.testing.assert_close(second, 24 * x, rtol=1e-15, atol=0)
