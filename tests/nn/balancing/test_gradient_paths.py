"""Where combined gradients go: through the representation, or exactly by shared parameters."""

import pickle

import numpy as np
import pytest
import torch
from torch import nn
from torchjd.aggregation import (
    MGDA,
    Aggregator,
    Constant,
    GradVac,
    Krum,
    Mean,
    PCGrad,
    UPGrad,
)
from torchjd.autojac import jac_to_grad, mtl_backward

from sklearn_mtl.neural_network.balancing import BALANCING, GradientBalancing
from sklearn_mtl.nn import GradientBalancer, LossGraph, MGDAWeights, NNLSProjector
from sklearn_mtl.nn.balancing import gradient_cosines, make_balancer

LAMBDA = torch.tensor([1.0, 0.5, 2.0], dtype=torch.float64)
WORDS = [word for word, kind in BALANCING.items() if issubclass(kind, GradientBalancing)]


class Problem:
    """Three tasks with heads of their own on one trunk of two layers."""

    def __init__(self):
        torch.manual_seed(0)
        self.trunk = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 4)).double()
        self.heads = nn.ModuleList([nn.Linear(4, 1) for _ in range(3)]).double()
        self.x = torch.randn(7, 3, dtype=torch.float64)
        self.y = torch.randn(7, 3, dtype=torch.float64)

    def losses(self, observed=None):
        common = self.trunk(self.x)
        outputs = torch.cat([head(common) for head in self.heads], dim=1)
        losses = (outputs - self.y).square().mean(0)
        if observed is not None:
            losses = losses.masked_fill(~observed, 0.0)
        return losses, common

    def graph(self, common):
        shared, own = list(self.trunk.parameters()), list(self.heads.parameters())
        return LossGraph(common, shared, lambda: None, own, scheme="SomeScheme")

    def step(self, balancer, observed=None, with_common=True):
        """Return the gradients of trunk and heads after one backward pass."""
        self.trunk.zero_grad()
        self.heads.zero_grad()
        losses, common = self.losses(observed)
        balancer.backward(losses, observed, self.graph(common if with_common else None))
        return [p.grad for p in self.trunk.parameters()], [p.grad for p in self.heads.parameters()]

    def own_gradients(self, observed=None):
        """Return each head's gradient of its own λ_t loss_t."""
        losses, _ = self.losses(observed)
        return torch.autograd.grad(losses @ LAMBDA, list(self.heads.parameters()))

    def jacobian(self, tasks, by=None):
        """Return the gradients of λ_t loss_t (S, n), one task after the other."""
        losses, common = self.losses()
        inputs = [common] if by == "common" else list(self.trunk.parameters())
        rows = []
        for t in tasks:
            parts = torch.autograd.grad(LAMBDA[t] * losses[t], inputs, retain_graph=True)
            rows.append(torch.cat([part.flatten() for part in parts]))
        return torch.stack(rows), common

    def through_trunk(self, common, vector):
        return torch.autograd.grad(common, list(self.trunk.parameters()), vector.view_as(common))


class Longest(Aggregator):
    """A user's own: the longest gradient, in no way a weighted sum to those who ask."""

    def forward(self, matrix, /):
        return matrix[matrix.norm(dim=1).argmax()]


AGGREGATORS = [MGDA(), PCGrad(), UPGrad(projector=NNLSProjector()), Mean(), Krum(0), Longest()]


def assert_equal(ones, others):
    for one, other in zip(ones, others, strict=True):
        # float64 sums in another order
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("with_common", [True, False])
@pytest.mark.parametrize("aggregator", AGGREGATORS, ids=lambda a: type(a).__name__)
def test_the_exact_path_is_torchjds_mtl_backward(aggregator, with_common):
    ours = make_balancer(aggregator, LAMBDA)
    ours.gradients = "exact"
    torch.manual_seed(1)
    trunk, heads = Problem().step(ours, with_common=with_common)
    theirs = Problem()
    losses, common = theirs.losses()
    mtl_backward(list(losses * LAMBDA), features=common, retain_graph=True)
    torch.manual_seed(1)  # PCGrad draws orders
    jac_to_grad(list(theirs.trunk.parameters()), aggregator)
    assert_equal(trunk, [p.grad for p in theirs.trunk.parameters()])
    assert_equal(heads, [p.grad for p in theirs.heads.parameters()])


