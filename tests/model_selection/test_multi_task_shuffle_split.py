import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from river.datasets import Yeast
from scipy.sparse import csr_array
from sklearn.datasets import load_iris
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, GroupShuffleSplit, ShuffleSplit, cross_validate

from sklearn_mtl import MultiTaskShuffleSplit, MultiTaskTarget, TaskLayoutError, stack_tasks

IRIS, SPECIES = load_iris(return_X_y=True)
TRAIN, TEST, NEITHER = 0, 1, 2


def parts_of(cv, X, y, groups=None):
    """Return the part of each row in each split, (n_splits, n), none of them in two."""
    parts = []
    for train, test in cv.split(X, y, groups):
        assert np.intersect1d(train, test).size == 0
        part = np.full(len(X), NEITHER)
        part[train], part[test] = TRAIN, TEST
        parts.append(part)
    assert len(parts) == cv.get_n_splits(X, y, groups)
    return np.array(parts)


def quiet_parts(cv, X, y, groups=None):
    """Return the parts; what a split lacks is not what the test is about."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return parts_of(cv, X, y, groups)


def mixed_labels(n_rows, seed=0, share=0.4):
    rng = np.random.default_rng(seed)
    y = {
        "price": rng.normal(size=n_rows),
        "colour": rng.choice(["red", "green", "blue"], size=n_rows, p=[0.7, 0.2, 0.1]),
        "sold": (rng.random(n_rows) < 0.15).astype(object),
        "grade": rng.integers(4, size=n_rows).astype(object),
    }
    y["colour"] = y["colour"].astype(object)
    for name, labels in y.items():
        labels[rng.random(n_rows) < share] = np.nan if name == "price" else None
    return y


def cells(y):
    """Yield the rows of each class, and of each regression task's labels."""
    for name, labels in y.items():
        labels = pd.Series(labels)
        if name == "price":
            yield labels.notna().to_numpy()
        else:
            for value in labels.dropna().unique():
                yield (labels == value).to_numpy()


def share_errors(parts, table):
    """Return how far each column's share in test parts is from its share of all rows, relative."""
    shares = np.array([table[part == TEST].mean(axis=0) for part in parts])
    return np.abs(shares / table.mean(axis=0) - 1)


@pytest.fixture(scope="module")
def yeast():
    """Return the 14 labels of 2,417 genes, the rarest on 34 of them."""
    return np.array([list(labels.values()) for _, labels in Yeast()])


# -- what parts hold --------------------------------------------------------------------------


@pytest.mark.parametrize("test_size", [0.1, 0.25])
def test_labels_of_yeast_are_spread_better_than_by_shuffling(yeast, test_size):
    X = np.zeros((len(yeast), 1))
    ours, theirs = (
        share_errors(parts_of(cv(2, test_size=test_size, random_state=0), X, yeast), yeast)
        for cv in (MultiTaskShuffleSplit, ShuffleSplit)
    )
    # measured: a sixth of the error on average; no label on 34 rows or more is off by a quarter
    assert ours.mean() < 0.25 * theirs.mean()
    assert ours.max() < 0.25


@given(
    seed=st.integers(0, 2**32 - 1),
    n_rows=st.integers(12, 80),
    test_size=st.sampled_from([0.1, 0.3, 0.5, 0.8, 3]),
    train_size=st.sampled_from([None, 0.2, 2]),
)
@settings(max_examples=50, deadline=None)
def test_sizes_are_those_of_shuffle_split_up_to_what_presence_needs(
    seed, n_rows, test_size, train_size
):
    sizes = {"test_size": test_size, "train_size": train_size, "random_state": seed}
    X, y = np.zeros((n_rows, 1)), {"price": mixed_labels(n_rows, seed)["price"]}
    ours = quiet_parts(MultiTaskShuffleSplit(2, **sizes), X, y)
    theirs = parts_of(ShuffleSplit(2, **sizes), X, None)
    for part in (TRAIN, TEST, NEITHER):
        assert np.array_equal((ours == part).sum(axis=1), (theirs == part).sum(axis=1))
    # a row each of up to nine classes may have to train
    ours = quiet_parts(MultiTaskShuffleSplit(2, **sizes), X, mixed_labels(n_rows, seed))
    for part in (TRAIN, TEST, NEITHER):
        missed = (ours == part).sum(axis=1) - (theirs == part).sum(axis=1)
        assert np.abs(missed).max() <= 9
    assert (ours == TEST).any(axis=1).all()


