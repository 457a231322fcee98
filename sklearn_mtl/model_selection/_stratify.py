"""Iterative stratification: rows (or groups of rows) to parts, the rarest labels first."""

import numpy as np
from scipy.sparse import csr_array

# Of a part's share of a label. With 20,000 rows and 100 tasks, 1 % makes the spread of label counts
# over folds a third of what exact ties leave; a label on fewer than 100 rows a fold stays exact.
SLACK = 0.01

MOST_SWAPS = 500  # tried for an item; where they fail, the caller is told what a split lacks

TRAIN, TEST, NEITHER = range(3)


def assign_folds(
    counts: csr_array, sizes: np.ndarray, n_splits: int, rng: np.random.Generator | None
) -> np.ndarray:
    """Return a fold for each item such that every label is spread evenly over the folds.

    Departs from the algorithm of `_Parts` in one more way: the last item of a label avoids the
    fold that holds all others, which would leave none of it to train on.

    Parameters
    ----------
    counts : csr_array of shape (n_items, n_labels)
        Rows with each label, in each item.
    sizes : ndarray of shape (n_items,)
        Rows of each item; no item is empty.
    n_splits : int
        K, at most n_items.
    rng : numpy.random.Generator or None
        Draws the order of items and breaks the last ties; None: as they come.

    Returns
    -------
    folds : ndarray of shape (n_items,), in 0 … K - 1
        Every fold has an item.
    """
    order = np.arange(len(sizes)) if rng is None else rng.permutation(len(sizes))
    # large groups first: small ones then fill the gaps
    order = order[np.argsort(-sizes[order], kind="stable")]
    folds = _Folds(counts, sizes, n_splits, rng)
    folds.deal(order)
    _spread_whole_labels(counts, sizes, folds.part, n_splits)
    return folds.part