@pytest.mark.parametrize("aggregator", AGGREGATORS, ids=lambda a: type(a).__name__)
def test_the_representation_path_is_a_slow_loop(aggregator):
    ours = make_balancer(aggregator, LAMBDA)
    torch.manual_seed(1)
    trunk, heads = Problem().step(ours)
    slow = Problem()
    jacobian, common = slow.jacobian(range(3), by="common")
    torch.manual_seed(1)
    assert_equal(trunk, slow.through_trunk(common, aggregator(jacobian)))
    assert_equal(heads, slow.own_gradients())


@pytest.mark.parametrize("gradients", ["exact", "representation"])
@pytest.mark.parametrize("word", WORDS)
def test_tasks_without_a_label_are_left_out(word, gradients):
    observed = torch.tensor([True, False, True])
    kind = BALANCING[word]
    balancer = kind(gradients=gradients).build(LAMBDA)
    trunk, heads = Problem().step(balancer, observed)
    slow = Problem()
    by = "common" if gradients == "representation" else None
    jacobian, common = slow.jacobian([0, 2], by)
    same = kind(gradients=gradients).build(LAMBDA)
    if word == "graddrop":
        assert balancer.weight.isnan().all()  # a coordinate at a time, it draws its own numbers
    else:
        weights = balancer.weight[observed] / LAMBDA[observed]
        assert balancer.weight.isnan().tolist() == [False, True, False]
        expected = same.method(jacobian @ jacobian.T, np.array([0, 2]))
        torch.testing.assert_close(weights, expected)
        vector = expected @ jacobian
        if by == "common":
            assert_equal(trunk, slow.through_trunk(common, vector))
        else:
            assert_equal([torch.cat([g.flatten() for g in trunk])], [vector])
    assert_equal(heads, slow.own_gradients(observed))


@pytest.mark.parametrize("gradients", ["exact", "representation"])
@pytest.mark.parametrize("word", WORDS)
def test_one_task_takes_a_plain_step(word, gradients):
    observed = torch.tensor([False, True, False])
    balancer = BALANCING[word](gradients=gradients).build(LAMBDA)
    trunk, heads = Problem().step(balancer, observed)
    plain = Problem()
    losses, _ = plain.losses(observed)
    (losses @ LAMBDA).backward()
    assert_equal(trunk, [p.grad for p in plain.trunk.parameters()])
    assert_equal(heads, [p.grad for p in plain.heads.parameters()])
    assert balancer.weight[1] == LAMBDA[1]
    assert balancer.weight[[0, 2]].isnan().all()


@pytest.mark.parametrize("gradients", ["exact", "representation"])
@pytest.mark.parametrize("word", WORDS)
def test_gradients_of_zero_stay_zero_and_heads_learn(word, gradients):
    problem = Problem()
    for parameter in problem.heads.parameters():
        nn.init.zeros_(parameter)  # as in a fresh network
    trunk, heads = problem.step(BALANCING[word](gradients=gradients).build(LAMBDA))
    assert all((gradient == 0).all() for gradient in trunk)
    assert_equal(heads, problem.own_gradients())


@pytest.mark.parametrize("gradients", ["exact", "representation"])
def test_gradients_are_added_to_those_at_hand(gradients):
    balancer = GradientBalancer(LAMBDA, MGDAWeights(), gradients)
    problem = Problem()
    once = [g.clone() for part in problem.step(balancer) for g in part]
    losses, common = problem.losses()
    balancer.backward(losses, None, problem.graph(common))
    parameters = [*problem.trunk.parameters(), *problem.heads.parameters()]
    assert_equal([p.grad for p in parameters], [2 * g for g in once])