@given(
    seed=st.integers(0, 2**32 - 1),
    n_rows=st.integers(10, 60),
    test_size=st.sampled_from([0.1, 0.5, 0.9]),
)
@settings(max_examples=50, deadline=None)
def test_every_class_and_task_stays_in_training(seed, n_rows, test_size):
    y = mixed_labels(n_rows, seed)
    cv = MultiTaskShuffleSplit(3, test_size=test_size, random_state=seed)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        parts = parts_of(cv, np.zeros((n_rows, 1)), y)
    assert not any("training rows" in str(warning.message) for warning in told)
    for cell in cells(y):
        assert (parts[:, cell] == TRAIN).any(axis=1).all()


def test_a_rare_label_is_tested_as_often_as_its_share_says():
    y = np.random.default_rng(0).normal(size=(100, 2))
    y[5:, 1] = np.nan
    n_splits = 400
    cv = MultiTaskShuffleSplit(n_splits, test_size=0.1, random_state=0)
    tested = quiet_parts(cv, y, y)[:, :5] == TEST
    # half a label is to be expected in a test part: none in one split, one in the next
    assert set(tested.sum(axis=1)) == {0, 1}
    # a binomial with p = 0.5: four standard errors are 4 · 0.5 / 20
    assert abs(tested.any(axis=1).mean() - 0.5) < 0.1
    # and of the five rows none is left out: p = 0.1, four standard errors are 4 · 0.3 / 20
    assert np.abs(tested.mean(axis=0) - 0.1).max() < 0.06


def test_every_row_is_tested_in_some_split():
    y = mixed_labels(40, share=0.0)
    assert min(cell.sum() for cell in cells(y)) > 1  # a class's only row would always train
    parts = parts_of(MultiTaskShuffleSplit(100, random_state=0), np.zeros((40, 1)), y)
    assert (parts == TEST).any(axis=0).all()


def test_a_large_number_that_one_row_has_is_tested_too():
    # labels that look like counts are spread by value, but a rare count need not train
    y = np.array([0.0] * 20 + [1.0] * 19 + [7.0])
    parts = parts_of(MultiTaskShuffleSplit(60, test_size=0.25, random_state=0), y[:, None], y)
    assert (parts[:, -1] == TEST).any()
    # a quarter of 20, and the row by which 4.75 and 0.25 may both be rounded up
    assert np.abs((parts[:, :20] == TEST).sum(axis=1) - 5).max() <= 1


def test_rows_of_neither_part_are_drawn_evenly_too(yeast):
    X = np.zeros((len(yeast), 1))
    cv = MultiTaskShuffleSplit(1, test_size=0.3, train_size=0.3, random_state=0)
    parts = parts_of(cv, X, yeast)
    for part in (TRAIN, TEST, NEITHER):
        # rounding a share of 34 rows, and the rows that earlier labels have settled
        assert np.abs(yeast[parts[0] == part].mean(axis=0) / yeast.mean(axis=0) - 1).max() < 0.15


# -- what a split lacks -----------------------------------------------------------------------


def test_a_class_on_one_row_trains_in_every_split():
    y = {"good": ["yes", *["no"] * 9], "price": np.linspace(0.5, 5, 10)}
    parts = parts_of(MultiTaskShuffleSplit(20, test_size=0.5, random_state=0), np.zeros((10, 1)), y)
    assert (parts[:, 0] == TRAIN).all()


def test_a_task_that_a_split_does_not_test_is_named():
    y = np.random.default_rng(0).normal(size=(30, 2))
    y[1:, 1] = np.nan
    with pytest.warns(UserWarning, match=r"test rows .* no label of .*task 'task1' \(1 row"):
        parts_of(MultiTaskShuffleSplit(3, random_state=0), y, y)


def test_a_task_without_labels_is_named():
    y = pd.DataFrame({"a": np.arange(6) + 0.5, "b": [None] * 6})
    with pytest.warns(UserWarning, match="No label of task.* 'b'"):
        parts_of(MultiTaskShuffleSplit(2, random_state=0), y, y)


# -- groups -----------------------------------------------------------------------------------