def assign_train_test(
    counts: csr_array,
    sizes: np.ndarray,
    n_train: int,
    n_test: int,
    kept: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return a part for each item such that both have their share of every label.

    A share that is no whole number of rows is rounded at random, up as often as it takes for the
    mean over many splits to be the share: a label on five rows, of which a test part of 10 % has
    half a row to expect, is tested in every other split.

    Parameters
    ----------
    counts : csr_array of shape (n_items, n_labels)
        Rows with each label, in each item.
    sizes : ndarray of shape (n_items,)
        Rows of each item; no item is empty.
    n_train, n_test : int
        Rows of the two parts, at most all rows together.
    kept : ndarray of shape (n_labels,), bool
        Labels of which an item stays in the training part, whatever their share.
    rng : numpy.random.Generator

    Returns
    -------
    parts : ndarray of shape (n_items,)
        TRAIN, TEST or NEITHER; the first two have an item each.
    """
    parts = _TrainTest(counts, sizes, n_train, n_test, kept, rng)
    # at random, not large groups first: each is then tested in some split
    parts.deal(rng.permutation(len(sizes)))
    return parts.part


class _Parts:
    """What every part still lacks, while items are dealt out.

    Takes the labels from rare to frequent and gives each item of a label to the part that lacks
    most of its share of that label (Sechidis, Tsoumakas and Vlahavas, "On the Stratification of
    Multi-Label Data", ECML PKDD 2011, Algorithm 1). Departs from it in two ways: parts that are
    full take nothing more, so that sizes are those of plain splits; among parts that lack equally
    much of the label, within 1 % of a share, an item goes to the one that lacks most of all its
    labels, relative to their shares.

    Parameters
    ----------
    counts : csr_array of shape (n_items, n_labels)
    sizes : ndarray of shape (n_items,)
    room : ndarray of shape (K,), int
        Rows that each part is to hold.
    weight : ndarray of shape (K,)
        What room is compared by.
    share : ndarray of shape (n_labels, K)
        Rows of each label that each part is to hold.
    is_needed : ndarray of shape (K,), bool
        Parts that must not stay empty.
    rng : numpy.random.Generator or None
    """

    def __init__(
        self,
        counts: csr_array,
        sizes: np.ndarray,
        *,
        room: np.ndarray,
        weight: np.ndarray,
        share: np.ndarray,
        is_needed: np.ndarray,
        rng: np.random.Generator | None,
    ) -> None:
        n_items, n_labels = counts.shape
        self.counts, self.sizes, self.rng = counts, sizes, rng
        self.part = np.full(n_items, -1)
        self.left = _totals(counts)  # rows with each label that no part has yet
        self.items_left = np.bincount(counts.indices, minlength=n_labels)
        self.lacks = share.copy()
        self.scale = 1.0 / np.where(share > 0, share, 1.0)
        self.has = np.zeros(share.shape, dtype=bool)
        self.room, self.weight = room, weight
        self.n_unplaced, self.is_wanting = n_items, is_needed.copy()

    def deal(self, order: np.ndarray) -> None:
        """Give every item a part; those of a label in this order."""
        place = np.empty(len(order), dtype=np.intp)
        place[order] = np.arange(len(order))
        by_label = self.counts.tocsc()
        for _ in range(len(self.left)):
            left = np.where(self.left > 0, self.left, np.inf)
            label = int(np.argmin(left))
            if not np.isfinite(left[label]):
                break
            items = by_label.indices[by_label.indptr[label] : by_label.indptr[label + 1]]
            items = items[self.part[items] < 0]
            for item in items[np.argsort(place[items])]:
                self._put(item, label)
        for item in order[self.part[order] < 0]:  # without any label
            self._put(item, None)

    def _put(self, item: int, label: int | None) -> None:
        """Give the item to the part that lacks it most."""
        here = slice(self.counts.indptr[item], self.counts.indptr[item + 1])
        labels, rows = self.counts.indices[here], self.counts.data[here]
        parts = self._open(item, labels)
        if label is not None:
            parts = _most(parts, self.lacks[label, parts] * self.scale[label, parts], SLACK)
            if len(parts) > 1:
                lacks = self.lacks[labels][:, parts] * self.scale[labels][:, parts]
                parts = _most(parts, lacks.sum(axis=0))
        parts = _most(parts, self.room[parts] / self.weight[parts])
        part = parts[0] if self.rng is None or len(parts) == 1 else self.rng.choice(parts)
        self.part[item] = part
        self.lacks[labels, part] -= rows
        self.left[labels] -= rows
        self.items_left[labels] -= 1
        self.has[labels, part] = True
        self.room[part] -= self.sizes[item]
        self.is_wanting[part] = False
        self.n_unplaced -= 1

    def _open(self, item: int, labels: np.ndarray) -> np.ndarray:
        """Return the parts that may take the item."""
        if self.n_unplaced <= self.is_wanting.sum():
            return np.flatnonzero(self.is_wanting)
        is_open = self.room >= self.sizes[item]
        if not is_open.any():
            is_open = self.room == self.room.max()
        last = labels[self.items_left[labels] == 1]
        if len(last):
            harm = self._harm(last)
            if harm[is_open].min() > 0:
                is_open = np.ones_like(is_open)
            is_open = is_open & (harm == harm[is_open].min())
        return np.flatnonzero(is_open)

    def _harm(self, last: np.ndarray) -> np.ndarray:
        """Return how many of these labels no row trains, by the part that gets their last item."""
        raise TypeError(f"{type(self).__name__} must define _harm(last).")


class _Folds(_Parts):
    """K parts of equal shares; each is tested once, while all others train."""

    def __init__(
        self, counts: csr_array, sizes: np.ndarray, n_splits: int, rng: np.random.Generator | None
    ) -> None:
        n_rows = int(sizes.sum())
        room = np.full(n_splits, n_rows // n_splits)
        room[: n_rows % n_splits] += 1
        super().__init__(
            counts,
            sizes,
            room=room,
            weight=np.ones(n_splits),
            share=np.repeat(_totals(counts)[:, None] / n_splits, n_splits, axis=1),
            is_needed=np.ones(n_splits, dtype=bool),
            rng=rng,
        )

    def _harm(self, last: np.ndarray) -> np.ndarray:
        whole = self.has[last] & (self.has[last].sum(axis=1) == 1)[:, None]
        return whole.sum(axis=0)


class _TrainTest(_Parts):
    """A part to train, a part to test, and the rows of neither."""

    def __init__(
        self,
        counts: csr_array,
        sizes: np.ndarray,
        n_train: int,
        n_test: int,
        kept: np.ndarray,
        rng: np.random.Generator,
    ) -> None:
        n_rows = int(sizes.sum())
        room = np.array([n_train, n_test, n_rows - n_train - n_test])
        totals = _totals(counts)
        # systematic rounding: the parts of a label add up to all of it
        ends = np.floor(
            totals[:, None] * np.cumsum(room[[TEST, NEITHER]]) / n_rows
            + rng.random((len(totals), 1))
        )
        tested = ends[:, 0]
        neither = ends[:, 1] - tested
        super().__init__(
            counts,
            sizes,
            room=room,
            weight=np.maximum(room, 1),
            share=np.column_stack([totals - ends[:, 1], tested, neither]),
            is_needed=np.array([True, True, False]),
            rng=rng,
        )
        self.kept = kept

    def _harm(self, last: np.ndarray) -> np.ndarray:
        lost = (self.kept[last] & ~self.has[last, TRAIN]).sum()
        return np.array([0, lost, lost])


def _totals(counts: csr_array) -> np.ndarray:
    return np.asarray(counts.sum(axis=0), dtype=np.float64).reshape(counts.shape[1])


def _most(parts: np.ndarray, lacks: np.ndarray, slack: float = 0.0) -> np.ndarray:
    if len(parts) == 1:
        return parts
    return parts[lacks >= lacks.max() - slack - 1e-9]  # 1e-9: equal shares, but for rounding


def _spread_whole_labels(
    counts: csr_array, sizes: np.ndarray, folds: np.ndarray, n_splits: int
) -> None:
    """Swap items between folds where a fold has got all of a label that two or more items have.

    The last items of two labels may have wished to avoid different folds; with few folds and many
    rare labels both cannot be had at the first go. Changes `folds`.
    """
    swaps = _Swaps(counts, folds, n_splits)
    by_label = counts.tocsc()
    for label in np.flatnonzero(swaps.whole(np.arange(counts.shape[1]))):
        for item in by_label.indices[by_label.indptr[label] : by_label.indptr[label + 1]]:
            if not swaps.whole(np.array([label]))[0]:
                break
            others = np.flatnonzero(folds != folds[item])
            nearest = np.argsort(np.abs(sizes[others] - sizes[item]), kind="stable")
            swaps.mend(item, others[nearest[:MOST_SWAPS]])


class _Swaps:
    """How many items of each label a fold has, while items change places."""

    def __init__(self, counts: csr_array, folds: np.ndarray, n_splits: int) -> None:
        self.folds = folds
        self.labels = np.split(counts.indices, counts.indptr[1:-1])  # of each item
        self.has = np.zeros((counts.shape[1], n_splits), dtype=np.intp)
        np.add.at(self.has, (counts.indices, np.repeat(folds, np.diff(counts.indptr))), 1)
        self.totals = self.has.sum(axis=1)

    def whole(self, labels: np.ndarray) -> np.ndarray:
        """Return whether one fold has all items of a label, of which there are several."""
        totals = self.totals[labels]
        return (self.has[labels].max(axis=1) == totals) & (totals > 1)

    def swap(self, item: int, other: int) -> None:
        """Let two items change folds."""
        here, there = self.folds[item], self.folds[other]
        for moved, start, end in ((item, here, there), (other, there, here)):
            self.has[self.labels[moved], start] -= 1
            self.has[self.labels[moved], end] += 1
            self.folds[moved] = end

    def mend(self, item: int, others: np.ndarray) -> None:
        """Make the first swap after which fewer labels are whole."""
        for other in others:
            touched = np.union1d(self.labels[item], self.labels[other])
            before = self.whole(touched).sum()
            self.swap(item, other)
            if self.whole(touched).sum() < before:
                return
            self.swap(item, other)
