from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.model_selection import BaseCrossValidator
from sklearn.model_selection._split import GroupsConsumerMixin

from sklearn_mtl.model_selection._absent import warn_absent
from sklearn_mtl.model_selection._items import read_items
from sklearn_mtl.model_selection._stratify import assign_folds
from sklearn_mtl.utils._validation import check_count, draw_seed


class MultiTaskKFold(GroupsConsumerMixin, BaseCrossValidator):
    """K folds that have their share of every task's observed labels, and of every class.

    Iterative stratification (see References) over what is observed: each class of a
    classification task, the observed labels of a regression task and, in long form, the rows of
    each task are spread evenly over the folds. Rarer ones come first, so the training rows of
    every split hold each task, and each class, where two rows (or groups) of it exist. Fold sizes
    differ by at most one row, or by what groups allow.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, K ≥ 2.
    shuffle : bool, default=False
        Deal rows out in random order, rather than as they come.
    random_state : int, RandomState, Generator or None, default=None
        For ``shuffle=True``; an integer gives the same folds at every call.
    task_feature : str or int, default=None
        Long form: name or number of the column of X that holds each row's task.
    task_kinds : {"regression", "classification"} or dict name -> one of these, default=None
        For tasks whose labels say otherwise. As everywhere in this package, float labels make a
        regression task; integer, boolean and text labels, a classification task. Float labels
        that are whole numbers, each on `n_splits` rows or more on average, as classes are in an
        array with NaN, are spread evenly by value in any case.

    Warns
    -----
    UserWarning
        In ``split``: names the tasks and classes, with their counts, that the training rows of
        a split lack because too few rows (or groups) have them, and the tasks of which the test
        rows of a split have no label.

    Raises
    ------
    ValueError
        In ``split``: more folds than rows or groups, no y, lengths that differ.
    TaskLayoutError
        In ``split``: tasks with rows of their own; ``stack_tasks`` gives them rows to split.

    See Also
    --------
    MultiTaskShuffleSplit : Random splits of any size.

    References
    ----------
    Sechidis, Tsoumakas, Vlahavas, "On the Stratification of Multi-Label Data", ECML PKDD 2011,
    Algorithm 1. Ours also caps fold sizes; ties go to the fold that lacks most of all the row's
    labels.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl import MultiTaskKFold
    >>> y = {"price": [1.0, 2.0, None, None, 5.0, 6.0], "good": list("nynnyn")}
    >>> for train, test in MultiTaskKFold(2).split(np.zeros((6, 1)), y):
    ...     print(test, [y["price"][i] for i in test], [y["good"][i] for i in test])
    [0 1 2] [1.0, 2.0, None] ['n', 'y', 'n']
    [3 4 5] [None, 5.0, 6.0] ['n', 'y', 'n']
    """

    def __init__(
        self,
        n_splits: int = 5,
        *,
        shuffle: bool = False,
        random_state: Any = None,
        task_feature: Any = None,
        task_kinds: Any = None,
    ) -> None:
        n_splits = check_count(n_splits, 2, parameter="n_splits", owner="MultiTaskKFold")
        if not isinstance(shuffle, (bool, np.bool_)):
            raise TypeError(f"shuffle must be True or False, got {shuffle!r}.")
        if not shuffle and random_state is not None:
            raise ValueError(
                f"random_state={random_state!r} has no effect when shuffle is False; set "
                "shuffle=True, or leave random_state=None."
            )
        self.n_splits = n_splits
        self.shuffle = shuffle
        self.random_state = random_state
        self.task_feature = task_feature
        self.task_kinds = task_kinds

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds."""
        return self.n_splits

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the row numbers of training and test part, for each fold.

        Parameters
        ----------
        X : array-like of shape (n, p)
        y : array-like (n,) or (n, T), DataFrame, dict name -> (n,) or MultiTaskTarget
            Missing labels are NaN, None, NA or null.
        groups : array-like of shape (n,), default=None
            Rows of a group stay in one fold.

        Yields
        ------
        train : ndarray
        test : ndarray
        """
        folds = self._folds(X, y, groups)
        for fold in range(self.n_splits):
            yield np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)

    def _folds(self, X: Any, y: Any, groups: Any) -> np.ndarray:
        """Return the fold of each row."""
        items = read_items(
            X,
            y,
            groups,
            task_feature=self.task_feature,
            task_kinds=self.task_kinds,
            least=self.n_splits,
            owner="MultiTaskKFold",
        )
        n_items = len(items.sizes)
        if n_items < self.n_splits:
            raise ValueError(
                f"n_splits={self.n_splits} is more than the {n_items} {items.what}(s) at hand; "
                f"every fold needs a {items.what}: lower n_splits."
            )
        rng = np.random.default_rng(draw_seed(self.random_state)) if self.shuffle else None
        folds = assign_folds(items.counts, items.sizes, self.n_splits, rng)[items.members]
        test = folds == np.arange(self.n_splits)[:, None]
        warn_absent(items, ~test, test)
        return folds
