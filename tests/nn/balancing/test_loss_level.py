"""Methods that weigh losses, against the formulas of their papers and torchjd's own objects."""

import copy
from itertools import pairwise
from math import exp, log

import pytest
import torch
from torchjd import scalarization

from sklearn_mtl.neural_network.balancing import BALANCING
from sklearn_mtl.nn import LossGraph, Scalarized, ScalarizedByEpoch
from sklearn_mtl.nn.balancing import make_balancer
from sklearn_mtl.nn.balancing._slopes import CLOSED_FORMS, by_autograd, slopes

# sums and products of numbers near 1 in float64, in another order
CLOSE = {"rtol": 1e-12, "atol": 1e-13}
ONES = (1.0, 1.0, 1.0)
SEEN = torch.tensor([True, False, True])
LOSSES = ([0.9, 1.3, 0.2], [0.8, 1.4, 0.1], [0.7, 0.9, 0.15], [0.5, 0.95, 0.12], [0.4, 0.8, 0.1])


def make(word, weight=ONES, **params):
    return BALANCING[word](**params).build(torch.tensor(weight, dtype=torch.float64))


def step(balancer, losses, observed=None, after=None):
    """Return the gradient that each loss gets, shape (T,)."""
    values = torch.tensor(losses, dtype=torch.float64, requires_grad=True)
    again = values if after is None else torch.tensor(after, dtype=torch.float64)
    graph = LossGraph(None, [], lambda: again.detach())
    seen = values if observed is None else values.masked_fill(~observed, 0.0)
    balancer.backward(seen, observed, graph)
    balancer.after_step(graph)
    return values.grad


def close(found, expected):
    expected = torch.as_tensor(expected, dtype=torch.float64)
    torch.testing.assert_close(found.detach(), expected, **CLOSE)


def mean(values):
    return sum(values) / len(values)


# -- the formulas ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("word", "sign"), [("uncertainty", -1.0), ("imtl_l", 1.0)])
def test_learned_scales_follow_gradient_descent_on_their_objective(word, sign):
    balancer = make(word, (1.0, 0.5, 2.0))
    (learned,) = balancer.parameters()
    optimizer = torch.optim.SGD([learned], lr=0.1)
    s = [0.0, 0.0, 0.0]
    for losses in LOSSES:
        optimizer.zero_grad()
        weights = [w * exp(sign * v) for w, v in zip((1.0, 0.5, 2.0), s, strict=True)]
        close(step(balancer, losses), weights)
        close(balancer.weight, weights)
        # d/ds (exp(±s) loss ∓ s)
        s = [v - 0.1 * sign * (exp(sign * v) * x - 1) for v, x in zip(s, losses, strict=True)]
        optimizer.step()
        close(learned, s)


def test_learned_scales_tend_to_the_inverse_of_the_losses():
    balancer = make("uncertainty")
    optimizer = torch.optim.SGD(balancer.parameters(), lr=0.2)
    for _ in range(300):
        optimizer.zero_grad()
        found = step(balancer, [0.5, 2.0, 4.0])
        optimizer.step()
    # gradient descent has gone 300 steps, its slowest rate being 0.2
    torch.testing.assert_close(found, torch.tensor([2.0, 0.5, 0.25]).double(), rtol=1e-6, atol=0)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_dwa_weighs_by_the_ratio_of_the_last_two_epochs(temperature):
    balancer = make("dwa", (1.0, 0.5, 2.0), temperature=temperature)
    for epoch, losses in enumerate(LOSSES):
        if epoch < 2:
            expected = [1.0, 1.0, 1.0]
        else:
            before, last = LOSSES[epoch - 2], LOSSES[epoch - 1]
            rates = [exp(b / a / temperature) for a, b in zip(before, last, strict=True)]
            expected = [3 * rate / sum(rates) for rate in rates]
            assert max(expected) > 1.01
        for _ in range(2):  # whatever its batches are
            close(step(balancer, [5.0, 0.1, 1.0]) / torch.tensor([1.0, 0.5, 2.0]), expected)
        balancer.after_epoch(torch.tensor(losses, dtype=torch.float64))


