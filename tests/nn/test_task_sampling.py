"""Tasks drawn by shares: what each batch holds, and that its loss still estimates the objective."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_mtl.nn._batches import RowBatches, make_rows
from sklearn_mtl.nn._criterion import MultiTaskCriterion
from sklearn_mtl.nn._random import seeded
from sklearn_mtl.nn._sampling import TaskSampler
from sklearn_mtl.nn.balancing import WeightedSum
from sklearn_mtl.tasks._outputs import group_outputs
from sklearn_mtl.tasks._spec import TaskSpec

CPU = torch.device("cpu")


def shares(tags, observed, temperature):
    count = np.bincount(tags[observed]).astype(float)
    power = np.where(count > 0, count ** (1 / temperature), 0.0)
    return power / power.sum()


def rows_of(counts, *, temperature=np.inf, weights=None, observed=None, seed=0):
    """Return rows of tasks with that many rows, shuffled, and their labels and tags."""
    rng = np.random.default_rng(seed)
    tags = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    labels = rng.normal(size=len(tags)) + 3.0 * tags
    observed = np.ones(len(tags), bool) if observed is None else observed
    groups = group_outputs([TaskSpec(f"t{t}", "regression") for t in range(len(counts))])
    share = None if temperature == 1 else shares(tags, observed, temperature)
    X = np.arange(len(tags), dtype=float)[:, None]
    made = make_rows(
        X, labels, observed, weights, tags, groups, len(counts),
        torch.nn.Identity(), torch.float64, CPU, task_share=share,
    )  # fmt: skip
    weight = torch.ones(len(counts), dtype=torch.float64)
    criterion = MultiTaskCriterion(groups, weight, WeightedSum(weight))
    return made, criterion, labels, tags


def batch_losses(rows, criterion, batch_size):
    """Return each task's loss of each batch of an epoch, where every output is 0."""
    scale = criterion.batch_scale(rows)
    return [
        criterion([torch.zeros(len(batch), 1, dtype=torch.float64)], batch, scale).numpy()
        for batch in RowBatches(rows, batch_size, shuffle=True)
    ]


def objective(labels, tags, weights=None, observed=None):
    """Return the mean of squared labels over each task's observed rows."""
    mass = np.ones(len(labels)) if weights is None else weights.copy()
    mass = mass if observed is None else mass * observed
    return np.array(
        [np.average(labels[tags == t] ** 2, weights=mass[tags == t]) for t in np.unique(tags)]
    )


@settings(deadline=None, max_examples=40)
@given(
    counts=st.lists(st.integers(1, 40), min_size=1, max_size=5),
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=4),
    temperature=st.sampled_from([1.0, 2.0, 5.0, np.inf]),
    seed=st.integers(0, 100),
)
def test_a_batch_has_its_share_of_every_task_but_for_one_row(counts, sizes, temperature, seed):
    tags = np.repeat(np.arange(len(counts)), counts)
    observed = np.ones(len(tags), bool)
    share = shares(tags, observed, temperature)
    sampler = TaskSampler(tags, observed, share)
    with seeded(seed, CPU):
        drawn = sampler.draw(sizes).numpy()
    assert len(drawn) == sum(sizes)
    for batch, size in zip(np.split(drawn, np.cumsum(sizes)[:-1]), sizes, strict=True):
        count = np.bincount(tags[batch], minlength=len(counts))
        # strictly less than one off, but for points that rounding puts across a bound
        assert (np.abs(count - size * share) < 1 + 1e-9).all()


def test_counts_are_right_on_average():
    counts, size, n_batches = [3, 50, 200], 7, 4000
    tags = np.repeat(np.arange(3), counts)
    observed = np.ones(len(tags), bool)
    share = shares(tags, observed, 2.0)
    with seeded(0, CPU):
        drawn = TaskSampler(tags, observed, share).draw([size] * n_batches).numpy()
    mean = np.bincount(tags[drawn]) / n_batches
    # a count is one of two neighbours, so its deviation is at most 1/2; five standard errors
    np.testing.assert_allclose(mean, size * share, atol=5 * 0.5 / np.sqrt(n_batches))


def test_rows_of_a_task_come_once_each_before_any_comes_again():
    tags = np.repeat([0, 1], [3, 50])
    observed = np.ones(53, bool)
    sampler = TaskSampler(tags, observed, np.array([0.5, 0.5]))
    with seeded(0, CPU):
        drawn = np.concatenate([sampler.draw([10, 9, 7]).numpy() for _ in range(8)])
    for t, n in enumerate([3, 50]):
        own = drawn[tags[drawn] == t]
        assert len(own) >= 2 * n
        rounds = [own[start : start + n] for start in range(0, len(own) - n + 1, n)]
        for found in rounds:
            assert np.array_equal(np.sort(found), np.flatnonzero(tags == t))
        assert any(not np.array_equal(rounds[0], found) for found in rounds[1:])


