import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    get_scorer,
    get_scorer_names,
    log_loss,
    make_scorer,
    mean_absolute_error,
    mean_squared_error,
    r2_score,
    roc_auc_score,
)

from sklearn_mtl import MultiTaskTarget, TaskLayoutError, score_per_task

TRUE = {"price": [1.0, 2.0, None, 4.0], "good": ["no", "yes", "no", None]}
PREDICTED = {"price": [1.0, 2.0, 9.0, 3.0], "good": ["no", "no", "no", "yes"]}
EXPECTED = {"price": r2_score([1, 2, 4], [1, 2, 3]), "good": 2 / 3}

CONTAINERS = {
    "dict": dict,
    "target": MultiTaskTarget,
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "object array": lambda y: np.array(list(y.values()), dtype=object).T,
}


def as_plain(scores):
    return dict(zip(EXPECTED, scores.values(), strict=True))


@pytest.mark.parametrize("true", CONTAINERS)
@pytest.mark.parametrize("predicted", CONTAINERS)
def test_every_container_gives_the_same_scores(true, predicted):
    scores = score_per_task(CONTAINERS[true](TRUE), CONTAINERS[predicted](PREDICTED))
    assert as_plain(scores) == pytest.approx(EXPECTED)
    assert all(type(score) is float for score in scores.values())


def test_names_are_those_of_y_true():
    assert list(score_per_task(TRUE, PREDICTED)) == ["price", "good"]
    assert list(score_per_task(np.zeros((3, 2)), np.zeros((3, 2)))) == ["task0", "task1"]
    assert list(score_per_task(pd.Series([1.0, 2.0], name="y"), [1.0, 2.0])) == ["y"]


def test_named_predictions_are_matched_by_name_in_any_order():
    reordered = pd.DataFrame(PREDICTED)[["good", "price"]]
    assert score_per_task(TRUE, reordered) == pytest.approx(EXPECTED)


@given(
    seed=st.integers(0, 2**32 - 1),
    metric=st.sampled_from(["r2", "neg_mean_squared_error", "neg_median_absolute_error"]),
    weighted=st.booleans(),
)
@settings(max_examples=30, deadline=None)
def test_missing_labels_are_skipped_task_by_task(seed, metric, weighted):
    rng = np.random.default_rng(seed)
    y, predicted = rng.normal(size=(25, 3)), rng.normal(size=(25, 3))
    y[rng.random(y.shape) < 0.3] = np.nan
    weight = rng.random((25, 3)) + 0.1 if weighted else None
    scores = score_per_task(y, predicted, metric, sample_weight=weight)
    scorer = get_scorer(metric)
    for t, score in enumerate(scores.values()):
        rows = ~np.isnan(y[:, t])
        arguments = {} if weight is None else {"sample_weight": weight[rows, t]}
        own = scorer._sign * scorer._score_func(y[rows, t], predicted[rows, t], **arguments)
        assert score == pytest.approx(own)


def labels_for(name):
    rng = np.random.default_rng(0)
    if get_scorer(name)._response_method != "predict":
        y = rng.integers(2, size=30)
        return y, rng.integers(2, size=30), rng.random(30)
    function = get_scorer(name)._score_func.__name__
    if function.startswith(("mean", "max", "median", "root", "r2", "explained", "d2")):
        return rng.random(30) + 1, rng.random(30) + 1, None
    return rng.integers(2, size=30), rng.integers(2, size=30), None


# "samples" are averages over several targets, which are several tasks here; the best 2 of 2
# classes are always right, of which scikit-learn warns
NAMES = [n for n in get_scorer_names() if "samples" not in n and n != "top_k_accuracy"]


@pytest.mark.parametrize("name", NAMES)
def test_every_scorer_name_equals_its_function_on_complete_data(name):
    y, predicted, positive = labels_for(name)
    scorer = get_scorer(name)
    if positive is None:
        given = {"y_pred": predicted}
        own = scorer._sign * scorer._score_func(y, predicted, **scorer._kwargs)
    else:
        given = {"y_pred": None, "y_score": np.column_stack([1 - positive, positive])}
        own = scorer._sign * scorer._score_func(y, positive, **scorer._kwargs)
    assert score_per_task(y, metric=name, **given) == {"task0": pytest.approx(own)}