def test_a_task_without_labels_in_an_epoch_keeps_the_mean_it_had():
    balancer, other = make("dwa"), make("dwa")
    nan = float("nan")
    for with_gap, told in (([0.9, 1.3, nan], [0.9, 1.3, 1.0]), ([0.8, nan, 0.5], [0.8, 1.3, 0.5])):
        balancer.after_epoch(torch.tensor(with_gap, dtype=torch.float64))
        other.after_epoch(torch.tensor(told, dtype=torch.float64))
    close(step(balancer, LOSSES[0]), step(other, LOSSES[0]))
    assert balancer.weight.sum() == pytest.approx(3.0, rel=1e-12)


def test_stch_weighs_by_a_softmax_of_the_losses():
    weight = (1.0, 0.5, 2.0)
    balancer = make("stch", weight, smoothing=0.3)
    for losses in LOSSES:
        parts = [exp(w * x / (3 * 0.3)) for w, x in zip(weight, losses, strict=True)]
        close(
            step(balancer, losses),
            [3 * w * p / sum(parts) for w, p in zip(weight, parts, strict=True)],
        )


def test_stch_tends_to_the_largest_loss_and_to_equal_weights():
    close(step(make("stch", smoothing=1e-3), LOSSES[0]), [0.0, 3.0, 0.0])
    # exp(x / (3 * 1e9)) differs from 1 by 1e-9
    flat = step(make("stch", smoothing=1e9), LOSSES[0])
    torch.testing.assert_close(flat, torch.ones(3).double(), rtol=1e-8, atol=0)


def test_the_geometric_mean_has_this_gradient():
    weight = (1.0, 0.5, 2.0)
    balancer = make("geometric_mean", weight)
    for losses in LOSSES:
        middle = exp(mean([log(x) for x in losses]))
        close(step(balancer, losses), [w * middle / x for w, x in zip(weight, losses, strict=True)])
        assert (balancer.weight / torch.tensor(weight)).log().mean().abs() < 1e-12


def test_random_weights_are_positive_and_new_at_every_step():
    torch.manual_seed(0)
    balancer = make("rlw", (1.0, 0.5, 2.0))
    drawn = torch.stack([step(balancer, LOSSES[0]) for _ in range(2000)])
    plain = drawn / torch.tensor([1.0, 0.5, 2.0])
    assert (plain > 0).all()
    torch.testing.assert_close(plain.mean(1), torch.ones(2000).double(), **CLOSE)
    assert (drawn[1:] != drawn[:-1]).all()
    # the mean of 2000 draws with a standard deviation near 0.7: within 5 standard errors
    assert (plain.mean(0) - 1).abs().max() < 0.08
    torch.manual_seed(0)
    z = torch.randn(3, dtype=torch.float64)
    close(drawn[0], 3 * torch.softmax(z, 0) * torch.tensor([1.0, 0.5, 2.0]))


def test_famo_follows_algorithm_2():
    """Logits move by Adam on the change of the log losses, through the softmax."""
    balancer = make("famo", lr=0.1, weight_decay=0.01)
    logits, m, v = [0.0] * 3, [0.0] * 3, [0.0] * 3
    for k, (losses, after) in enumerate(pairwise(LOSSES), start=1):
        z = [exp(x) / sum(map(exp, logits)) for x in logits]
        # torchjd adds 1e-8 to each loss
        c = 1 / sum(z[t] / (losses[t] + 1e-8) for t in range(3))
        found = step(balancer, losses, after=after)
        close(found, [3 * c * z[t] / (losses[t] + 1e-8) for t in range(3)])
        assert found.sum() == pytest.approx(3.0, rel=1e-12)
        fall = [log(losses[t] + 1e-8) - log(after[t] + 1e-8) for t in range(3)]
        for t in range(3):
            gradient = z[t] * (fall[t] - sum(z[u] * fall[u] for u in range(3))) + 0.01 * logits[t]
            m[t] = 0.9 * m[t] + 0.1 * gradient
            v[t] = 0.999 * v[t] + 0.001 * gradient**2
        for t in range(3):
            logits[t] -= 0.1 * m[t] / (1 - 0.9**k) / ((v[t] / (1 - 0.999**k)) ** 0.5 + 1e-8)


# -- missing labels -------------------------------------------------------------------------------


