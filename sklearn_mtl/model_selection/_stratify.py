"""Iterative stratification: rows (or groups of rows) to folds, the rarest labels first."""

import numpy as np
from scipy.sparse import csr_array

# Of a fold's share of a label. With 20,000 rows and 100 tasks, 1 % makes the spread of label counts
# over folds a third of what exact ties leave; a label on fewer than 100 rows a fold stays exact.
SLACK = 0.01

MOST_SWAPS = 500  # tried for an item; where they fail, the caller is told what a split lacks


def assign_folds(
    counts: csr_array, sizes: np.ndarray, n_splits: int, rng: np.random.Generator | None
) -> np.ndarray:
    """Return a fold for each item such that every label is spread evenly over the folds.

    Takes the labels from rare to frequent and gives each item of a label to the fold that lacks
    most of that label (Sechidis, Tsoumakas and Vlahavas, "On the Stratification of Multi-Label
    Data", ECML PKDD 2011, Algorithm 1). Departs from it in three ways: folds that are full take
    nothing more, so that sizes are those of KFold; among folds that lack equally much of the
    label, within 1 % of a fold's share, an item goes to the one that lacks most of all its
    labels, relative to how many there are; the last item of a label avoids the fold that holds
    all others.

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
    n_items, n_labels = counts.shape
    state = _Folds(counts, sizes, n_splits)
    order = np.arange(n_items) if rng is None else rng.permutation(n_items)
    # large groups first: small ones then fill the gaps
    order = order[np.argsort(-sizes[order], kind="stable")]
    place = np.empty(n_items, dtype=np.intp)
    place[order] = np.arange(n_items)
    by_label = counts.tocsc()
    for _ in range(n_labels):
        left = np.where(state.left > 0, state.left, np.inf)
        label = int(np.argmin(left))
        if not np.isfinite(left[label]):
            break
        items = by_label.indices[by_label.indptr[label] : by_label.indptr[label + 1]]
        items = items[state.folds[items] < 0]
        for item in items[np.argsort(place[items])]:
            state.put(item, label, rng)
    for item in order[state.folds[order] < 0]:  # without any label
        state.put(item, None, rng)
    _spread_whole_labels(counts, sizes, state.folds, n_splits)
    return state.folds


class _Folds:
    """What every fold still lacks, while items are dealt out."""

    def __init__(self, counts: csr_array, sizes: np.ndarray, n_splits: int) -> None:
        n_items, n_labels = counts.shape
        self.counts, self.sizes = counts, sizes
        self.folds = np.full(n_items, -1)
        totals = np.asarray(counts.sum(axis=0), dtype=np.float64).reshape(n_labels)
        self.left = totals.copy()  # rows with each label that no fold has yet
        self.items_left = np.bincount(counts.indices, minlength=n_labels)
        self.share = totals / n_splits
        self.lacks = np.repeat(self.share[:, None], n_splits, axis=1)
        self.has = np.zeros((n_labels, n_splits), dtype=bool)
        self.scale = 1.0 / np.where(totals > 0, totals, 1.0)
        n_rows = int(sizes.sum())
        self.room = np.full(n_splits, n_rows // n_splits)
        self.room[: n_rows % n_splits] += 1
        self.n_unplaced, self.is_empty = n_items, np.ones(n_splits, dtype=bool)

    def put(self, item: int, label: int | None, rng: np.random.Generator | None) -> None:
        """Give the item to the fold that lacks it most."""
        here = slice(self.counts.indptr[item], self.counts.indptr[item + 1])
        labels, rows = self.counts.indices[here], self.counts.data[here]
        folds = self._open(item, labels)
        if label is not None:
            folds = _most(folds, self.lacks[label, folds], SLACK * self.share[label])
            if len(folds) > 1:
                lacks = self.lacks[labels][:, folds]
                folds = _most(folds, self.scale[labels] @ lacks)
        folds = _most(folds, self.room[folds])
        fold = folds[0] if rng is None or len(folds) == 1 else rng.choice(folds)
        self.folds[item] = fold
        self.lacks[labels, fold] -= rows
        self.left[labels] -= rows
        self.items_left[labels] -= 1
        self.has[labels, fold] = True
        self.room[fold] -= self.sizes[item]
        self.is_empty[fold] = False
        self.n_unplaced -= 1

    def _open(self, item: int, labels: np.ndarray) -> np.ndarray:
        """Return the folds that may take the item."""
        if self.n_unplaced <= self.is_empty.sum():
            return np.flatnonzero(self.is_empty)
        is_open = self.room >= self.sizes[item]
        if not is_open.any():
            is_open = self.room == self.room.max()
        last = labels[self.items_left[labels] == 1]
        if len(last):
            # a fold that got all of a label would leave none of it to train on
            whole = self.has[last] & (self.has[last].sum(axis=1) == 1)[:, None]
            harm = whole.sum(axis=0)
            if harm[is_open].min() > 0:
                is_open = np.ones_like(is_open)
            is_open = is_open & (harm == harm[is_open].min())
        return np.flatnonzero(is_open)


def _most(folds: np.ndarray, lacks: np.ndarray, slack: float = 0.0) -> np.ndarray:
    if len(folds) == 1:
        return folds
    return folds[lacks >= lacks.max() - slack - 1e-9]  # 1e-9: equal counts over K, but for rounding


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