@pytest.mark.parametrize(
    "name", ["neg_log_loss", "roc_auc_ovr", "top_k_accuracy", "neg_brier_score"]
)
def test_probabilities_of_several_classes(name):
    rng = np.random.default_rng(0)
    y = rng.choice(["a", "b", "c"], size=40)
    proba = rng.dirichlet(np.ones(3), size=40)
    scorer = get_scorer(name)
    own = scorer._sign * scorer._score_func(y, proba, **scorer._kwargs)
    assert score_per_task({"y": y}, None, name, y_score={"y": proba})["y"] == pytest.approx(own)


def test_probabilities_of_a_class_that_the_rows_lack_need_the_classes():
    proba = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]])
    y = {"y": ["a", "b"]}
    with pytest.raises(ValueError, match="Task 'y' cannot be scored by 'neg_log_loss'"):
        score_per_task(y, None, "neg_log_loss", y_score={"y": proba})
    scores = score_per_task(
        y, None, "neg_log_loss", y_score={"y": proba}, classes={"y": ["a", "b", "c"]}
    )
    assert scores["y"] == pytest.approx(-log_loss(["a", "b"], proba, labels=["a", "b", "c"]))


def test_float_classes_with_nan_can_be_scored_by_their_probabilities():
    y = np.array([[0.0, 1.0], [1.0, np.nan], [1.0, 0.0], [0.0, 1.0]])
    first, second = np.array([0.2, 0.6, 0.9, 0.7]), np.array([0.6, 0.5, 0.1, 0.8])
    scores = score_per_task(y, None, "roc_auc", y_score=[first, second])
    assert scores["task0"] == roc_auc_score(y[:, 0], first)
    assert scores["task1"] == 1.0


def test_a_metric_of_probabilities_asks_for_them():
    with pytest.raises(ValueError, match=r"Task 'task0'.*'roc_auc' needs.*y_score.*make_task_scor"):
        score_per_task([0, 1], [0, 1], "roc_auc")


def test_a_metric_of_labels_does_not_take_scores():
    with pytest.raises(ValueError, match=r"'accuracy' scores predicted labels.*pass y_pred"):
        score_per_task([0, 1], None, y_score=[0.2, 0.8])


def test_nothing_predicted_is_an_error():
    with pytest.raises(TypeError, match="needs y_pred"):
        score_per_task([0, 1], None)


def test_a_dict_gives_tasks_their_own_metric_and_the_others_the_default():
    y = {"a": [0.0, 1.0, 3.0], "b": [0.0, 1.0, 3.0], "c": [0, 1, 1]}
    predicted = {"a": [0.0, 1.0, 2.0], "b": [0.0, 1.0, 2.0], "c": [0, 1, 0]}
    scores = score_per_task(y, predicted, {"a": "neg_mean_absolute_error", "c": f1_score})
    assert scores == pytest.approx(
        {
            "a": -1 / 3,
            "b": r2_score(y["b"], predicted["b"]),
            "c": f1_score(y["c"], predicted["c"]),
        }
    )


def test_callables_and_made_scorers():
    y, predicted = np.array([1.0, 2.0]), np.array([1.5, 2.0])
    assert score_per_task(y, predicted, mean_absolute_error)["task0"] == 0.25
    made = make_scorer(mean_squared_error, greater_is_better=False)
    assert score_per_task(y, predicted, made)["task0"] == -0.125
    assert score_per_task(y, predicted, lambda t, p: len(t))["task0"] == 2.0