@pytest.mark.parametrize("weighted", [False, True])
def test_over_all_rows_batch_losses_average_to_the_objective(weighted):
    weights = np.random.default_rng(1).uniform(0.5, 2.0, 8) if weighted else None
    rows, criterion, labels, tags = rows_of([2, 6], weights=weights)
    # every batch of 4 has 2 rows of each task, so three epochs of 8 rows draw each row of the
    # first task six times and each of the second twice
    losses = [loss for _ in range(3) for loss in batch_losses(rows, criterion, 4)]
    assert len(losses) == 6
    # sums of few numbers in another order
    np.testing.assert_allclose(
        np.mean(losses, axis=0), objective(labels, tags, weights), rtol=1e-13
    )


@pytest.mark.parametrize("temperature", [1.0, 2.0, 3.5, np.inf])
def test_a_batch_loss_is_an_unbiased_estimate_of_the_objective(temperature):
    counts, n_epochs = [1, 7, 120], 400
    rng = np.random.default_rng(2)
    weights = rng.uniform(0.0, 2.0, sum(counts))
    observed = rng.random(sum(counts)) < 0.8
    tags = rows_of(counts)[3]
    observed[tags == 0] = True
    weights[tags == 0] = 0.7
    rows, criterion, labels, _ = rows_of(
        counts, temperature=temperature, weights=weights, observed=observed
    )
    with seeded(0, CPU):
        losses = np.array(
            [loss for _ in range(n_epochs) for loss in batch_losses(rows, criterion, 16)]
        )
    standard_error = losses.std(axis=0) / np.sqrt(len(losses))
    error = losses.mean(axis=0) - objective(labels, tags, weights, observed)
    # five standard errors of independent batches (those of an epoch even out); rounding, where a
    # task has the same share of each batch
    assert (np.abs(error) <= 5 * standard_error + 1e-12).all()


def test_rows_without_a_label_are_not_drawn():
    observed = np.ones(30, bool)
    observed[::3] = False
    rows, *_ = rows_of([10, 20], observed=observed)
    drawn = np.concatenate(
        [batch.X[:, 0].long().numpy() for _ in range(5) for batch in RowBatches(rows, 8, True)]
    )
    assert set(drawn) == set(np.flatnonzero(observed))


def test_an_absent_task_has_no_share_and_no_loss():
    observed = np.ones(12, bool)
    tags = rows_of([4, 3, 5])[3]
    observed[tags == 1] = False
    rows, criterion, labels, _ = rows_of([4, 3, 5], observed=observed)
    losses = np.array(batch_losses(rows, criterion, 4))
    assert (losses[:, 1] == 0).all()
    assert rows.present.tolist() == [True, False, True]
    assert all(set(tags[b.X[:, 0].long()]) == {0, 2} for b in RowBatches(rows, 4, True))


def test_a_small_task_is_in_every_batch_and_its_gradient_is_steadier():
    counts = [22, 2200]
    gradients = {}
    for temperature in (1.0, np.inf):
        rows, criterion, _, tags = rows_of(counts, temperature=temperature)
        scale = criterion.batch_scale(rows)
        found = []
        with seeded(0, CPU):
            for _ in range(5):
                for batch in RowBatches(rows, 64, True):
                    outputs = torch.zeros(len(batch), 1, dtype=torch.float64, requires_grad=True)
                    # a weight that both tasks share: outputs are w + 0, at w = 0
                    criterion([outputs], batch, scale).sum().backward()
                    found.append(outputs.grad.sum().item())
                    if temperature != 1:
                        assert len(batch) / 2 - 1 < (batch.task == 0).sum() < len(batch) / 2 + 1
        gradients[temperature] = np.array(found)
    # a task of one row in a hundred has less than one row in a batch of 64, weighed 101 times,
    # against 32 rows weighed twice: its variance falls by about 50, that of the other task doubles
    assert gradients[np.inf].var() < 0.1 * gradients[1.0].var()


def test_draws_follow_the_seed_and_leave_the_callers_generator():
    rows, *_ = rows_of([5, 50])
    state = torch.random.get_rng_state()
    orders = []
    for seed in (0, 0, 1):
        with seeded(seed, CPU):
            rows, *_ = rows_of([5, 50])
            orders.append(torch.cat([b.X for b in RowBatches(rows, 8, True)])[:, 0].tolist())
    assert orders[0] == orders[1] != orders[2]
    assert torch.equal(torch.random.get_rng_state(), state)


def test_validation_rows_are_each_read_once():
    rows, *_ = rows_of([2, 30])
    assert torch.cat([b.X for b in RowBatches(rows, 8, False)])[:, 0].tolist() == list(range(32))
