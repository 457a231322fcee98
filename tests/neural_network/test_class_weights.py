"""Class weights and label smoothing, against repeated rows and scikit-learn."""

import numpy as np
import pytest
import torch
from neural_network._loss_data import LINEAR, SMALL, make_mixed, make_rows
from sklearn.linear_model import LogisticRegression
from sklearn.utils.class_weight import compute_class_weight

from sklearn_mtl import MultiTaskClassifier, MultiTaskEstimator


@pytest.mark.parametrize("layout", ["shared", "long"])
def test_a_class_weight_is_rows_repeated(layout):
    X, y = make_mixed()
    y, rows = y["grade"], np.arange(len(X))
    params = {**LINEAR, "max_epochs": 20, "optimizer": "sgd"}  # Adam would scale roundings up
    again = np.concatenate([rows, rows[y == 1], rows[y == 1], rows[y == 2]])
    if layout == "long":
        X = np.column_stack([X, rows % 2])
        params["task_feature"] = -1
    weighted = MultiTaskClassifier(**params, class_weight={1: 3, 2: 2.0}).fit(X, y)
    repeated = MultiTaskClassifier(**params).fit(X[again], y[again])
    # the same sums in another order
    np.testing.assert_allclose(
        weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_balanced_means_what_it_means_in_scikit_learn(missing, weighted):
    X, y = make_mixed()
    y = {"good": y["good"].astype(object), "grade": y["grade"].astype(object)}
    if missing:
        y["good"][:30], y["grade"][50:] = None, None
    sample_weight = np.linspace(0.5, 2.0, len(X)) if weighted else None
    params = {**SMALL, "dtype": "float64"}
    balanced = MultiTaskClassifier(**params, class_weight="balanced").fit(X, y, sample_weight)
    expected = {}
    for name, labels in y.items():
        seen = np.array([label is not None for label in labels])
        known = labels[seen].astype(str if name == "good" else int)
        mass = None if sample_weight is None else sample_weight[seen]
        classes = np.unique(known)
        weight = compute_class_weight("balanced", classes=classes, y=known, sample_weight=mass)
        expected[name] = dict(zip(classes.tolist(), weight.tolist(), strict=True))
    model = MultiTaskClassifier(**params, class_weight=expected).fit(X, y, sample_weight)
    for name in y:
        # weights that are rounded once more
        np.testing.assert_allclose(
            balanced.predict_proba(X)[name], model.predict_proba(X)[name], rtol=1e-9
        )


def test_balanced_logistic_regression():
    X, eta, rng = make_rows()
    y = np.where(eta + rng.normal(size=len(X)) > 1.0, "yes", "no")
    params = {**LINEAR, "lr": 0.1, "max_epochs": 1500}
    model = MultiTaskClassifier(**params, class_weight="balanced").fit(X, y)
    expected = LogisticRegression(C=np.inf, class_weight="balanced", tol=1e-8, max_iter=1000)
    # what is left after 1500 Adam steps with a rate that falls to 0
    np.testing.assert_allclose(
        model.predict_proba(X), expected.fit(X, y).predict_proba(X), atol=1e-4
    )


def test_a_class_of_weight_0_is_not_observed():
    X, y = make_mixed()
    y = y["grade"]
    params = {**LINEAR, "max_epochs": 20, "optimizer": "sgd"}  # Adam would scale roundings up
    without = MultiTaskClassifier(**params)
    without.partial_fit(X[y < 2], y[y < 2], classes=[0, 1, 2])  # rows of no label are left out
    weighted = MultiTaskClassifier(**params, class_weight={2: 0.0}).partial_fit(X, y)
    # the same sums in another order
    np.testing.assert_allclose(
        weighted.predict_proba(X), without.predict_proba(X), rtol=1e-9, atol=1e-12
    )


def test_a_callers_loss_does_not_see_a_class_of_weight_0():
    X, y = make_mixed()
    seen = set()

    def recorded(logits, labels):
        seen.update(labels.tolist())
        return torch.nn.functional.cross_entropy(logits, labels, reduction="none")

    labels = {"grade": y["grade"], "good": y["good"]}
    model = MultiTaskClassifier(
        **SMALL, loss={"grade": recorded}, class_weight={"grade": {2: 0.0}}
    ).fit(X, labels)
    assert seen == {0, 1}
    assert (model.predict(X)["grade"] < 2).all()


def test_labels_of_other_tasks_have_the_weight_they_had():
    X, y = make_mixed()
    y = {"price": y["price"], "grade": y["grade"]}
    params = {**LINEAR, "max_epochs": 20, "optimizer": "sgd"}  # Adam would scale roundings up
    plain = MultiTaskEstimator(**params).fit(X, y)
    weighted = MultiTaskEstimator(**params, class_weight={"grade": {0: 0.25}}).fit(X, y)
    # without a hidden layer tasks have nothing in common; a weight of 1 rounds nothing
    np.testing.assert_allclose(weighted.predict(X)["price"], plain.predict(X)["price"], rtol=1e-12)
    assert not np.allclose(weighted.predict_proba(X)["grade"], plain.predict_proba(X)["grade"])


def test_smoothed_labels_are_learned_as_probabilities():
    X, eta, rng = make_rows(n=40)
    y = np.column_stack([eta > 0, np.digitize(eta, [-0.3, 0.3])]).astype(int)
    params = {**LINEAR, "lr": 0.1, "max_epochs": 600}
    model = MultiTaskClassifier(**params, label_smoothing={"task0": 0.2, "task1": 0.3}).fit(X, y)
    # at the optimum of a linear model mean probabilities are mean smoothed labels
    for t, (smoothing, k) in enumerate([(0.2, 2), (0.3, 3)]):
        expected = (1 - smoothing) * np.bincount(y[:, t]) / len(X) + smoothing / k
        # what is left after 600 Adam steps with a rate that falls to 0
        np.testing.assert_allclose(model.predict_proba(X)[t].mean(axis=0), expected, atol=1e-4)


@pytest.mark.parametrize("streaming", [False, True])
def test_going_on_keeps_class_weights_and_refuses_another_loss(streaming):
    X, y = make_mixed()
    y = y["grade"]
    model = MultiTaskClassifier(**SMALL, class_weight="balanced", warm_start=True).fit(X, y)
    before = model._class_weight[0]
    go_on = model.partial_fit if streaming else model.fit
    go_on(X[:40], y[:40])
    np.testing.assert_array_equal(model._class_weight[0], before)
    model.set_params(label_smoothing=0.1)
    with pytest.raises(ValueError, match=r"label_smoothing is now 0.1"):
        go_on(X, y)