def test_text_classes_take_a_made_scorer_for_their_positive_class():
    y, predicted = ["no", "yes", "yes"], ["no", "yes", "no"]
    with pytest.raises(ValueError, match=r"Task 'task0' cannot be scored by 'f1'.*pos_label"):
        score_per_task(y, predicted, "f1")
    positive = make_scorer(f1_score, pos_label="yes")
    assert score_per_task(y, predicted, positive)["task0"] == pytest.approx(2 / 3)


def test_tasks_with_rows_of_their_own():
    y = {"a": [1.0, 2.0, 4.0], "b": [1, 0, 1, np.nan, 1]}
    predicted = {"b": [1, 1, 1, 0, 0], "a": [1.0, 2.0, 3.0]}
    weight = {"a": [1.0, 2.0, 3.0], "b": [1.0, 1.0, 2.0, 1.0, 0.0]}
    scores = score_per_task(y, predicted, sample_weight=weight, task_kinds={"b": "classification"})
    assert scores["a"] == r2_score(y["a"], predicted["a"], sample_weight=weight["a"])
    assert scores["b"] == accuracy_score([1, 0, 1], [1, 1, 1], sample_weight=[1, 1, 2])


def test_long_form_scores_each_task_on_its_own_rows():
    rng = np.random.default_rng(0)
    tasks = rng.choice(["x", "y", "z"], size=60)
    y, predicted, weight = rng.normal(size=(3, 60))
    weight = weight**2
    y[::7] = np.nan
    scores = score_per_task(y, predicted, tasks=tasks, sample_weight=weight)
    assert list(scores) == ["x", "y", "z"]
    for name, score in scores.items():
        rows = (tasks == name) & ~np.isnan(y)
        assert score == pytest.approx(
            r2_score(y[rows], predicted[rows], sample_weight=weight[rows])
        )


def test_long_form_takes_kinds_by_task():
    y = np.array([1.5, "no", 2.5, "yes"], dtype=object)
    scores = score_per_task(y, y[::-1][::-1], tasks=pd.Series(["a", "b", "a", "b"]))
    assert scores == {"a": 1.0, "b": 1.0}


def test_numeric_task_names_come_back_as_integers():
    assert list(score_per_task([1.0, 2.0, 3.0, 4.0], [1.0] * 4, tasks=[0.0, 0.0, 7.0, 7.0])) == [
        0,
        7,
    ]


def test_the_kind_is_that_of_the_tasks_layer_and_can_be_overridden():
    y, predicted = np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 1.0])
    assert score_per_task(y, predicted)["task0"] == r2_score(y, predicted)
    assert score_per_task(y, predicted, task_kinds="classification")["task0"] == 2 / 3
    assert score_per_task(y.astype(int), predicted)["task0"] == 2 / 3
    assert score_per_task(y.astype(int), [0.0, 1.5, 2.0], task_kinds={"task0": "regression"})[
        "task0"
    ] == pytest.approx(0.875)


def test_integer_labels_with_fractional_predictions_say_what_to_do():
    with pytest.raises(ValueError, match=r"Task 'task0' cannot be scored.*'regression'"):
        score_per_task([0, 1, 2], [0.5, 1.0, 2.0])


def test_weight_zero_means_not_observed():
    y, predicted = [1.0, 2.0, 3.0, 9.0], [1.0, 2.0, 4.0, 0.0]
    scores = score_per_task(y, predicted, sample_weight=[1, 1, 1, 0])
    assert scores["task0"] == r2_score(y[:3], predicted[:3])


def test_a_task_without_labels_is_nan_and_named():
    y = pd.DataFrame({"a": [1.0, 2.0], "b": [None, None]})
    with pytest.warns(UndefinedMetricWarning, match=r"'b' is observed|task\(s\) 'b'"):
        scores = score_per_task(y, np.ones((2, 2)))
    assert scores["a"] < 0
    assert np.isnan(scores["b"])


