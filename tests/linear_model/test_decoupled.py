"""What estimators say they are where tasks share nothing: fits of single tasks, put together."""

import numpy as np
import pytest
from sklearn.base import clone

from sklearn_mtl import (
    GraphClassifier,
    GraphRegressor,
    GraphRegressorCV,
    IndependentTasks,
    JointFeatureRegressor,
    LowRankRegressor,
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
    MultiTaskLinearClassifier,
    MultiTaskLinearEstimator,
    MultiTaskLinearRegressor,
    TaskRelationshipClassifier,
    TaskRelationshipRegressor,
)
from sklearn_mtl.convex import (
    L1,
    CoefRows,
    GraphLaplacian,
    GroupL21,
    MeanRegularization,
    Ridge,
    TaskRelationship,
)
from sklearn_mtl.convex.penalties import PENALTIES

NAMES = list("abcd")
RBF = {"kernel": "rbf", "kernel_params": {"gamma": 0.2}}
MEAN = {"alpha_shared": 1e15, "alpha_specific": 0.3}  # a w_0 of 1e-15 times the rest
UNRELATED = {"gamma": 0.2, "alpha": 0.1, "prior_strength": np.inf}  # C = I / T, held

# joint models that share nothing, and parameters with which they share
NUMBERS = {
    "mean": (MeanRegularizedRegressor(**MEAN), {"alpha_shared": 0.01}),
    "mean, kernel": (MeanRegularizedRegressor(**MEAN, **RBF), {"alpha_shared": 0.01}),
    "graph": (GraphRegressor([], alpha=0.3), {}),
    "graph, kernel": (GraphRegressor([], alpha=0.3, **RBF), {}),
    "relationship": (TaskRelationshipRegressor(**UNRELATED), {"prior_strength": 0.0}),
    "relationship, kernel": (TaskRelationshipRegressor(**UNRELATED, **RBF), {}),
    "penalty": (
        MultiTaskLinearRegressor(
            MeanRegularization(1e15, 0.3)
            + GraphLaplacian([])
            + Ridge(0.1)
            + TaskRelationship(0.2, prior_strength=np.inf)
        ),
        {"penalty__meanregularization__alpha_shared": 0.01},
    ),
    "sparse": (MultiTaskLinearRegressor(L1(0.1)), {}),
}
CLASSES = {
    "mean": (MeanRegularizedClassifier(**MEAN, tol=1e-12), {"alpha_shared": 0.01}),
    "graph": (GraphClassifier([], alpha=0.3, tol=1e-12), {}),
    "relationship": (
        TaskRelationshipClassifier(**UNRELATED, tol=1e-12),
        {"prior_strength": 0.0},
    ),
    "penalty": (MultiTaskLinearClassifier(Ridge(0.3), tol=1e-12), {}),
}


def make_rows(seed=0):
    rng = np.random.default_rng(seed)
    X = {name: rng.normal(size=(n, 5)) for name, n in zip("abcd", (12, 20, 15, 30), strict=True)}
    return X, {
        name: rows @ rng.normal(size=5) + rng.normal(size=len(rows)) for name, rows in X.items()
    }


@pytest.mark.parametrize("case", NUMBERS)
def test_a_joint_model_that_shares_nothing_is_its_decoupled_self_task_by_task(case):
    joint, _ = NUMBERS[case]
    X, y = make_rows()
    together = joint.fit(X, y)
    alone = IndependentTasks(joint.decoupled("a", NAMES)).fit(X, y)
    for name in X:
        # closed forms, and for "sparse" a duality gap of 1e-6: the error is the root of that
        atol = 1e-3 if case == "sparse" else 1e-8
        np.testing.assert_allclose(
            together.predict({key: rows[:5] for key, rows in X.items()})[name],
            alone.predict({key: rows[:5] for key, rows in X.items()})[name],
            atol=atol,
        )


@pytest.mark.parametrize("case", CLASSES)
def test_a_joint_classifier_that_shares_nothing_is_its_decoupled_self(case):
    joint, _ = CLASSES[case]
    X, y = make_rows()
    y = {name: labels > 0 for name, labels in y.items()}
    together = joint.fit(X, y)
    alone = IndependentTasks(joint.decoupled("a", NAMES)).fit(X, y)
    for t, name in enumerate(X):
        # a duality gap of 1e-12 leaves 1e-6 of the weights
        np.testing.assert_allclose(together.coef_[t], alone.estimators_[name].coef_[0], atol=1e-5)


@pytest.mark.parametrize(
    ("estimator", "sharing"),
    [
        (estimator, sharing)
        for estimator, sharing in [*NUMBERS.values(), *CLASSES.values()]
        if sharing
    ],
)
def test_how_much_is_shared_does_not_change_it(estimator, sharing):
    found = clone(estimator).set_params(**sharing).decoupled("c", NAMES)
    assert repr(found) == repr(estimator.decoupled("c", NAMES))
    assert repr(clone(estimator).set_params(**sharing)) != repr(estimator)


@pytest.mark.parametrize("name", PENALTIES)
def test_penalties_of_unrelated_weights_are_sums_over_tasks(name):
    # of one size and no feature in common: each norm, and I / T as the learned covariance
    W = np.zeros((4, 8))
    W[np.arange(4), 2 * np.arange(4)], W[np.arange(4), 2 * np.arange(4) + 1] = 0.6, -0.8
    rows = CoefRows(NAMES, np.arange(4), np.zeros(4, dtype=int))
    one = CoefRows(["t"], np.zeros(1, dtype=int), np.zeros(1, dtype=int))
    penalty = PENALTIES[name]()
    if name == "mean":
        penalty = MeanRegularization(1e15, 0.3)  # else w_0 takes a part of any four weights
    alone = [penalty.decoupled(task, NAMES).value(W[[t]], one) for t, task in enumerate(NAMES)]
    assert penalty.value(W, rows) == pytest.approx(sum(alone), rel=1e-9)


def test_a_task_of_a_graph_is_penalised_by_its_own_edges():
    graph = [("a", "b", 2.0), ("b", "c", 0.5)]
    found = [GraphRegressor(graph, gamma=0.1, alpha=1.0).decoupled(t, NAMES).alpha for t in NAMES]
    np.testing.assert_allclose(found, [1.2, 1.25, 1.05, 1.0], rtol=1e-12)
    cv = GraphRegressorCV(graph, gammas=[0.0, 0.1], alphas=[1.0, 2.0]).decoupled("b", NAMES)
    np.testing.assert_allclose(cv.alphas, [1.0, 1.25, 2.0, 2.25], rtol=1e-12)


@pytest.mark.parametrize("cv", [MeanRegularizedRegressorCV(), GraphRegressorCV("complete")])
def test_a_search_of_strengths_searches_those_that_one_task_has(cv):
    X, y = make_rows()
    found = cv.decoupled("c", NAMES).fit(X["d"], y["d"])
    assert found.mse_path_.shape[:2] == (1, 10)
    chosen = getattr(found, "alpha_specific_", getattr(found, "alpha_", None))
    ridge = GraphRegressor([], alpha=chosen).fit(X["d"], y["d"])
    np.testing.assert_allclose(found.coef_, ridge.coef_, atol=1e-8)  # closed forms of one system


@pytest.mark.parametrize(
    "estimator",
    [
        LowRankRegressor(0.3),
        JointFeatureRegressor(0.3),
        MultiTaskLinearEstimator(GroupL21(0.3) + Ridge(0.1)),
    ],
)
def test_norms_stay_what_they_are(estimator):
    assert repr(estimator.decoupled("c", NAMES)) == repr(estimator)
