import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.datasets import load_iris, load_linnerud
from sklearn.linear_model import Ridge
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)
from sklearn.naive_bayes import GaussianNB

from sklearn_mtl import MultiTaskKFold, MultiTaskTarget, TaskLayoutError, stack_tasks

IRIS, SPECIES = load_iris(return_X_y=True)


def folds_of(cv, X, y, groups=None):
    """Return the fold of each row, after checking that the splits are a partition."""
    fold = np.full(len(X), -1)
    for k, (train, test) in enumerate(cv.split(X, y, groups)):
        assert np.intersect1d(train, test).size == 0
        assert len(train) + len(test) == len(X)
        assert (fold[test] == -1).all()
        fold[test] = k
    assert (fold >= 0).all()
    assert k + 1 == cv.get_n_splits(X, y, groups)
    return fold


def counts(fold, rows, n_splits):
    return np.bincount(fold[rows], minlength=n_splits)


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
    for name, labels in y.items():
        labels = pd.Series(labels)
        if name == "price":
            yield labels.notna().to_numpy()
        else:
            for value in labels.dropna().unique():
                yield (labels == value).to_numpy()


# -- what folds hold --------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"shuffle": True, "random_state": 3}])
def test_one_classification_task_is_stratified_as_by_stratified_kfold(options):
    n_splits = 4
    y = SPECIES[:143]
    fold = folds_of(MultiTaskKFold(n_splits, **options), IRIS[:143], y)
    reference = folds_of(StratifiedKFold(n_splits, **options), IRIS[:143], y)
    for value in range(3):
        found = counts(fold, y == value, n_splits)
        assert sorted(found) == sorted(counts(reference, y == value, n_splits))
    assert np.ptp(np.bincount(fold)) <= 1


@pytest.mark.parametrize("seed", range(3))
def test_every_cell_is_spread_better_than_by_shuffling(seed):
    y = mixed_labels(600, seed)
    X = np.zeros((600, 1))
    ours = folds_of(MultiTaskKFold(5), X, y)
    theirs = folds_of(KFold(5, shuffle=True, random_state=seed), X, None)
    spread = [[np.ptp(counts(fold, cell, 5)) for cell in cells(y)] for fold in (ours, theirs)]
    assert max(spread[0]) <= 2
    assert np.mean(spread[0]) < 0.25 * np.mean(spread[1])
    assert np.ptp(np.bincount(ours)) == 0


@given(
    seed=st.integers(0, 2**32 - 1),
    n_rows=st.integers(6, 60),
    n_splits=st.integers(2, 6),
    shuffle=st.booleans(),
)
@settings(max_examples=60, deadline=None)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_sizes_are_those_of_kfold_up_to_what_presence_needs(seed, n_rows, n_splits, shuffle):
    assume(n_rows >= n_splits)
    y = mixed_labels(n_rows, seed)
    state = seed if shuffle else None
    fold = folds_of(
        MultiTaskKFold(n_splits, shuffle=shuffle, random_state=state), np.zeros((n_rows, 1)), y
    )
    sizes = np.bincount(fold, minlength=n_splits)
    assert sizes.min() >= 1
    assert np.ptp(sizes) <= 2


