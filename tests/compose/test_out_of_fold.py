"""The folds in which rows are held out, and the columns in which tasks read each other."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneOut,
    ShuffleSplit,
    StratifiedKFold,
)
from sklearn.tree import DecisionTreeClassifier

from sklearn_mtl import TaskChain
from sklearn_mtl.compose._folds import folds_of, read_cv
from sklearn_mtl.compose._part import cut
from sklearn_mtl.compose._predicted_columns import PredictedColumns
from sklearn_mtl.tasks import TaskSpec, infer_layout


def make_part(y, X=None):
    X = np.zeros((len(y), 1)) if X is None else X
    layout = infer_layout(X, y, family="mixed")
    return cut(layout, X, y, [{}])[0], layout


def assert_same_folds(actual, expected):
    for (train, test), (by_hand, held_out) in zip(actual, expected, strict=True):
        assert train.tolist() == by_hand.tolist()
        assert test.tolist() == held_out.tolist()


# -- folds ----------------------------------------------------------------------------------------


def test_a_number_of_folds_splits_the_labelled_rows_and_stratifies_classes():
    y = np.array([1.0, np.nan, 2.0, 3.0, np.nan, 4.0])
    assert_same_folds(folds_of(make_part(y)[0], 2), KFold(2).split(np.zeros(4)))
    classes = np.array(["a"] * 6 + ["b"] * 4 + [None] * 2, dtype=object)
    expected = StratifiedKFold(3).split(np.zeros(10), classes[:10].astype(str))
    assert_same_folds(folds_of(make_part(classes)[0], 3), expected)
    expected = LeaveOneOut().split(np.zeros(4))
    assert_same_folds(folds_of(make_part(y)[0], LeaveOneOut()), expected)


def test_ready_made_splits_are_cut_to_the_labelled_rows():
    y = np.array([1.0, np.nan, 2.0, 3.0, np.nan, 4.0])
    part, layout = make_part(y)
    # the third split tests no labelled row
    splits = (
        (np.setdiff1d(np.arange(6), test), np.array(test)) for test in ([0, 1, 2], [3, 5], [4])
    )
    cv = read_cv(splits, layout)
    expected = [(np.array([2, 3]), np.array([0, 1])), (np.array([0, 1]), np.array([2, 3]))]
    for _ in range(2):  # the second task reads them too
        assert_same_folds(folds_of(part, cv), expected)


def test_groups_stay_together():
    y = np.array([1.0, np.nan, 2.0, 3.0, 5.0, 4.0])
    folds = folds_of(make_part(y)[0], GroupKFold(2), groups=np.array([7, 7, 7, 8, 8, 7]))
    assert sorted(test.tolist() for _, test in folds) == [[0, 1, 4], [2, 3]]


@pytest.mark.parametrize(
    ("y", "cv", "message"),
    [
        ([1.0, np.nan, 2.0], 3, r"has 2 label\(s\) for cv=3 folds.*label more rows"),
        (["a", "a", "b", None], KFold(4), r"has 3 label\(s\) for cv=4 folds"),
        (["a", "a", "b", "b"], 3, "cannot split its 4 labelled rows: n_splits=3 cannot be greater"),
        (["a", "a", "a", "b"], 2, r"one class, 'a', where .*it has 3 of 'a', 1 of 'b'"),
        ([1.0, 2.0, 3.0], GroupKFold(2), "cannot split its 3 labelled rows: The 'groups' param"),
        ([1.0, 2.0, 3.0], ShuffleSplit(1, test_size=1), "tests 2 never and 0 more"),
        ([1.0, 2.0, 3.0], [([0, 1], [2]), ([0], [1, 2])], "1 never and 1 more than once"),
        ([1.0, np.nan], [([1], [0]), ([0], [1])], "leaves none of its 1 labels to fit"),
    ],
)
def test_a_task_that_cannot_be_split_is_named_with_its_labels(y, cv, message):
    part, _ = make_part(np.array(y, dtype=object if isinstance(y[0], str) else float))
    with pytest.raises(ValueError, match=rf"Task 'task0'.*{message}"):
        folds_of(part, cv)


def test_a_task_of_one_class_is_no_rare_class():
    X = np.column_stack([np.arange(8.0), np.repeat([0, 1], 4)])
    y = np.array(["no"] * 4 + ["no", "yes"] * 2)
    chain = TaskChain(DecisionTreeClassifier(random_state=0), cv=2, task_feature=1).fit(X, y)
    assert chain.predict(X).tolist() == y.tolist()


def test_a_task_that_nobody_reads_needs_no_folds():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    # one positive label, and two labels: neither can be split in five
    y = {"b": X[:, 0] > 0, "rare": np.arange(60) == 7}
    chain = TaskChain(LogisticRegression(), order=["b", "rare"]).fit(X, y)
    assert chain.chains_[0]["rare"].n_features_in_ == 3
    with pytest.raises(ValueError, match="Task 'rare' has labels of one class"):
        TaskChain(LogisticRegression(), order=["rare", "b"]).fit(X, y)
    values = np.column_stack([X[:, 0], np.where(np.arange(60) < 2, X[:, 1], np.nan)])
    assert np.isfinite(TaskChain(Ridge()).fit(X, values).predict(X)).all()
    chains = TaskChain(Ridge(), order="random", n_chains=2, random_state=0)
    with pytest.raises(ValueError, match=r"'task1' has 2 label\(s\) for cv=5"):
        chains.fit(X, values)  # one of the two orders has it first


@pytest.mark.parametrize("cv", [1, 0, "kfold", 2.5])
def test_what_holds_no_row_out_is_refused(cv):
    layout = make_part(np.arange(3.0))[1]
    with pytest.raises(ValueError, match=r"cv=\d holds no row out|cv must be a number of folds"):
        read_cv(cv, layout)


def test_rows_by_number_are_refused_where_each_task_has_its_own():
    X = {"a": np.zeros((4, 1)), "b": np.zeros((4, 1))}
    y = {"a": np.arange(4.0), "b": np.arange(4.0)}
    with pytest.raises(ValueError, match="each task has rows of its own; pass a number of folds"):
        TaskChain(Ridge(), cv=[([0, 1], [2, 3]), ([2, 3], [0, 1])]).fit(X, y)


# -- columns --------------------------------------------------------------------------------------


def test_a_class_that_a_fold_never_saw_has_probability_zero_in_it():
    X = np.arange(9.0)[:, None]
    y = {"kind": np.array(["a", "b"] * 4 + ["c"]), "size": np.arange(9.0)}
    kinds = {"kind": DecisionTreeClassifier(random_state=0), "size": Ridge()}
    chain = TaskChain({**kinds, "size": DecisionTreeRecorder()}, cv=2).fit(X, y)
    read = chain.chains_[0]["size"].features_
    assert read.shape == (9, 1 + 3)
    assert read[8, 3] == 0
    np.testing.assert_allclose(read[:, 1:].sum(axis=1), 1.0, rtol=1e-12)  # one rounding a class


class DecisionTreeRecorder(Ridge):
    """Keeps the features of its fit."""

    def fit(self, X, y):
        self.features_ = X
        return super().fit(X, y)


def test_two_classes_have_one_column_and_more_have_one_each():
    two = PredictedColumns(TaskSpec("good", "binary", np.array(["no", "yes"])), True)
    three = PredictedColumns(TaskSpec("stars", "multiclass", np.array([1, 2, 3])), True)
    value = PredictedColumns(TaskSpec("price", "regression"), True)
    assert [one.names for one in (two, three, value)] == [
        ["predicted_good_yes"],
        ["predicted_stars_1", "predicted_stars_2", "predicted_stars_3"],
        ["predicted_price"],
    ]
    assert two.of_labels(np.array([1.0, 0.0])).tolist() == [[1.0], [0.0]]
    assert three.of_labels(np.array([2.0, 0.0])).tolist() == [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    X, y = np.arange(6.0)[:, None], np.array(["no", "no", "no", "yes", "yes", "yes"])
    fitted = LogisticRegression().fit(X, y)
    assert np.array_equal(two.ask(fitted, X), fitted.predict_proba(X)[:, 1:])
    classes = PredictedColumns(two.task, False)
    assert classes.ask(fitted, X).ravel().tolist() == (fitted.predict(X) == "yes").tolist()
