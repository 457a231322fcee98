"""What every entry of BALANCING must be."""

import copy
import pickle

import pytest
import torch

from sklearn_mtl.neural_network import Balancing
from sklearn_mtl.nn import Balancer, LossGraph
from sklearn_mtl.nn._state import _to_numpy, _to_torch

LAMBDA = (1.0, 0.5, 2.0)
SEEN = torch.tensor([True, False, True])


class Problem:
    """Three losses, each a parabola in the weights that all share."""

    def __init__(self, seed=0, order=(0, 1, 2), dtype=torch.float64):
        torch.manual_seed(seed)
        n = len(order)
        self.sharing = torch.nn.Linear(2, 4, bias=False).to(dtype)
        self.heads = torch.nn.Linear(4, n).to(dtype)
        self.x = torch.randn(6, 2, dtype=dtype)
        self.y = torch.randn(6, n, dtype=dtype)[:, order]
        with torch.no_grad():
            for parameter in self.heads.parameters():
                parameter.copy_(parameter[list(order)])

    def losses(self, observed=None):
        representation = self.sharing(self.x)
        losses = (self.heads(representation) - self.y).square().mean(0)
        if observed is not None:
            losses = losses.masked_fill(~observed, 0.0)
        return losses, LossGraph(
            representation,
            list(self.sharing.parameters()),
            lambda: self.losses(observed)[0].detach(),
        )

    def parameters(self):
        return [*self.sharing.parameters(), *self.heads.parameters()]

    def gradients(self):
        return [p.grad.clone() for p in self.parameters()]

    def train(self, made, steps, observed=None, seed=0, epoch=3):
        """Take steps with plain gradient descent; return the weights of each."""
        torch.manual_seed(seed)
        optimizer = torch.optim.SGD([*self.parameters(), *made.parameters()], lr=0.02)
        weights = []
        for step in range(steps):
            optimizer.zero_grad()
            losses, graph = self.losses(observed)
            made.backward(losses, observed, graph)
            optimizer.step()
            made.after_step(graph)
            weights.append(made.weight.clone())
            if step % epoch == epoch - 1:
                unseen = torch.zeros_like(losses, dtype=bool) if observed is None else ~observed
                made.after_epoch(losses.detach().masked_fill(unseen, torch.nan))
        return torch.stack(weights)


def make(balancer, weight=LAMBDA, dtype=torch.float64):
    return balancer().build(torch.tensor(weight, dtype=dtype))


def same(one, other, **tolerance):
    torch.testing.assert_close(one, other, equal_nan=True, **tolerance)


def assert_is_a_balancer(balancer):
    assert issubclass(balancer, Balancing)
    made = make(balancer)
    assert isinstance(made, Balancer)
    assert made.task_weight.tolist() == list(LAMBDA)
    assert "task_weight" in made.state_dict()
    assert made.after_epoch(torch.ones(3, dtype=torch.float64)) is None
    assert "References" in balancer.__doc__


def assert_backward_gives_every_parameter_a_finite_gradient(balancer):
    for dtype in (torch.float64, torch.float32):
        problem = Problem(dtype=dtype)
        losses, graph = problem.losses()
        made = make(balancer, dtype=dtype)
        made.backward(losses, None, graph)
        assert made.weight.shape == (3,)
        assert made.weight.dtype == dtype
        for gradient in problem.gradients():
            assert gradient.dtype == dtype
            assert torch.isfinite(gradient).all()
            assert gradient.abs().sum() > 0


def assert_steps_lower_the_losses(balancer):
    problem, made = Problem(), make(balancer)
    before = problem.losses()[0].detach().sum()
    problem.train(made, 200)
    assert problem.losses()[0].sum() < before


def assert_a_task_without_labels_in_the_batch_leaves_its_head_alone(balancer):
    problem, made = Problem(), make(balancer)
    losses, graph = problem.losses(SEEN)
    made.backward(losses, SEEN, graph)
    weight, bias = problem.heads.weight.grad, problem.heads.bias.grad
    assert (weight[1] == 0).all()
    assert bias[1] == 0
    assert all(torch.isfinite(gradient).all() for gradient in problem.gradients())
    given = torch.isfinite(made.weight)
    assert not given.any() or (given | ~SEEN).all()


