"""What each scheme is where its parameters say there is nothing special about it."""

import pytest
import torch
from _contracts._sharing import make, make_trunk, rows

from sklearn_mtl.neural_network import (
    CGC,
    PLE,
    Cascade,
    CrossStitch,
    HardSharing,
    MMoE,
    SeparateNetworks,
    SoftSharing,
)
from sklearn_mtl.neural_network.sharing import SHARING

# the same float64 terms, summed in another order
CLOSE = {"rtol": 1e-12, "atol": 1e-13}


def copy_weights(target, source):
    """Give a stacked MLP of one copy the weights of a plain one."""
    with torch.no_grad():
        for one, other in zip(target.stages, source.stages, strict=True):
            one[0].weight.copy_(other[0].weight.T[None])
            one[0].bias.copy_(other[0].bias[None, None])


def test_gates_sum_to_one_and_start_even():
    x = rows()
    for nudged in (False, True):
        weights = make(MMoE(n_experts=3), 4, nudged=nudged).sharing.gates(x)
        assert weights.shape == (7, 4, 3)
        torch.testing.assert_close(weights.sum(-1), torch.ones(7, 4).double(), **CLOSE)
        assert bool(torch.allclose(weights, torch.tensor(1 / 3).double())) is not nudged


def test_one_expert_is_hard_sharing():
    hard, mixture, x = make(HardSharing(), 3), make(MMoE(n_experts=1), 3), rows()
    copy_weights(mixture.sharing.experts, hard.sharing.trunk)
    values = mixture.represent(x).values
    torch.testing.assert_close(values, hard.represent(x).values.expand(3, 7, 4), **CLOSE)


@pytest.mark.parametrize(
    "scheme", [CGC(n_shared_experts=3, n_specific_experts=0), PLE(3, 0, n_levels=1)], ids=str
)
def test_one_level_without_specific_experts_is_a_mixture_of_experts(scheme):
    mixture, extraction, x = make(MMoE(n_experts=3), 4), make(scheme, 4), rows()
    (level,) = extraction.sharing.levels
    level.shared.load_state_dict(mixture.sharing.experts.state_dict())
    level.gates.load_state_dict(mixture.sharing.gates.state_dict())
    values, common, _ = mixture.represent(x)
    assert torch.equal(extraction.represent(x).values, values)
    assert torch.equal(extraction.represent(x).common, common)
    task = torch.tensor([0, 3, 1, 1, 2, 0, 3])
    assert torch.equal(extraction.represent(x, task).values, mixture.represent(x, task).values)


def test_one_level_of_extraction_is_customized_gate_control():
    one, other = make(PLE(2, 1, n_levels=1), 3), make(CGC(2, 1), 3)
    assert torch.equal(one(rows()), other(rows()))


def test_units_that_keep_to_themselves_are_separate_networks():
    stitched, apart, x = make(CrossStitch(1.0), 3), make(SeparateNetworks(), 3), rows()
    with torch.no_grad():
        for unit in stitched.sharing.units:
            unit.copy_(torch.eye(3))
    stitched.sharing.stages.load_state_dict(apart.sharing.trunks.stages.state_dict())
    torch.testing.assert_close(stitched.represent(x).values, apart.represent(x).values, **CLOSE)


def test_units_start_near_the_identity():
    units = make(CrossStitch(0.7), 4, nudged=False).sharing.units
    assert len(units) == 2
    for unit in units:
        # float32 until the network is cast to its precision
        torch.testing.assert_close(unit.diagonal(), torch.full((4,), 0.7).double())
        torch.testing.assert_close(unit.sum(1), torch.ones(4).double())
    assert make(CrossStitch(0.7), 1, nudged=False).sharing.units[0].tolist() == [[1.0]]


@pytest.mark.parametrize("reads", ["prediction", "representation"])
def test_a_cascade_without_edges_is_hard_sharing(reads):
    hard, cascade, x = make(HardSharing(), 4), make(Cascade({}, reads), 4), rows()
    cascade.load_state_dict(hard.state_dict())
    assert torch.equal(cascade(x), hard(x))


def test_a_cascade_starts_from_hard_sharing():
    cascade, x = make(Cascade(reads="representation"), 4, nudged=False), rows()
    values, common, _ = cascade.represent(x)
    assert torch.equal(values, common.expand(4, 7, 4))