@given(seed=st.integers(0, 2**32 - 1), n_groups=st.integers(2, 30))
@settings(max_examples=30, deadline=None)
def test_rows_of_a_group_stay_together_and_no_part_is_empty(seed, n_groups):
    rng = np.random.default_rng(seed)
    groups = np.concatenate([np.arange(n_groups), rng.integers(n_groups, size=60)])
    y = mixed_labels(len(groups), seed)
    cv = MultiTaskShuffleSplit(3, test_size=0.3, random_state=seed)
    parts = quiet_parts(cv, np.zeros((len(groups), 1)), y, groups)
    for group in range(n_groups):
        assert (np.ptp(parts[:, groups == group], axis=1) == 0).all()
    assert (parts == TEST).any(axis=1).all()
    assert (parts == TRAIN).any(axis=1).all()


def test_labels_and_sizes_of_unequal_groups_are_met_better_than_by_shuffling_groups(yeast):
    rng = np.random.default_rng(0)
    groups = np.minimum(rng.geometric(0.03, size=len(yeast)), 100)
    X, options = np.zeros((len(yeast), 1)), {"test_size": 0.2, "random_state": 0}
    ours = quiet_parts(MultiTaskShuffleSplit(5, **options), X, yeast, groups)
    theirs = parts_of(GroupShuffleSplit(5, **options), X, yeast, groups)
    sizes = [np.abs((parts == TEST).mean(axis=1) - 0.2).max() for parts in (ours, theirs)]
    assert sizes[0] < 0.1 * sizes[1]
    assert share_errors(ours, yeast).mean() < share_errors(theirs, yeast).mean()


def test_every_group_is_tested_in_some_split_however_large():
    groups = np.repeat([0, 1, 2], [50, 30, 20])
    y = np.random.default_rng(0).normal(size=100)
    parts = parts_of(
        MultiTaskShuffleSplit(60, test_size=0.2, random_state=0), y[:, None], y, groups
    )
    assert (parts == TEST).any(axis=0).all()


# -- containers -------------------------------------------------------------------------------

CONTAINERS = {
    "dict": dict,
    "target": MultiTaskTarget,
    "pandas": pd.DataFrame,
    "polars": lambda y: pl.DataFrame({name: list(labels) for name, labels in y.items()}),
    "array": lambda y: np.array(list(y.values()), dtype=object).T,
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_container_gives_the_same_splits(container):
    y = mixed_labels(60)
    y["price"] = [None if np.isnan(value) else float(value) for value in y["price"]]
    X, cv = np.zeros((60, 1)), MultiTaskShuffleSplit(2, test_size=0.3, random_state=0)
    assert np.array_equal(parts_of(cv, X, CONTAINERS[container](y)), parts_of(cv, X, y))


def test_x_may_be_sparse_or_absent():
    cv = MultiTaskShuffleSplit(2, random_state=0)
    expected = [test for _, test in cv.split(IRIS, SPECIES)]
    for X in (csr_array(IRIS), None):
        assert np.array_equal([test for _, test in cv.split(X, SPECIES)], expected)


def test_long_form_spreads_the_rows_and_labels_of_each_task():
    rng = np.random.default_rng(0)
    parts = {
        f"shop{t}": (rng.normal(size=(n, 2)), rng.normal(size=n))
        for t, n in enumerate([8, 12, 20, 40])
    }
    X, y = stack_tasks(
        {n: (pd.DataFrame(x, columns=["a", "b"]), labels) for n, (x, labels) in parts.items()}
    )
    y[::4] = np.nan
    cv = MultiTaskShuffleSplit(5, test_size=0.25, random_state=0, task_feature="task")
    tested = parts_of(cv, X, y) == TEST
    for name in parts:
        rows = (X["task"] == name).to_numpy()
        for cell in (rows, rows & ~np.isnan(y)):
            # its share, rounded, and one row where rows and labels cannot both be met
            assert np.abs(tested[:, cell].sum(axis=1) - 0.25 * cell.sum()).max() <= 1.5


def test_float_classes_in_an_array_with_nan_are_spread_by_value():
    y = np.column_stack([SPECIES, SPECIES > 0]).astype(float)
    y[::7, 0] = np.nan
    tested = parts_of(MultiTaskShuffleSplit(3, test_size=0.2, random_state=0), IRIS, y) == TEST
    for value in range(3):
        cell = y[:, 0] == value
        assert np.abs(tested[:, cell].sum(axis=1) - 0.2 * cell.sum()).max() <= 1.5


# -- randomness, scikit-learn's machinery -----------------------------------------------------


def test_an_integer_gives_the_same_splits_and_leaves_numpys_state_alone():
    y, X = mixed_labels(60), np.zeros((60, 1))
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    cv = MultiTaskShuffleSplit(3, random_state=0)
    first, second = parts_of(cv, X, y), parts_of(cv, X, y)
    parts_of(MultiTaskShuffleSplit(2), X, y)
    assert np.array_equal(first, second)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002
    assert not np.array_equal(first, parts_of(MultiTaskShuffleSplit(3, random_state=1), X, y))
    assert not np.array_equal(first[0], first[1])


def test_a_random_state_object_is_advanced():
    y, X = mixed_labels(60), np.zeros((60, 1))
    cv = MultiTaskShuffleSplit(2, random_state=np.random.RandomState(0))
    assert not np.array_equal(parts_of(cv, X, y), parts_of(cv, X, y))


def test_it_prints_as_it_was_made():
    text = repr(MultiTaskShuffleSplit(3, test_size=0.2, random_state=0))
    assert text.startswith("MultiTaskShuffleSplit(n_splits=3, random_state=0,")
    assert "test_size=0.2" in text


def test_it_is_a_cv_argument_with_and_without_metadata_routing():
    groups = np.repeat(np.arange(30), 5)
    order = np.random.default_rng(0).permutation(150)
    X, y = IRIS[order], IRIS[order, 2:]
    cv = MultiTaskShuffleSplit(3, test_size=0.2, random_state=0)
    assert GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=cv).fit(X, y).n_splits_ == 3
    arguments = {"cv": cv, "return_indices": True}
    plain = cross_validate(Ridge(), X, y, groups=groups, **arguments)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = cross_validate(Ridge(), X, y, params={"groups": groups}, **arguments)
    for found in (plain, routed):
        for train, test in zip(*found["indices"].values(), strict=True):
            assert not set(groups[train]) & set(groups[test])


