"""Partitions of tasks into groups whose members help one another most."""

import numpy as np

from sklearn_mtl.model_selection._task_subsets import Subset

# tasks up to which all partitions are searched: 3^10 pairs of a set and a part of it
MOST_EXACT = 10


def best_partition(affinity: np.ndarray, n_groups: int) -> list[Subset]:
    """Return the partition into exactly K groups whose tasks receive the most affinity.

        max over partitions  sum_t  mean of affinity[s, t] over the other members s of t's group

    where a task that is alone receives 0. That is sum_G  a(G) / (|G| - 1), with a(G) the sum of the
    affinities between members of G. Exact for up to 10 tasks, by dynamic programming over sets of
    tasks; beyond, groups are merged from single tasks on, each time with the greatest gain, and
    then tasks are moved one at a time for as long as that helps: a local maximum.

    Parameters
    ----------
    affinity : ndarray of shape (T, T)
        [s, t]: how much s helps t; the diagonal is not read, and NaN counts 0.
    n_groups : int
        K, from 1 to T.

    Returns
    -------
    groups : list of K tuples of task numbers
        Ordered by their first task.
    """
    known = np.nan_to_num(affinity, nan=0.0)
    mutual = known + known.T
    np.fill_diagonal(mutual, 0.0)
    if len(mutual) <= MOST_EXACT:
        return _exact(mutual, n_groups)
    return _as_groups(_moved(mutual, _merged(mutual, n_groups), n_groups))


def _exact(mutual: np.ndarray, n_groups: int) -> list[Subset]:
    """f_k(S) = max over parts G of S with S's first task:  a(G) / (|G| - 1) + f_{k-1}(S - G)."""
    n_sets = 1 << len(mutual)
    value = np.zeros(n_sets)
    for members in range(1, n_sets):
        group = _members(members)
        if len(group) > 1:
            value[members] = mutual[np.ix_(group, group)].sum() / 2 / (len(group) - 1)
    # set -> value and parts of its best partition into k groups
    best: dict[int, tuple[float, Subset]] = {0: (0.0, ())}
    for _ in range(n_groups):
        longer: dict[int, tuple[float, Subset]] = {}
        for rest, (before, parts) in best.items():
            free = n_sets - 1 - rest
            if not free:
                continue
            # each partition once: the next group holds the first task that has none
            first = free & -free
            others = free ^ first
            part = others
            while True:
                union, found = rest | part | first, before + value[part | first]
                if union not in longer or found > longer[union][0]:
                    longer[union] = (found, (*parts, part | first))
                if not part:
                    break
                part = (part - 1) & others
        best = longer
    return [_members(part) for part in best[n_sets - 1][1]]


def _members(number: int) -> Subset:
    return tuple(t for t in range(number.bit_length()) if number >> t & 1)


def _merged(mutual: np.ndarray, n_groups: int) -> np.ndarray:
    """Return the group (T,) of each task after merging greedily down to that many groups."""
    n_tasks = len(mutual)
    group = np.arange(n_tasks)
    between, within = mutual.copy(), np.zeros(n_tasks)  # sums of mutual affinity
    size, alive = np.ones(n_tasks), np.ones(n_tasks, dtype=bool)
    for _ in range(n_tasks - n_groups):
        own = within / np.maximum(size - 1, 1)
        joined = (within[:, None] + within + between) / (size[:, None] + size - 1)
        gain = joined - own[:, None] - own
        gain[~alive] = gain[:, ~alive] = -np.inf
        np.fill_diagonal(gain, -np.inf)
        kept, gone = sorted(np.unravel_index(np.argmax(gain), gain.shape))
        within[kept] += within[gone] + between[kept, gone]
        between[kept] += between[gone]
        between[:, kept] += between[:, gone]
        size[kept] += size[gone]
        alive[gone] = False
        group[group == gone] = kept
    return np.unique(group, return_inverse=True)[1]


def _moved(mutual: np.ndarray, group: np.ndarray, n_groups: int) -> np.ndarray:
    """Return the groups after moving single tasks for as long as that helps."""
    group = group.copy()
    member = np.eye(n_groups)[group]  # (T, K)
    moved = True
    while moved:
        moved = False
        for t in range(len(mutual)):
            here, size = group[t], member.sum(axis=0)
            if size[here] == 1:
                continue  # no group may be left empty
            within = np.einsum("sk,sr,rk->k", member, mutual, member) / 2
            received = mutual[t] @ member
            own = within / np.maximum(size - 1, 1)
            with_t = (within + received) / np.maximum(size, 1)
            without_t = (within[here] - received[here]) / max(size[here] - 2, 1)
            gain = with_t - own + without_t - own[here]
            gain[here] = 0.0
            there = int(np.argmax(gain))
            # rounding must not move a task to and fro
            if gain[there] > 1e-12 * (1.0 + np.abs(own).sum()):
                member[t, [here, there]] = 0.0, 1.0
                group[t], moved = there, True
    return group


def _as_groups(group: np.ndarray) -> list[Subset]:
    found = [tuple(np.flatnonzero(group == k).tolist()) for k in np.unique(group)]
    return sorted(found)