@pytest.mark.parametrize("gradients", ["auto", "exact"])
def test_frozen_parameters_have_no_gradient(gradients):
    balancer = GradientBalancer(LAMBDA, MGDAWeights(), gradients)
    problem = Problem()
    problem.trunk[0].weight.requires_grad_(False)
    trunk, _ = problem.step(balancer)
    assert trunk[0] is None
    assert all(gradient is not None for gradient in trunk[1:])
    problem.trunk.requires_grad_(False)
    trunk, heads = problem.step(balancer)
    assert all(gradient is None for gradient in trunk)
    assert_equal(heads, problem.own_gradients())


def test_layers_that_cannot_be_batched_are_gone_through_in_turn():
    class Doubled(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return 2 * x

        @staticmethod
        def backward(ctx, gradient):
            return torch.from_numpy(2 * gradient.numpy())

    plain, odd = Problem(), Problem()
    odd.trunk.append(nn.Identity())
    odd.trunk[-1].forward = Doubled.apply
    plain.trunk.append(nn.Identity())
    plain.trunk[-1].forward = lambda x: 2 * x
    for gradients in ("exact", "representation"):
        balancer = GradientBalancer(LAMBDA, MGDAWeights(), gradients)
        for one, other in zip(plain.step(balancer), odd.step(balancer), strict=True):
            assert_equal(one, other)


def test_a_scheme_without_a_common_representation_is_refused_where_it_is_asked_for():
    balancer = GradientBalancer(LAMBDA, MGDAWeights(), "representation")
    with pytest.raises(ValueError, match=r"SomeScheme has none; set gradients='exact' or 'auto'"):
        Problem().step(balancer, with_common=False)


def test_an_aggregator_made_for_other_numbers_of_tasks_is_an_error_that_says_so():
    balancer = make_balancer(Constant(torch.ones(3, dtype=torch.float64)), LAMBDA)
    trunk, _ = Problem().step(balancer)
    assert trunk[0] is not None
    with pytest.raises(ValueError, match=r"cannot combine the gradients of 2 of 3 tasks"):
        Problem().step(balancer, torch.tensor([True, True, False]))


def test_a_loss_that_is_no_number_reaches_the_training_loop():
    balancer = GradientBalancer(LAMBDA, MGDAWeights())
    problem = Problem()
    problem.y[0, 1] = torch.nan
    trunk, _ = problem.step(balancer)
    assert trunk[0].isnan().any()


@pytest.mark.parametrize("method", [GradVac(), BALANCING["gradvac"](), BALANCING["nash_mtl"]()])
def test_state_goes_on_where_it_was_saved(method):
    going_on, problem = make_balancer(method, LAMBDA), Problem()
    for _ in range(3):
        problem.step(going_on)
    state = pickle.loads(pickle.dumps(going_on.state_dict()))
    restored = make_balancer(method, LAMBDA)
    restored.load_state_dict(state)
    fresh = make_balancer(method, LAMBDA)
    steps = []
    for balancer in (going_on, restored, fresh):
        torch.manual_seed(0)
        steps.append(Problem().step(balancer)[0])
    assert_equal(steps[0], steps[1])
    kept = vars(going_on.method)
    if "n_calls" in kept:
        assert restored.method.n_calls == going_on.method.n_calls == 4
    else:
        with pytest.raises(AssertionError):
            assert_equal(steps[0], steps[2])


def test_cosines_are_those_of_gradients_by_the_shared_parameters():
    problem = Problem()
    jacobian, _ = problem.jacobian(range(3))
    jacobian = jacobian / jacobian.norm(dim=1, keepdim=True)
    for with_common in (True, False):
        losses, common = problem.losses()
        cosines = gradient_cosines(losses, None, problem.graph(common if with_common else None))
        torch.testing.assert_close(cosines, jacobian @ jacobian.T)  # float64
    observed = torch.tensor([True, False, True])
    losses, common = problem.losses(observed)
    cosines = gradient_cosines(losses, observed, problem.graph(common))
    assert cosines[1].isnan().all()
    assert cosines[:, 1].isnan().all()
    torch.testing.assert_close(cosines[0, 2], (jacobian @ jacobian.T)[0, 2])