def test_a_task_without_a_label_has_its_last_loss():
    for word in ("geometric_mean", "stch", "famo"):
        seen, told = make(word), make(word)
        for balancer in (seen, told):
            step(balancer, LOSSES[0])
        found = step(seen, [0.8, 77.0, 0.1], observed=SEEN)
        expected = step(told, [0.8, LOSSES[0][1], 0.1])
        expected[1] = 0.0
        close(found, expected)
        assert torch.isnan(seen.weight).tolist() == [False, True, False]


def test_before_its_first_label_a_task_counts_as_no_better_than_its_base_rate():
    found = step(make("geometric_mean"), [0.8, 77.0, 0.1], observed=SEEN)
    close(found, [(0.8 * 0.1) ** (1 / 3) / 0.8, 0.0, (0.8 * 0.1) ** (1 / 3) / 0.1])


@pytest.mark.parametrize("word", ["uncertainty", "imtl_l"])
def test_what_is_learned_for_a_task_rests_while_it_has_no_label(word):
    balancer = make(word)
    (learned,) = balancer.parameters()
    step(balancer, LOSSES[0])
    assert (learned.grad != 0).all()
    learned.grad = None
    step(balancer, LOSSES[1], observed=SEEN)
    assert learned.grad[1] == 0
    assert (learned.grad[SEEN] != 0).all()


def test_gradients_of_several_batches_add_up():
    balancer, alone, other = make("uncertainty"), make("uncertainty"), make("uncertainty")
    step(balancer, LOSSES[0])
    step(balancer, LOSSES[1], observed=SEEN)
    step(alone, LOSSES[0])
    other.load_state_dict(alone.state_dict())
    step(other, LOSSES[1], observed=SEEN)
    (both,), (first,), (second,) = (b.parameters() for b in (balancer, alone, other))
    close(both.grad, first.grad + second.grad)


def test_a_rare_task_is_weighed_by_its_mean_loss_not_by_that_of_its_batches():
    """With labels in one batch of four, an unbiased estimate is four times the loss in these."""
    rare, always = torch.tensor([True, True]), torch.tensor([True, False])
    balancer = BALANCING["uncertainty"]().build(torch.ones(2, dtype=torch.float64))
    optimizer = torch.optim.SGD(balancer.parameters(), lr=0.05)
    for k in range(2000):
        optimizer.zero_grad()
        here = rare if k % 4 == 0 else always
        step(balancer, [0.5, 4 * 0.5], observed=here)
        optimizer.step()
    s = next(balancer.parameters()).detach()
    # the share of batches is learned too: 1/4 to within 1 in 2000
    assert s[1].item() == pytest.approx(s[0].item(), abs=1e-2)


def test_famo_counts_a_task_without_a_label_as_unchanged():
    seen, told = make("famo"), make("famo")
    for balancer in (seen, told):
        step(balancer, LOSSES[0], after=LOSSES[1])
    step(seen, [0.8, 77.0, 0.1], observed=SEEN, after=[0.7, 99.0, 0.1])
    step(told, [0.8, LOSSES[0][1], 0.1], after=[0.7, LOSSES[0][1], 0.1])
    close(step(seen, LOSSES[2]), step(told, LOSSES[2]))


# -- torchjd's own objects ------------------------------------------------------------------------


def objects():
    tensor = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)
    return [
        scalarization.Mean(),
        scalarization.Sum(),
        scalarization.Constant(tensor),
        scalarization.COSMOS(0.1, tensor),
        scalarization.PBI(0.5, tensor),
        scalarization.STCH(0.2),
        scalarization.STCH(0.2, weights=tensor, reference=tensor / 10),
        scalarization.Random(),
        scalarization.GeometricMean(),
        scalarization.UW(3),
        scalarization.IMTLL(3),
    ]


@pytest.mark.parametrize("method", objects(), ids=lambda m: type(m).__name__)
def test_an_object_of_torchjd_acts_as_it_does_alone(method):
    method = method.double()
    balancer = make_balancer(method, torch.ones(3, dtype=torch.float64))
    alone = copy.deepcopy(method)
    for losses in LOSSES:
        torch.manual_seed(1)
        found = step(balancer, losses)
        values = torch.tensor(losses, dtype=torch.float64, requires_grad=True)
        torch.manual_seed(1)
        alone(values).backward()
        close(found, values.grad)
    for mine, own in zip(balancer.method.parameters(), alone.parameters(), strict=True):
        close(mine.grad, own.grad)
        # the caller's object is as it was
    assert all(p.grad is None for p in method.parameters())