def assert_labels_that_come_and_go_poison_nothing(balancer):
    problem, made = Problem(), make(balancer)
    before = problem.losses()[0].detach().sum()
    for seed in range(60):
        torch.manual_seed(seed)
        problem.train(made, 3, observed=torch.rand(3) < 0.6, seed=seed)
    assert all(torch.isfinite(p).all() for p in [*problem.parameters(), *made.parameters()])
    assert problem.losses()[0].sum() < before


def assert_a_batch_that_has_all_labels_may_say_so_either_way(balancer):
    one, other = Problem(), Problem()
    everything = torch.ones(3, dtype=torch.bool)
    weights = one.train(make(balancer), 7)
    # the same sums in another order of operations
    same(other.train(make(balancer), 7, observed=everything), weights, rtol=1e-9, atol=1e-12)
    for p, q in zip(one.parameters(), other.parameters(), strict=True):
        same(p, q, rtol=1e-9, atol=1e-12)


def assert_a_task_of_weight_0_is_not_trained_and_does_not_stop_the_others(balancer):
    problem, made = Problem(), make(balancer, (1.0, 0.0, 2.0))
    before, start = problem.losses()[0].detach(), problem.heads.weight[1].detach().clone()
    problem.train(made, 200)
    after = problem.losses()[0].detach()
    assert torch.equal(problem.heads.weight[1], start)
    assert after[0] + after[2] < 0.9 * (before[0] + before[2])


def assert_a_loss_of_0_poisons_nothing(balancer):
    problem, made = Problem(), make(balancer)
    with torch.no_grad():
        problem.heads.weight[1] = 0.0
        problem.heads.bias[1] = 0.0
        problem.y[:, 1] = 0.0
    problem.train(made, 20)
    assert all(torch.isfinite(p).all() for p in [*problem.parameters(), *made.parameters()])


def assert_one_task_is_trained_as_by_itself(balancer):
    problem, made = Problem(order=(0,)), make(balancer, (1.0,))
    before = problem.losses()[0].detach()
    problem.train(made, 60)
    assert problem.losses()[0] < 0.9 * before


def assert_nothing_depends_on_the_order_of_the_tasks(balancer):
    order = [2, 0, 1]
    one, other, again = Problem(), Problem(order=order), Problem()
    made, moved = make(balancer), make(balancer, [LAMBDA[t] for t in order])
    # two trainings: their weights differ where the method draws numbers
    weights, drawn = one.train(made, 12), again.train(make(balancer), 12, seed=1)
    if not torch.equal(torch.nan_to_num(weights), torch.nan_to_num(drawn)) or not torch.equal(
        one.heads.weight, again.heads.weight
    ):
        pytest.skip("draws numbers, which the order of the tasks deals out otherwise")
    # iterative methods end their search elsewhere
    same(other.train(moved, 12), weights[:, order], rtol=1e-4, atol=1e-6)
    same(other.heads.weight, one.heads.weight[order], rtol=1e-4, atol=1e-6)


def assert_its_state_is_its_state_dict(balancer):
    problem, made = Problem(), make(balancer)
    problem.train(made, 7, observed=SEEN)
    problem.train(made, 7)
    stored = _to_numpy(made.state_dict())
    assert b"torch" not in pickle.dumps(stored)
    loaded = make(balancer)
    loaded.load_state_dict(_to_torch(pickle.loads(pickle.dumps(stored))))
    going_on = copy.deepcopy(problem)
    same(going_on.train(loaded, 5), problem.train(made, 5), rtol=0, atol=0)


def assert_a_copy_goes_its_own_way(balancer):
    problem, made = Problem(), make(balancer)
    problem.train(made, 7)
    copied, elsewhere = copy.deepcopy(made), copy.deepcopy(problem)
    expected = copy.deepcopy(problem).train(copy.deepcopy(made), 5)
    problem.train(made, 5)
    same(elsewhere.train(copied, 5), expected, rtol=0, atol=0)
