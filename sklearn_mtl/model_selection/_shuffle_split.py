from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.model_selection import BaseShuffleSplit
from sklearn.model_selection._split import GroupsConsumerMixin, _validate_shuffle_split

from sklearn_mtl.model_selection._absent import warn_absent
from sklearn_mtl.model_selection._items import read_items
from sklearn_mtl.model_selection._stratify import TEST, TRAIN, assign_train_test
from sklearn_mtl.utils._validation import check_count, draw_seed

CLASS_ROWS = 10  # rows a whole float number is on, on average, from which on it is spread by value


class MultiTaskShuffleSplit(GroupsConsumerMixin, BaseShuffleSplit):
    """Random splits whose two parts have their share of every task's observed labels and classes.

    Iterative stratification (see References) over what is observed: each class of a
    classification task, the observed labels of a regression task and, in long form, the rows of
    each task. A share that is no whole number of rows is rounded at random, so that over many
    splits each label is tested as often as its share says; but the last row (or group) of a task
    or class always trains. Sizes are those of
    :class:`~sklearn.model_selection.ShuffleSplit`, or the nearest that groups and such last rows
    allow.

    Parameters
    ----------
    n_splits : int, default=10
        Number of splits, each drawn anew.
    test_size : float or int, default=None
        Share of rows, between 0 and 1, or number of rows to test. None: what `train_size` leaves,
        or 0.1 where that is None too.
    train_size : float or int, default=None
        Share or number of rows to train. None: what `test_size` leaves.
    random_state : int, RandomState, Generator or None, default=None
        An integer gives the same splits at every call.
    task_feature : str or int, default=None
        Long form: name or number of the column of X that holds each row's task.
    task_kinds : {"regression", "classification"} or dict name -> one of these, default=None
        For tasks whose labels say otherwise. As everywhere in this package, float labels make a
        regression task; integer, boolean and text labels, a classification task. Float labels
        that are whole numbers, each on ten rows or more on average, as classes are in an array
        with NaN, are spread evenly by value in any case.

    Warns
    -----
    UserWarning
        In ``split``: names the tasks and classes, with their counts, that the training rows of
        a split lack because too few groups have them, and the tasks of which the test rows of a
        split have no label.

    Raises
    ------
    ValueError
        In ``split``: sizes that leave a part without rows, fewer than two rows or groups, no y,
        lengths that differ.
    TaskLayoutError
        In ``split``: tasks with rows of their own; ``stack_tasks`` gives them rows to split.

    See Also
    --------
    MultiTaskKFold : Every row is tested once.

    References
    ----------
    Sechidis, Tsoumakas, Vlahavas, "On the Stratification of Multi-Label Data", ECML PKDD 2011,
    Algorithm 1. Ours also caps sizes, and rounds shares at random.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl import MultiTaskShuffleSplit
    >>> y = {"price": [1.0, 2.0, None, None, 5.0, 6.0, 7.0, 8.0], "good": list("nynnynyy")}
    >>> cv = MultiTaskShuffleSplit(2, test_size=0.5, random_state=0)
    >>> for train, test in cv.split(np.zeros((8, 1)), y):
    ...     print(test, [y["price"][i] for i in test], [y["good"][i] for i in test])
    [2 3 4 7] [None, None, 5.0, 8.0] ['n', 'n', 'y', 'y']
    [0 1 2 6] [1.0, 2.0, None, 7.0] ['n', 'y', 'n', 'y']
    """

    def __init__(
        self,
        n_splits: int = 10,
        *,
        test_size: float | int | None = None,
        train_size: float | int | None = None,
        random_state: Any = None,
        task_feature: Any = None,
        task_kinds: Any = None,
    ) -> None:
        n_splits = check_count(n_splits, 1, parameter="n_splits", owner="MultiTaskShuffleSplit")
        super().__init__(
            n_splits, test_size=test_size, train_size=train_size, random_state=random_state
        )
        self.task_feature = task_feature
        self.task_kinds = task_kinds

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the row numbers of training and test part, for each split.

        Parameters
        ----------
        X : array-like of shape (n, p)
        y : array-like (n,) or (n, T), DataFrame, dict name -> (n,) or MultiTaskTarget
            Missing labels are NaN, None, NA or null.
        groups : array-like of shape (n,), default=None
            Rows of a group stay in one part.

        Yields
        ------
        train : ndarray
        test : ndarray
        """
        for parts in self._parts(X, y, groups):
            yield np.flatnonzero(parts == TRAIN), np.flatnonzero(parts == TEST)

    def _parts(self, X: Any, y: Any, groups: Any) -> np.ndarray:
        """Return the part of each row in each split, (n_splits, n)."""
        items = read_items(
            X,
            y,
            groups,
            task_feature=self.task_feature,
            task_kinds=self.task_kinds,
            least=CLASS_ROWS,
            owner="MultiTaskShuffleSplit",
        )
        if len(items.sizes) < 2:
            raise ValueError(
                f"A training and a test part need two {items.what}s, but there is "
                f"{len(items.sizes)}; pass more {items.what}s."
            )
        n_train, n_test = _validate_shuffle_split(
            len(items.members), self.test_size, self.train_size, self._default_test_size
        )
        rng = np.random.default_rng(draw_seed(self.random_state))
        kept = np.array([name is not None for name in items.cells.names], dtype=bool)
        parts = np.array(
            [
                assign_train_test(items.counts, items.sizes, n_train, n_test, kept, rng)
                for _ in range(self.n_splits)
            ]
        )[:, items.members]
        warn_absent(items, parts == TRAIN, parts == TEST)
        return parts
