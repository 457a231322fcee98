"""The best groups of tasks, against a search of every partition."""

import numpy as np
import pytest

from sklearn_mtl.model_selection._partition import best_partition


def partitions(tasks):
    """Yield every partition of a list into groups."""
    if not tasks:
        yield []
        return
    first, *others = tasks
    for rest in partitions(others):
        yield [(first,), *rest]
        for k, group in enumerate(rest):
            yield [*rest[:k], (first, *group), *rest[k + 1 :]]


def received(affinity, groups):
    """Return the sum over tasks of the mean affinity from the others in their group."""
    total = 0.0
    for group in groups:
        for t in group:
            others = [affinity[s, t] for s in group if s != t]
            total += np.mean(others) if others else 0.0
    return total


@pytest.mark.parametrize("seed", range(5))
def test_small_searches_are_exact(seed):
    affinity = np.random.default_rng(seed).normal(size=(6, 6))
    best = {}
    for groups in partitions(list(range(6))):
        value = received(affinity, groups)
        best[len(groups)] = max(value, best.get(len(groups), -np.inf))
    for n_groups, value in best.items():
        groups = best_partition(affinity, n_groups)
        assert sorted(t for group in groups for t in group) == list(range(6))
        assert groups == sorted(tuple(sorted(group)) for group in groups)
        assert len(groups) == n_groups
        # sums of the same numbers in another order
        np.testing.assert_allclose(received(affinity, groups), value, atol=1e-12)


def planted(n_groups, size, seed):
    rng = np.random.default_rng(seed)
    group = rng.permutation(np.repeat(np.arange(n_groups), size))
    affinity = 1.0 * (group[:, None] == group) + 0.5 * rng.normal(size=(len(group), len(group)))
    return group, affinity


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("n_groups", "size"), [(3, 5), (4, 8), (7, 20)])
def test_large_searches_find_planted_groups(n_groups, size, seed):
    group, affinity = planted(n_groups, size, seed)
    found = best_partition(affinity, n_groups)
    expected = sorted(tuple(np.flatnonzero(group == k).tolist()) for k in range(n_groups))
    assert found == expected


@pytest.mark.parametrize("seed", range(3))
def test_no_single_move_improves_a_large_search(seed):
    affinity = np.random.default_rng(seed).normal(size=(14, 14))
    groups = best_partition(affinity, 4)
    value = received(affinity, groups)
    for here in range(4):
        for there in range(4):
            for t in groups[here]:
                if here != there and len(groups[here]) > 1:
                    moved = [tuple(s for s in group if s != t) for group in groups]
                    moved[there] = (*moved[there], t)
                    assert received(affinity, moved) <= value + 1e-9


@pytest.mark.parametrize("n_tasks", [4, 12])
def test_the_ends_are_one_group_and_single_tasks(n_tasks):
    affinity = np.random.default_rng(0).normal(size=(n_tasks, n_tasks))
    assert best_partition(affinity, 1) == [tuple(range(n_tasks))]
    assert best_partition(affinity, n_tasks) == [(t,) for t in range(n_tasks)]


def test_what_is_not_known_and_what_tasks_do_to_themselves_have_no_say():
    affinity = np.array([[9.0, 1.0, np.nan], [1.0, 9.0, -1.0], [np.nan, -1.0, 9.0]])
    assert best_partition(affinity, 2) == [(0, 1), (2,)]