def test_torchjds_famo_and_dwa_are_told_of_steps_and_epochs():
    method, alone = scalarization.FAMO(3).double(), scalarization.FAMO(3).double()
    balancer = make_balancer(method, torch.ones(3, dtype=torch.float64))
    for losses, after in pairwise(LOSSES):
        found = step(balancer, losses, after=after)
        values = torch.tensor(losses, dtype=torch.float64, requires_grad=True)
        alone(values).backward()
        alone.update(torch.tensor(after, dtype=torch.float64))
        close(found, values.grad)
    balancer = make_balancer(scalarization.DWA(0.7), torch.ones(3, dtype=torch.float64))
    alone = scalarization.DWA(0.7)
    for losses in LOSSES:
        found = step(balancer, losses)
        values = torch.tensor(losses, dtype=torch.float64, requires_grad=True)
        alone(values).backward()
        alone.step()
        balancer.after_epoch(values.detach())
        close(found, values.grad)


def test_an_object_of_torchjd_sees_weighted_losses_unless_it_would_undo_the_weights():
    weight = torch.tensor([1.0, 0.5, 2.0], dtype=torch.float64)
    values = (weight * torch.tensor(LOSSES[0], dtype=torch.float64)).requires_grad_()
    scalarization.STCH(0.2)(values).backward()
    close(step(make_balancer(scalarization.STCH(0.2), weight), LOSSES[0]), weight * values.grad)
    plain = step(make_balancer(scalarization.GeometricMean(), torch.ones(3).double()), LOSSES[0])
    close(step(make_balancer(scalarization.GeometricMean(), weight), LOSSES[0]), weight * plain)


def test_subclasses_of_torchjds_types_are_recognised():
    class Mine(scalarization.DWA):
        pass

    class Squares(scalarization.Scalarizer):
        def forward(self, values, /):
            return values.square().sum() / 2

    weight = torch.tensor([1.0, 0.5, 2.0], dtype=torch.float64)
    assert type(make_balancer(Mine(), weight)) is ScalarizedByEpoch
    balancer = make_balancer(Squares(), weight)
    assert type(balancer) is Scalarized
    close(step(balancer, LOSSES[0]), weight**2 * torch.tensor(LOSSES[0], dtype=torch.float64))


def test_an_object_made_for_another_number_of_tasks_is_refused():
    with pytest.raises(ValueError, match=r"balancing=UW\(shape=\(5,\)\) cannot balance 3 tasks"):
        make_balancer(scalarization.UW(5), torch.ones(3))


def test_what_is_no_balancing_is_refused():
    with pytest.raises(TypeError, match="balancing must be a word"):
        make_balancer(max, torch.ones(3))


def test_there_are_objects_for_all_closed_forms():
    assert set(CLOSED_FORMS) <= {type(method) for method in objects()}


@pytest.mark.parametrize("method", objects(), ids=lambda m: type(m).__name__)
def test_closed_forms_are_the_gradients_that_autograd_finds(method):
    method = method.double()
    with torch.no_grad():
        for parameter in method.parameters():
            parameter.copy_(torch.tensor([0.3, -0.2, 1.0]))
    for losses in LOSSES:
        values = torch.tensor(losses, dtype=torch.float64)
        torch.manual_seed(0)
        slope, learned = slopes(method, values)
        torch.manual_seed(0)
        expected, gradients = by_autograd(method, values)
        close(slope, expected)
        for (one, found), (other, gradient) in zip(learned, gradients, strict=True):
            assert one is other
            close(found, gradient)


def test_a_subclass_that_computes_something_else_is_asked():
    class Twice(scalarization.GeometricMean):
        def forward(self, values, /):
            return 2 * super().forward(values)

    ones = torch.ones(3, dtype=torch.float64)
    plain = step(make_balancer(scalarization.GeometricMean(), ones), LOSSES[0])
    close(step(make_balancer(Twice(), ones), LOSSES[0]), 2 * plain)