def test_r2_of_one_label_is_nan_and_named():
    y = {"a": [1.0, None], "b": [1.0, 2.0], "c": [None, 2.0]}
    with pytest.warns(UndefinedMetricWarning, match=r"Task\(s\) 'a', 'c'.*R\^2"):
        scores = score_per_task(y, y | {"a": [1.0, 1.0], "c": [1.0, 1.0]})
    assert np.isnan([scores["a"], scores["c"]]).all()
    assert scores["b"] == 1.0


def test_roc_auc_of_one_class_is_nan_and_named():
    with pytest.warns(UndefinedMetricWarning, match=r"'task0'.*one class"):
        scores = score_per_task([1, 1], None, "roc_auc", y_score=[0.1, 0.2], classes=[0, 1])
    assert np.isnan(scores["task0"])


WRONG = {
    "a name that y_true lacks": ({"a": [1.0]}, {"b": [1.0]}, {}, "y_pred lacks.*'a'"),
    "a name too many": ({"a": [1.0]}, {"a": [1.0], "b": [1.0]}, {}, "'b', which y_true lacks"),
    "too few columns": (np.zeros((2, 2)), np.zeros(2), {}, r"1 column.*2 task"),
    "another length": ({"a": [1.0, 2.0]}, {"a": [1.0]}, {}, "'a' has 2 labels in y_true, but 1"),
    "an unknown task": ([1.0], [1.0], {"metric": {"task1": "r2"}}, "did you mean 'task0'"),
    "tasks of another length": ([1.0], [1.0], {"tasks": ["a", "b"]}, "2 row.*but y_true has 1"),
    "tasks beside columns": ({"a": [1.0]}, {"a": [1.0]}, {"tasks": ["a"]}, "leave tasks=None"),
    "an unknown kind": ([1.0], [1.0], {"task_kinds": {"x": "regression"}}, "task_kinds names 'x'"),
    "weights by another name": (
        {"a": [1.0]},
        {"a": [1.0]},
        {"sample_weight": {"b": [1.0]}},
        "sample_weight lacks",
    ),
    "weights of another shape": ([1.0], [1.0], {"sample_weight": [1.0, 2.0]}, "sample_weight"),
    "scores of another length": ([0, 1], None, {"y_score": [0.5]}, "y_score of task 'task0'"),
    "a list of scores too short": (np.zeros((1, 2)), None, {"y_score": [[0.5]]}, "list of 1"),
    "classes for other tasks": ([0], [0], {"classes": {"b": [0, 1]}}, "classes names 'b'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_layouts_that_differ_are_errors_that_name_what_differs(case):
    y_true, y_pred, options, message = WRONG[case]
    with pytest.raises(TaskLayoutError, match=message):
        score_per_task(y_true, y_pred, **options)


def test_a_missing_prediction_is_an_error_only_where_a_label_is_observed():
    assert score_per_task([1.0, 2.0, np.nan], [1.0, 2.0, np.nan])["task0"] == 1.0
    with pytest.raises(ValueError, match=r"'task0' has 1 missing prediction.*row 1"):
        score_per_task([1.0, 2.0, np.nan], [1.0, np.nan, 3.0])


def test_an_unknown_metric_offers_the_closest_name():
    with pytest.raises(ValueError, match="did you mean 'accuracy'"):
        score_per_task([0], [0], "acuracy")
    with pytest.raises(TypeError, match="got int"):
        score_per_task([0], [0], 3)


def test_a_metric_that_does_not_fit_names_the_task():
    with pytest.raises(ValueError, match=r"Task 'price' cannot be scored by 'accuracy'.*metric="):
        score_per_task(TRUE | {"price": [0.5, 1.5, 2.5, 3.5]}, PREDICTED, "accuracy")


def test_a_metric_without_weights_says_so():
    with pytest.raises(ValueError, match="'neg_max_error' takes no sample_weight"):
        score_per_task([1.0, 2.0], [1.0, 2.0], "neg_max_error", sample_weight=[1, 1])


def test_a_thousand_tasks_do_not_disturb_warning_filters():
    y = np.random.default_rng(0).normal(size=(20, 1000))
    assert len(score_per_task(y, y)) == 1000
