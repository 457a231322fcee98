"""Each scheme is what loops over tasks, experts and rows make of the same weights."""

import pytest
import torch
from _contracts._sharing import make, make_tasks, rows
from nn.sharing import _loops

from sklearn_mtl.neural_network import CGC, PLE, Cascade, CrossStitch, MMoE, SeparateNetworks
from sklearn_mtl.neural_network.sharing._dependencies import parents_of

# the same float64 terms, summed in another order
CLOSE = {"rtol": 1e-12, "atol": 1e-13}


@pytest.mark.parametrize("n_tasks", [1, 2, 5])
@pytest.mark.parametrize(
    ("scheme", "reference"),
    [
        (SeparateNetworks(), _loops.separate),
        (SeparateNetworks(width_scale=0.5), _loops.separate),
        (CrossStitch(), _loops.cross_stitch),
        (MMoE(), _loops.mmoe),
        (MMoE(n_experts=1), _loops.mmoe),
        (CGC(), _loops.ple),
        (PLE(), _loops.ple),
        (PLE(n_shared_experts=3, n_specific_experts=2, n_levels=3), _loops.ple),
        (PLE(n_shared_experts=2, n_specific_experts=0, n_levels=2), _loops.ple),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),  # functions without their address
)
def test_a_scheme_is_its_loops(scheme, reference, n_tasks):
    network, x = make(scheme, n_tasks), rows()
    values = network.represent(x).values
    torch.testing.assert_close(values, reference(network.sharing, x), **CLOSE)


GRAPHS = [
    None,
    {},
    {"task1": ["task0"]},
    {"task0": ["task4", "task2"], "task3": ["task2"], "task2": ["task1"]},
    {"task1": ["task0"], "task3": ["task2"]},
    {"task4": ["task3", "task2", "task1", "task0"]},
]


@pytest.mark.parametrize("reads", ["prediction", "representation"])
@pytest.mark.parametrize("depends_on", GRAPHS, ids=str)
def test_a_cascade_is_its_loop_over_the_graph(depends_on, reads):
    scheme = Cascade(depends_on, reads, width=4)
    network, x = make(scheme, 5), rows()
    names = [task.name for task in make_tasks(5)]
    expected = _loops.cascade(
        network.sharing, x, network.heads, parents_of(depends_on, names), reads
    )
    values = network.represent(x).values
    if depends_on == {}:
        values = values.expand(5, *values.shape)
    torch.testing.assert_close(values, expected, **CLOSE)


@pytest.mark.parametrize("reads", ["prediction", "representation"])
def test_a_cascade_reads_what_it_depends_on_and_nothing_else(reads):
    network, x = make(Cascade({"task2": ["task0"]}, reads), 4), rows()
    before = network.represent(x).values
    with torch.no_grad():
        for task, moved in ((1, False), (0, True)):
            columns = list(network.heads.columns[task])
            network.heads.weight[columns] += 1.0
            if reads == "representation" and task == 0:
                network.sharing.towers[0].outer.add_(1.0)
            after = network.represent(x).values
            assert torch.equal(after[[1, 3]], before[[1, 3]])
            assert torch.equal(after[2], before[2]) is not moved


def test_a_detached_cascade_leaves_the_tasks_it_reads_alone():
    x = rows(20)
    for detach in (False, True):
        network = make(Cascade({"task2": ["task0"]}, detach=detach), 3)
        outputs = network(x)
        outputs[:, list(network.heads.columns[2])].square().sum().backward()
        gradient = network.heads.weight.grad[list(network.heads.columns[0])]
        assert bool((gradient == 0).all()) is detach
