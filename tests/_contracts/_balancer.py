"""What every entry of BALANCING must be."""

import torch

from sklearn_mtl.neural_network import Balancing
from sklearn_mtl.nn import Balancer, LossGraph

LAMBDA = (1.0, 0.5, 2.0)


class Problem:
    """Three losses, each a parabola in the weights that all share."""

    def __init__(self, seed=0):
        torch.manual_seed(seed)
        self.sharing = torch.nn.Linear(2, 4, bias=False).double()
        self.heads = torch.nn.Linear(4, 3).double()
        self.x = torch.randn(6, 2, dtype=torch.float64)
        self.y = torch.randn(6, 3, dtype=torch.float64)

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


def make(balancer):
    return balancer().build(torch.tensor(LAMBDA, dtype=torch.float64))


def assert_is_a_balancer(balancer):
    assert issubclass(balancer, Balancing)
    made = make(balancer)
    assert isinstance(made, Balancer)
    assert made.task_weight.tolist() == list(LAMBDA)
    assert "task_weight" in made.state_dict()
    assert made.after_epoch(torch.ones(3, dtype=torch.float64)) is None


def assert_backward_gives_every_parameter_a_finite_gradient(balancer):
    problem = Problem()
    losses, graph = problem.losses()
    make(balancer).backward(losses, None, graph)
    for gradient in problem.gradients():
        assert torch.isfinite(gradient).all()
        assert gradient.abs().sum() > 0


def assert_steps_lower_the_losses(balancer):
    problem, made = Problem(), make(balancer)
    optimizer = torch.optim.SGD(problem.parameters(), lr=0.05)
    before = problem.losses()[0].detach().sum()
    for _ in range(100):
        optimizer.zero_grad()
        losses, graph = problem.losses()
        made.backward(losses, None, graph)
        optimizer.step()
        made.after_step(graph)
    made.after_epoch(losses.detach())
    assert problem.losses()[0].sum() < before


def assert_a_task_without_labels_in_the_batch_leaves_its_head_alone(balancer):
    problem = Problem()
    observed = torch.tensor([True, False, True])
    losses, graph = problem.losses(observed)
    make(balancer).backward(losses, observed, graph)
    weight, bias = problem.heads.weight.grad, problem.heads.bias.grad
    assert (weight[1] == 0).all()
    assert bias[1] == 0
    assert all(torch.isfinite(gradient).all() for gradient in problem.gradients())