@given(seed=st.integers(0, 2**32 - 1), n_rows=st.integers(20, 80))
@settings(max_examples=60, deadline=None)
def test_training_rows_hold_every_cell_of_two_rows_or_more(seed, n_rows):
    y = mixed_labels(n_rows, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        fold = folds_of(MultiTaskKFold(5), np.zeros((n_rows, 1)), y)
    for cell in cells(y):
        if cell.sum() >= 2:
            assert (counts(fold, cell, 5) < cell.sum()).all()


def test_pairs_that_one_pass_would_leave_together_are_parted_by_swaps():
    # dealing rows out once leaves 3.3 % of these pairs in one fold; not all can be parted
    found = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        y = {f"task{t}": rng.integers(6, size=12).astype(object) for t in range(8)}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            fold = folds_of(MultiTaskKFold(3), np.zeros((12, 1)), y)
        for labels in y.values():
            rare = [labels == value for value in range(6) if (labels == value).sum() == 2]
            found += [len(set(fold[cell])) for cell in rare]
    assert np.mean(np.array(found) == 1) < 0.015


@pytest.mark.parametrize("n_labels", [2, 3, 5, 7])
@pytest.mark.filterwarnings("ignore:The test rows of a split have no label")
def test_a_rare_task_is_one_label_a_fold_before_any_fold_has_two(n_labels):
    y = np.random.default_rng(0).normal(size=(100, 2))
    y[n_labels:, 1] = np.nan
    fold = folds_of(MultiTaskKFold(5), y, y)
    found = counts(fold, np.arange(100) < n_labels, 5)
    assert found.max() == np.ceil(n_labels / 5)
    assert found.min() == n_labels // 5


def test_regression_labels_are_counted_not_stratified():
    _, y = load_linnerud(return_X_y=True)
    y = y + 0.5
    fold = folds_of(MultiTaskKFold(5), y, y)
    assert (np.bincount(fold) == 4).all()


def test_float_classes_in_an_array_with_nan_are_spread_by_value():
    y = np.column_stack([SPECIES, SPECIES > 0]).astype(float)
    y[::7, 0] = np.nan
    fold = folds_of(MultiTaskKFold(5), IRIS, y)
    for value in range(3):
        assert np.ptp(counts(fold, y[:, 0] == value, 5)) <= 2


def test_rows_without_any_label_fill_the_folds():
    y = np.full((20, 2), np.nan)
    y[:4] = np.random.default_rng(0).normal(size=(4, 2))
    fold = folds_of(MultiTaskKFold(4), y, y)
    assert (np.bincount(fold) == 5).all()
    assert len(set(fold[:4])) == 4


# -- what a split lacks -----------------------------------------------------------------------


def test_a_class_on_one_row_is_named():
    y = {"good": ["yes", *["no"] * 9], "price": np.linspace(0.5, 5, 10)}
    with pytest.warns(UserWarning, match=r"class 'yes' of task 'good' \(1 row"):
        folds_of(MultiTaskKFold(3), np.zeros((10, 1)), y)


def test_a_task_on_one_row_is_named():
    y = np.random.default_rng(0).normal(size=(10, 2))
    y[1:, 1] = np.nan
    with pytest.warns(UserWarning, match=r"task 'task1' \(1 row"):
        folds_of(MultiTaskKFold(3), y, y)


def test_a_class_in_one_group_is_named():
    y = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0])
    with pytest.warns(UserWarning, match=r"class 1 of task 'task0' \(3 row\(s\)\).*too few groups"):
        folds_of(MultiTaskKFold(3), y[:, None], y, groups=[0, 0, 0, 1, 1, 1, 2, 2, 2])


def test_a_task_without_labels_is_named():
    y = pd.DataFrame({"a": np.arange(6) + 0.5, "b": [None] * 6})
    with pytest.warns(UserWarning, match="No label of task.* 'b'"):
        folds_of(MultiTaskKFold(2), y, y)


def test_a_task_that_a_fold_does_not_test_is_named():
    y = np.random.default_rng(0).normal(size=(20, 2))
    y[3:, 1] = np.nan
    with pytest.warns(UserWarning, match=r"test rows .* no label of .*task 'task1' \(3 row"):
        folds_of(MultiTaskKFold(4), y, y)
    folds_of(MultiTaskKFold(3), y, y)  # one label a fold: nothing to warn of


def test_a_task_whose_labels_are_classes_is_tested_wherever_one_of_them_is():
    # a fold has one label of the task, so lacks one of its classes
    y = pd.DataFrame({"good": list("aabb") + [None] * 8, "bad": list("abc") * 4})
    fold = folds_of(MultiTaskKFold(4), y, y)
    assert sorted(fold[:4]) == [0, 1, 2, 3]


def test_a_single_float_value_is_no_class_to_warn_of():
    y = np.array([0.0] * 10 + [1.0] * 9 + [7.0])
    folds_of(MultiTaskKFold(4), y[:, None], y)
    with pytest.warns(UserWarning, match=r"class 7\.0"):
        folds_of(MultiTaskKFold(4, task_kinds="classification"), y[:, None], y)


# -- groups -----------------------------------------------------------------------------------