# -- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize("n_splits", [0, -1, 2.0, True])
def test_the_number_of_splits_is_checked(n_splits):
    with pytest.raises(ValueError, match=r"'n_splits' parameter .* integer of at least 1"):
        MultiTaskShuffleSplit(n_splits)


@pytest.mark.parametrize("sizes", [{"test_size": 1.5}, {"test_size": 4}, {"train_size": 0}])
def test_sizes_are_checked_as_by_shuffle_split(sizes):
    with pytest.raises(ValueError, match="size="):
        next(MultiTaskShuffleSplit(**sizes).split(IRIS[:4], SPECIES[:4]))


def test_one_row_or_group_is_an_error():
    with pytest.raises(ValueError, match="need two rows, but there is 1"):
        next(MultiTaskShuffleSplit().split(IRIS[:1], SPECIES[:1]))
    with pytest.raises(ValueError, match="need two groups, but there is 1"):
        next(MultiTaskShuffleSplit().split(IRIS[:4], SPECIES[:4], groups=[0] * 4))


def test_what_kfold_refuses_is_refused_in_the_same_words():
    cv = MultiTaskShuffleSplit(2)
    with pytest.raises(ValueError, match=r"MultiTaskShuffleSplit .* y, which is None.*use Shuffle"):
        next(cv.split(IRIS))
    with pytest.raises(ValueError, match="X has 3 rows, but y has 4"):
        next(cv.split(IRIS[:3], SPECIES[:4]))
    with pytest.raises(ValueError, match="groups has 3 entries for 4 rows"):
        next(cv.split(IRIS[:4], SPECIES[:4], groups=[0, 1, 2]))
    with pytest.raises(TaskLayoutError, match="stack_tasks"):
        next(cv.split({"a": IRIS[:3]}, {"a": SPECIES[:3]}))
    with pytest.raises(ValueError, match="of MultiTaskShuffleSplit must be one of"):
        next(MultiTaskShuffleSplit(task_kinds="regresion").split(IRIS, SPECIES))
    with pytest.raises(TaskLayoutError, match="did you mean 'colour'"):
        next(
            MultiTaskShuffleSplit(task_kinds={"colr": "classification"}).split(
                np.zeros((20, 1)), mixed_labels(20)
            )
        )
