"""GradNorm against the equations of the paper, written out slowly."""

import numpy as np
import pytest
import torch

from sklearn_mtl.neural_network import GradNorm
from sklearn_mtl.nn import LossGraph

T = 3
ALPHA, RATE = 0.7, 0.1
SEEN = torch.tensor([True, False, True])


class Network:
    """Tasks of very different scale on one representation."""

    def __init__(self, seed=0):
        torch.manual_seed(seed)
        self.trunk = torch.nn.Linear(4, 5).double()
        self.heads = torch.nn.Linear(5, T).double()
        self.x = torch.randn(8, 4, dtype=torch.float64)
        self.y = torch.randn(8, T, dtype=torch.float64) * torch.tensor([0.3, 1.0, 3.0])

    def losses(self, observed=None, *, common=True):
        h = torch.tanh(self.trunk(self.x))
        losses = (self.heads(h) - self.y).square().mean(0)
        if observed is not None:
            losses = losses.masked_fill(~observed, 0.0)
        return losses, LossGraph(h if common else None, list(self.trunk.parameters()), None)

    def norms(self, *, common=True):
        """Return each loss's gradient norm, from a graph of its own, one task at a time."""
        norms = []
        for t in range(T):
            losses, graph = self.losses(common=common)
            at = [graph.common] if common else graph.shared_parameters
            gradients = torch.autograd.grad(losses[t], at)
            norms.append(float(torch.cat([g.flatten() for g in gradients]).norm()))
        return np.array(norms)


def reference_step(w, norms, losses, first):
    """Return the next weights: Chen et al. 2018, section 3.2, with L_grad over the mean norm."""
    G = w * norms  # G_W^(i)(t)
    G_mean = G.mean()
    progress = losses / first  # equation 1: the inverse training rate
    r = progress / progress.mean()  # relative
    slope = np.zeros_like(w)
    for i in range(len(w)):  # equation 2: d/dw_i |w_i g_i - target_i|, the target a constant
        difference = G[i] - G_mean * r[i] ** ALPHA
        slope[i] = np.sign(difference) * norms[i] / G_mean
    w = np.maximum(w - RATE * slope, 1e-3)
    return w * len(w) / w.sum()


def make(weight=(1.0, 1.0, 1.0)):
    return GradNorm(alpha=ALPHA, lr=RATE).build(torch.tensor(weight, dtype=torch.float64))


@pytest.mark.parametrize("common", [True, False])
def test_the_weights_are_those_of_the_paper(common):
    network, balancer = Network(), make()
    optimizer = torch.optim.SGD([*network.trunk.parameters(), *network.heads.parameters()], lr=0.02)
    w, first = np.ones(T), None
    for _ in range(25):
        losses, graph = network.losses(common=common)
        plain = losses.detach().numpy().copy()
        first = plain if first is None else first
        norms = network.norms(common=common)
        optimizer.zero_grad()
        balancer.backward(losses, None, graph)
        # this step has the weights of the last
        np.testing.assert_allclose(balancer.weight.numpy(), w, rtol=1e-9)
        expected = torch.tensor(w) @ network.losses()[0]
        parameters = [*network.trunk.parameters(), *network.heads.parameters()]
        for p, gradient in zip(parameters, torch.autograd.grad(expected, parameters), strict=True):
            torch.testing.assert_close(p.grad, gradient, rtol=1e-9, atol=1e-12)
        optimizer.step()
        w = reference_step(w, norms, plain, first)
        assert (w > 0).all()
        assert w.sum() == pytest.approx(T, rel=1e-12)
    assert w[0] > 1.2 * w[2]  # the task of small labels has the small gradients


def test_task_weights_multiply_the_weights_found():
    network, plain, weighted = Network(), make(), make((1.0, 0.0, 2.0))
    for _ in range(3):
        for balancer in (plain, weighted):
            losses, graph = network.losses()
            balancer.backward(losses, None, graph)
        factor = torch.tensor([1.0, 0.0, 2.0], dtype=torch.float64)
        torch.testing.assert_close(weighted.weight, plain.weight * factor, rtol=1e-12, atol=0)


def test_only_tasks_with_a_label_take_part():
    network, balancer = Network(), make()
    losses, graph = network.losses()
    balancer.backward(losses, None, graph)
    before = balancer.relative_weight.clone()
    losses, graph = network.losses(SEEN)
    balancer.backward(losses, SEEN, graph)
    after = balancer.relative_weight
    assert after[1] == before[1]
    assert (after[SEEN] != before[SEEN]).all()
    assert float(after.sum()) == pytest.approx(T, rel=1e-12)
    two = np.flatnonzero(SEEN.numpy())
    plain = network.losses()[0].detach().numpy()
    w = before.numpy()[two]
    expected = reference_step(w, network.norms()[two], plain[two], plain[two])
    np.testing.assert_allclose(after.numpy()[two], expected * w.sum() / 2, rtol=1e-9)


def test_weights_stay_where_tasks_share_nothing_or_gradients_are_zero():
    network, balancer = Network(), make()
    losses, _ = network.losses()
    balancer.backward(losses, None, LossGraph(None, [], None))
    assert balancer.relative_weight.tolist() == [1.0] * T
    with torch.no_grad():
        network.heads.weight.zero_()
    losses, graph = network.losses()
    balancer.backward(losses, None, graph)
    assert balancer.relative_weight.tolist() == [1.0] * T


def test_the_lag_of_a_task_counts_the_more_the_larger_alpha_is():
    found = []
    for alpha in (0.0, 3.0):
        network = Network()
        balancer = GradNorm(alpha=alpha, lr=0.02).build(torch.ones(T, dtype=torch.float64))
        balancer.first_losses = network.losses()[0].detach() * torch.tensor([1.0, 1.0, 5.0])
        for _ in range(200):
            losses, graph = network.losses()
            balancer.backward(losses, None, graph)
        norms = balancer.relative_weight.numpy() * network.norms()
        found.append(norms / norms.mean())
    # steps of 0.02 swing about the balance
    np.testing.assert_allclose(found[0], 1.0, rtol=0.1)
    assert found[1][2] < 0.3 * min(found[1][:2])