@given(seed=st.integers(0, 2**32 - 1), n_groups=st.integers(4, 30), shuffle=st.booleans())
@settings(max_examples=40, deadline=None)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_rows_of_a_group_stay_together_and_no_fold_is_empty(seed, n_groups, shuffle):
    rng = np.random.default_rng(seed)
    groups = np.concatenate([np.arange(n_groups), rng.integers(n_groups, size=80)])
    y = mixed_labels(len(groups), seed)
    cv = MultiTaskKFold(4, shuffle=shuffle, random_state=seed if shuffle else None)
    fold = folds_of(cv, np.zeros((len(groups), 1)), y, groups)
    assert all(len(set(fold[groups == g])) == 1 for g in range(n_groups))
    assert len(set(fold)) == 4


def test_groups_of_one_size_are_stratified():
    groups = np.repeat(np.arange(40), 5)
    y = np.repeat(np.arange(40) % 4 == 0, 5)
    fold = folds_of(MultiTaskKFold(5), y[:, None], y, groups)
    assert (counts(fold, y, 5) == 10).all()
    assert (np.bincount(fold) == 40).all()


def test_what_groups_are_called_does_not_matter():
    y = mixed_labels(60)
    groups = np.repeat(np.arange(20), 3)
    names = np.array([f"g{(7 * g) % 20}" for g in groups])
    X = np.zeros((60, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        same = [folds_of(MultiTaskKFold(4), X, y, g) for g in (groups, names)]
    assert np.array_equal(*same)


# -- containers -------------------------------------------------------------------------------

CONTAINERS = {
    "dict": dict,
    "target": MultiTaskTarget,
    "pandas": pd.DataFrame,
    "polars": lambda y: pl.DataFrame({name: list(labels) for name, labels in y.items()}),
    "array": lambda y: np.array(list(y.values()), dtype=object).T,
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_container_gives_the_same_folds(container):
    y = mixed_labels(80)
    y["price"] = [None if np.isnan(value) else float(value) for value in y["price"]]
    X = np.zeros((80, 1))
    expected = folds_of(MultiTaskKFold(4), X, y)
    assert np.array_equal(folds_of(MultiTaskKFold(4), X, CONTAINERS[container](y)), expected)


def test_x_may_be_sparse_or_absent():
    expected = folds_of(MultiTaskKFold(3), IRIS, SPECIES)
    sparse = csr_array(IRIS)
    tests = [test for _, test in MultiTaskKFold(3).split(sparse, SPECIES)]
    absent = [test for _, test in MultiTaskKFold(3).split(None, SPECIES)]
    for k in range(3):
        assert np.array_equal(tests[k], np.flatnonzero(expected == k))
        assert np.array_equal(absent[k], tests[k])


@pytest.mark.filterwarnings("ignore:The test rows of a split have no label")
def test_long_form_spreads_the_rows_and_labels_of_each_task():
    rng = np.random.default_rng(0)
    parts = {
        f"shop{t}": (rng.normal(size=(n, 2)), rng.normal(size=n))
        for t, n in enumerate([7, 10, 23, 40])
    }
    X, y = stack_tasks(
        {n: (pd.DataFrame(x, columns=["a", "b"]), labels) for n, (x, labels) in parts.items()}
    )
    y[::3] = np.nan
    fold = folds_of(MultiTaskKFold(5, task_feature="task"), X, y)
    for name in parts:
        rows = (X["task"] == name).to_numpy()
        assert np.ptp(counts(fold, rows, 5)) <= 1
        assert np.ptp(counts(fold, rows & ~np.isnan(y), 5)) <= 1


def test_long_form_spreads_the_classes_of_each_task():
    X = np.column_stack([IRIS, np.arange(150) % 2])
    fold = folds_of(MultiTaskKFold(5, task_feature=-1), X, SPECIES)
    for task in range(2):
        for value in range(3):
            assert (counts(fold, (X[:, -1] == task) & (value == SPECIES), 5) == 5).all()


# -- randomness -------------------------------------------------------------------------------


def test_an_integer_gives_the_same_folds_and_leaves_numpys_state_alone():
    y, X = mixed_labels(90), np.zeros((90, 1))
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    cv = MultiTaskKFold(4, shuffle=True, random_state=0)
    first, second = folds_of(cv, X, y), folds_of(cv, X, y)
    folds_of(MultiTaskKFold(4, shuffle=True), X, y)
    assert np.array_equal(first, second)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002
    other = folds_of(MultiTaskKFold(4, shuffle=True, random_state=1), X, y)
    assert not np.array_equal(first, other)


def test_a_random_state_object_is_advanced():
    y, X = mixed_labels(90), np.zeros((90, 1))
    cv = MultiTaskKFold(4, shuffle=True, random_state=np.random.RandomState(0))
    assert not np.array_equal(folds_of(cv, X, y), folds_of(cv, X, y))


# -- scikit-learn's machinery -----------------------------------------------------------------


def test_it_prints_as_it_was_made():
    text = repr(MultiTaskKFold(3, shuffle=True, random_state=0))
    assert text.startswith("MultiTaskKFold(n_splits=3, random_state=0, shuffle=True,")


def test_it_is_a_cv_argument():
    cv = MultiTaskKFold(3)
    scores = cross_val_score(GaussianNB(), IRIS, SPECIES, cv=cv)
    assert len(scores) == 3
    search = GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=cv).fit(IRIS[:, :2], IRIS[:, 2:])
    assert search.n_splits_ == 3
    predicted = cross_val_predict(Ridge(), IRIS[:, :2], IRIS[:, 2:], cv=cv)
    assert predicted.shape == (150, 2)


def test_groups_arrive_with_and_without_metadata_routing():
    groups = np.repeat(np.arange(30), 5)
    order = np.random.default_rng(0).permutation(150)
    X, y = IRIS[order], IRIS[order, 2:]
    arguments = {"cv": MultiTaskKFold(3), "return_indices": True}
    plain = cross_validate(Ridge(), X, y, groups=groups, **arguments)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = cross_validate(Ridge(), X, y, params={"groups": groups}, **arguments)
    for found in (plain, routed):
        for train, test in zip(*found["indices"].values(), strict=True):
            assert not set(groups[train]) & set(groups[test])


# -- errors -----------------------------------------------------------------------------------


def test_more_folds_than_rows_or_groups_is_an_error():
    with pytest.raises(ValueError, match=r"n_splits=5 is more than the 4 row"):
        folds_of(MultiTaskKFold(5), IRIS[:4], SPECIES[:4])
    with pytest.raises(ValueError, match=r"n_splits=5 is more than the 2 group"):
        folds_of(MultiTaskKFold(5), IRIS[:8], SPECIES[:8], groups=[0, 1] * 4)


@pytest.mark.parametrize(
    ("X", "y"),
    [
        ({"a": IRIS[:3], "b": IRIS[:4]}, {"a": SPECIES[:3], "b": SPECIES[:4]}),
        (IRIS[:3], {"a": SPECIES[:3], "b": SPECIES[:4]}),
    ],
)
def test_tasks_with_rows_of_their_own_are_sent_to_stack_tasks(X, y):
    with pytest.raises(TaskLayoutError, match="stack_tasks"):
        next(MultiTaskKFold(2).split(X, y))


def test_lengths_that_differ_are_an_error():
    with pytest.raises(ValueError, match="X has 3 rows, but y has 4"):
        next(MultiTaskKFold(2).split(IRIS[:3], SPECIES[:4]))
    with pytest.raises(ValueError, match="groups has 3 entries for 4 rows"):
        next(MultiTaskKFold(2).split(IRIS[:4], SPECIES[:4], groups=[0, 1, 2]))


def test_y_is_needed():
    with pytest.raises(ValueError, match="y, which is None"):
        next(MultiTaskKFold(2).split(IRIS))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n_splits": 1}, ValueError, "at least 2"),
        ({"n_splits": 2.0}, ValueError, "integer"),
        ({"n_splits": True}, ValueError, "integer"),
        ({"shuffle": 1}, TypeError, "True or False"),
        ({"random_state": 0}, ValueError, "shuffle=True"),
    ],
)
def test_parameters_are_checked(arguments, error, message):
    with pytest.raises(error, match=message):
        MultiTaskKFold(**arguments)


def test_unknown_tasks_in_task_kinds_are_named():
    cv = MultiTaskKFold(2, task_kinds={"colr": "classification"})
    with pytest.raises(TaskLayoutError, match="did you mean 'colour'"):
        next(cv.split(np.zeros((20, 1)), mixed_labels(20)))