@pytest.mark.parametrize("name", SHARING)
def test_without_hidden_layers_tasks_read_mixtures_of_the_inputs(name):
    network, x = make(SHARING[name], 3, hidden_layer_sizes=()), rows()
    assert network.represent(x).values.shape in ((7, 3), (3, 7, 3))
    task = torch.tensor([0, 1, 1, 2, 0, 2, 1])
    assert network.represent(x, task).values.shape == (7, 3)


# -- equal size -----------------------------------------------------------------------------------


def size(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("n_tasks", [1, 2, 8])
@pytest.mark.parametrize("sizes", [(64,), (128, 128), (100, 20, 50)])
def test_equal_total_is_the_widest_that_is_no_larger_than_one_trunk(n_tasks, sizes):
    changes = {"hidden_layer_sizes": sizes, "input_shape": (10,)}
    budget = size(make(HardSharing(), n_tasks, **changes).sharing)
    module = make(SeparateNetworks("equal_total"), n_tasks, **changes).sharing
    assert size(module) <= budget
    widest = max(stage[0].weight.shape[2] for stage in module.trunks.stages)
    wider = make_trunk(**changes).resized((widest + 1) / max(sizes))
    assert n_tasks == 1 or size(wider(n_tasks)) > budget
    assert n_tasks > 1 or size(module) == budget


def test_equal_total_leaves_every_layer_a_unit():
    module = make(SeparateNetworks("equal_total"), 500).sharing
    assert [stage[0].weight.shape[2] for stage in module.trunks.stages] == [1, 1]


def test_making_narrower_trunks_draws_no_random_numbers_that_stay():
    torch.manual_seed(0)
    one = make(SeparateNetworks("equal_total"), 3).sharing.state_dict()
    widths = [stage.shape[-1] for key, stage in one.items() if key.endswith("weight")]
    same = make(SeparateNetworks(max(widths) / 5), 3).sharing.state_dict()
    assert all(torch.equal(value, same[key]) for key, value in one.items())


# -- penalties ------------------------------------------------------------------------------------


def layers(module):
    return [tensor for stage in module.trunks.stages for tensor in stage[0].parameters()]


def test_the_l2_penalty_is_half_the_mean_squared_distance_of_two_tasks():
    module = make(SoftSharing("l2", 0.3), 4).sharing
    expected = 0.3 * sum(
        (W[s] - W[t]).square().sum() / (2 * 4**2)
        for W in layers(module)
        for s in range(4)
        for t in range(4)
    )
    penalty = module.penalty()
    torch.testing.assert_close(penalty, expected, **CLOSE)
    gradients = torch.autograd.grad(penalty, layers(module))
    for one, other in zip(gradients, torch.autograd.grad(expected, layers(module)), strict=True):
        torch.testing.assert_close(one, other, **CLOSE)


def test_the_trace_norm_is_the_sum_of_singular_values():
    module = make(SoftSharing("trace_norm", 0.3), 4).sharing
    penalty = module.penalty()
    expected = 0.3 * sum(
        torch.linalg.matrix_norm(W.reshape(4, -1), ord="nuc") / 2 for W in layers(module)
    )
    torch.testing.assert_close(penalty, expected, **CLOSE)
    for W, gradient in zip(
        layers(module), torch.autograd.grad(penalty, layers(module)), strict=True
    ):
        left, _, right = torch.linalg.svd(W.reshape(4, -1), full_matrices=False)
        # the gradient is U V' where no singular value is zero; singular vectors lose some digits
        torch.testing.assert_close(
            gradient.reshape(4, -1), 0.15 * left @ right, rtol=1e-8, atol=1e-10
        )


@pytest.mark.parametrize("penalty", ["l2", "trace_norm"])
def test_equal_networks_have_the_penalty_of_one(penalty):
    one = make(SoftSharing(penalty, 1.0), 1).sharing
    many = make(SoftSharing(penalty, 1.0), 6).sharing
    with torch.no_grad():
        for W, same in zip(layers(many), layers(one), strict=True):
            W.copy_(same.expand_as(W))
    # sums of zeros, or of one singular value and five roundings of zero
    torch.testing.assert_close(many.penalty(), one.penalty(), rtol=1e-10, atol=1e-12)


def test_a_users_modules_are_tied_as_layers_are():
    from _contracts._sharing import BACKBONE

    module = make(SoftSharing("l2", 0.3), 3, **BACKBONE).sharing
    members = [list(member.parameters()) for member in module.trunks.members]
    expected = 0.3 * sum(
        torch.stack(same).var(dim=0, correction=0).sum() for same in zip(*members, strict=True)
    )
    torch.testing.assert_close(module.penalty(), expected, **CLOSE)
