"""Linear estimators where the answer is known: limits, equal problems in other words."""

import numpy as np
import pytest
from linear_model._estimators import CLASSIFIERS, PLAIN, REGRESSORS, assert_same_fit, make_data
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, Ridge

from sklearn_mtl import (
    GraphClassifier,
    GraphRegressor,
    JointFeatureClassifier,
    JointFeatureRegressor,
    LowRankClassifier,
    LowRankRegressor,
    MeanRegularizedRegressor,
    MultiTaskLinearClassifier,
    MultiTaskLinearEstimator,
    MultiTaskLinearRegressor,
    convex,
)
from sklearn_mtl.convex import L1, GroupL21, NuclearNorm

# the gap of a quadratic problem is quadratic in the error of W, so that 1e-18 of the objective is
# about 1e-9 of W; with a norm the gap is a difference of sums, whose rounding ends at 1e-15
SHARP = {"tol": 1e-18, "max_iter": 100_000}
NORMED = {"tol": 1e-13, "max_iter": 100_000}


def sharp(make, **parameters):
    """Return the estimator at the smallest tolerance that its gap can show."""
    model = make(**parameters)
    learned = hasattr(model, "prior_strength")
    quadratic = (hasattr(model, "gamma") and not learned) or hasattr(model, "alpha_specific")
    if isinstance(getattr(model, "penalty", None), (convex.Ridge, convex.QuadraticPenalty)):
        quadratic = True
    is_logistic = make.__name__ not in REGRESSORS
    return model.set_params(**(SHARP if quadratic and not is_logistic else NORMED))


# -- no ties, and ties without end ---------------------------------------------------------------

NO_TIES = {
    "graph, gamma 0": lambda: sharp(GraphRegressor, gamma=0.0, alpha=0.2),
    "graph, gamma 1e-12": lambda: sharp(GraphRegressor, gamma=1e-12, alpha=0.2),
    "graph without edges": lambda: sharp(GraphRegressor, graph=np.zeros((3, 3)), alpha=0.2),
    "mean, nothing shared": lambda: sharp(
        MeanRegularizedRegressor, alpha_shared=1e12, alpha_specific=0.2
    ),
    "elastic net without a norm": lambda: sharp(JointFeatureRegressor, alpha=0.2, l1_ratio=0.0),
    "ridge": lambda: sharp(MultiTaskLinearRegressor, penalty=convex.Ridge(0.2)),
}


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("case", NO_TIES)
def test_without_ties_each_task_is_a_ridge_regression(case, missing, fit_intercept):
    X, y = make_data("LowRankRegressor", missing=missing)
    model = NO_TIES[case]().set_params(fit_intercept=fit_intercept).fit(X, y)
    for t, labels in enumerate(y.values()):
        seen = ~np.isnan(labels)
        # |y - Xw|^2 / (2 n) + a/2 |w|^2, times 2 n
        peer = Ridge(alpha=0.2 * seen.sum(), fit_intercept=fit_intercept)
        peer.fit(X[seen], labels[seen])
        # gamma = 1e-12 and a shared part of 1e-12 are off by as much
        np.testing.assert_allclose(model.coef_[t], peer.coef_, rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(model.intercept_[t], peer.intercept_, rtol=1e-8, atol=1e-9)


def pooled_ridge(X, y, alpha, weight):
    """Return the one w, with an intercept a task, that is best for all tasks together."""
    p = X.shape[1]
    system, right = alpha * np.eye(p), np.zeros(p)
    for labels, factor in zip(y.values(), weight, strict=True):
        seen = ~np.isnan(labels)
        centred = X[seen] - X[seen].mean(axis=0)
        system += factor * centred.T @ centred / seen.sum()
        right += factor * centred.T @ labels[seen] / seen.sum()
    return np.linalg.solve(system, right)


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("graph", ["complete", "chain", "ring"])
def test_ties_without_end_make_one_pooled_fit_with_an_intercept_a_task(graph, missing):
    X, y = make_data("LowRankRegressor", missing=missing)
    weight = np.array([1.0, 3.0, 0.5])
    model = sharp(GraphRegressor, graph=graph, gamma=1e7, alpha=0.1, task_weight=weight).fit(X, y)
    expected = pooled_ridge(X, y, 3 * 0.1, weight)
    # tasks still differ by about 1 / gamma
    np.testing.assert_allclose(model.coef_, np.tile(expected, (3, 1)), atol=1e-5)


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_with_no_room_for_specific_weights_tasks_share_all(missing):
    X, y = make_data("LowRankRegressor", missing=missing)
    model = sharp(MeanRegularizedRegressor, alpha_shared=0.3, alpha_specific=1e7).fit(X, y)
    expected = pooled_ridge(X, y, 0.3, np.ones(3))
    np.testing.assert_allclose(model.shared_coef_, expected, atol=1e-5)
    np.testing.assert_allclose(model.specific_coef_, 0.0, atol=1e-5)


def test_one_task_alone_has_the_strengths_of_its_shared_and_specific_parts_in_a_row():
    X, y = make_data("LowRankRegressor", n_tasks=1)
    model = sharp(MeanRegularizedRegressor, alpha_shared=0.3, alpha_specific=0.2).fit(X, y)
    # min over w_0 + v = w of a/2 |w_0|^2 + b/2 |v|^2 is 1 / (1/a + 1/b) / 2 |w|^2
    peer = Ridge(alpha=40 / (1 / 0.3 + 1 / 0.2)).fit(X, y["a"])
    np.testing.assert_allclose(model.coef_[0], peer.coef_, rtol=1e-8)
    np.testing.assert_allclose(model.shared_coef_ * 0.3, model.specific_coef_[0] * 0.2, rtol=1e-12)


@pytest.mark.parametrize("estimator", [GraphRegressor, GraphClassifier])
def test_components_of_a_graph_decouple(estimator):
    X, y = make_data("LowRankRegressor", n_tasks=5, missing=0.2)
    if estimator is GraphClassifier:
        y = {name: np.where(np.isnan(c), None, c > np.nanmean(c)) for name, c in y.items()}
    edges = [("a", "c", 2.0), ("b", "e"), ("e", "d", 0.3)]
    whole = sharp(estimator, graph=edges, gamma=0.5, alpha=0.05).fit(X, y)
    for names in ("ac", "bde"):
        own = [edge for edge in edges if edge[0] in names]
        part = sharp(estimator, graph=own, gamma=0.5, alpha=0.05)
        part.fit(X, {name: y[name] for name in names})
        here = ["abcde".index(name) for name in names]
        # the gaps of two fits to 1e-13 or less, at a curvature of at least 0.05
        np.testing.assert_allclose(part.coef_, whole.coef_[here], atol=5e-6)


# -- norms ---------------------------------------------------------------------------------------

NORMS = {
    "nuclear": (LowRankRegressor, LowRankClassifier, lambda g: np.linalg.svd(g)[1].max()),
    "l21": (
        JointFeatureRegressor,
        JointFeatureClassifier,
        lambda g: np.sqrt((g**2).sum(axis=0)).max(),
    ),
    "l1": (
        lambda alpha: MultiTaskLinearRegressor(L1(alpha)),
        lambda alpha: MultiTaskLinearClassifier(L1(alpha)),
        lambda g: np.abs(g).max(),
    ),
}


def slope_at_zero(X, y):
    """Return the gradient of the loss at W = 0, the intercepts at their best."""
    rows = []
    for labels in y.values():
        seen = np.array([label is not None and label == label for label in labels])
        here, labels = X[seen], labels[seen]
        if labels.dtype.kind == "f":
            targets = [labels]
        else:
            classes = np.unique(labels.astype(str))
            targets = [labels == c for c in (classes[1:] if len(classes) == 2 else classes)]
        # the best intercept makes the mean prediction the mean label
        rows += [here.T @ (np.mean(target) - target) / len(labels) for target in targets]
    return np.array(rows)


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("classes", [False, True], ids=["numbers", "classes"])
@pytest.mark.parametrize("norm", NORMS)
def test_all_weights_are_zero_from_alpha_max_on_and_not_before(norm, classes, missing):
    regressor, classifier, dual_norm = NORMS[norm]
    X, y = make_data("LowRankClassifier" if classes else "LowRankRegressor", missing=missing)
    make = classifier if classes else regressor
    alpha_max = dual_norm(slope_at_zero(X, y))
    for factor in (1.0 + 1e-9, 10.0):
        model = make(alpha_max * factor).fit(X, y)
        assert (model.coef_ == 0).all()
        assert model.dual_gap_ <= 1e-6 * model.objective_
    below = make(0.99 * alpha_max).set_params(tol=1e-10).fit(X, y)
    assert (below.coef_ != 0).any()


@pytest.mark.parametrize("classes", [False, True], ids=["numbers", "classes"])
def test_norms_agree_where_weights_are_one_row_or_one_column(classes):
    name, place = ("LowRankClassifier", 1) if classes else ("LowRankRegressor", 0)
    kinds = {norm: NORMS[norm][place] for norm in NORMS}

    X, y = make_data(name, n_tasks=2, p=1)
    low_rank, joint = (
        kinds[norm](0.05).set_params(**NORMED).fit(X, y) for norm in NORMS if norm != "l1"
    )
    np.testing.assert_allclose(low_rank.coef_, joint.coef_, atol=1e-6)

    X, y = make_data(name, n_tasks=1)
    joint, alone = (kinds[norm](0.05).set_params(**NORMED).fit(X, y) for norm in ("l21", "l1"))
    np.testing.assert_allclose(joint.coef_, alone.coef_, atol=1e-6)


def test_l1_is_a_lasso_for_each_task():
    X, y = make_data("LowRankRegressor", missing=0.3)
    model = MultiTaskLinearRegressor(L1(0.1), **NORMED).fit(X, y)
    for t, labels in enumerate(y.values()):
        seen = ~np.isnan(labels)
        peer = Lasso(0.1, tol=1e-14, max_iter=100_000).fit(X[seen], labels[seen])
        np.testing.assert_allclose(model.coef_[t], peer.coef_, atol=1e-6)


@pytest.mark.parametrize(
    "penalty", [convex.Ridge(0.0), NuclearNorm(0.0), L1(0.0), GroupL21(0.0)], ids=str
)
def test_without_a_penalty_it_is_least_squares(penalty):
    X, y = make_data("LowRankRegressor", missing=0.2)
    model = MultiTaskLinearRegressor(penalty).fit(X, y)
    for t, labels in enumerate(y.values()):
        seen = ~np.isnan(labels)
        peer = LinearRegression().fit(X[seen], labels[seen])
        # the default tolerance, 1e-6 of the objective, is 1e-3 of W in the worst case
        np.testing.assert_allclose(model.coef_[t], peer.coef_, atol=1e-3)
    assert np.isfinite(model.dual_gap_)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
@pytest.mark.parametrize("norm", NORMS)
def test_the_gap_at_zero_is_exact_where_one_feature_explains_one_task(norm, share):
    x = np.array([-1.0, 1.0, 1.0, -1.0])  # of mean 0 and variance 1
    y = 3.0 * x + 5.0
    # min over w of (3 - w)^2 / 2 + alpha |w| is at w = 3 - alpha
    alpha = 3.0 * share
    least = 3.0 * alpha - alpha**2 / 2
    model = NORMS[norm][0](alpha).set_params(tol=1.0).fit(x[:, None], y)  # 0 is near enough
    assert (model.coef_ == 0).all()
    assert model.objective_ == pytest.approx(4.5, rel=1e-14)
    assert model.dual_gap_ == pytest.approx(4.5 - least, rel=1e-12)
    model.set_params(tol=1e-12).fit(x[:, None], y)
    np.testing.assert_allclose(model.coef_, [[3.0 - alpha]], rtol=1e-5)
    assert model.objective_ == pytest.approx(least, rel=1e-11)


# -- classes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("separable", [False, True])
def test_classifiers_under_ridge_are_logistic_regressions(missing, fit_intercept, separable):
    X, y = make_data("LowRankClassifier", missing=missing)
    if separable:
        y["a"] = np.where(X[:, 0] + X[:, 1] > 0.1, "yes", "no")
    model = sharp(
        MultiTaskLinearClassifier, penalty=convex.Ridge(0.02), fit_intercept=fit_intercept
    ).fit(X, y)
    ends = [0, 1, 2, 5]  # rows of W: one, one and three
    for t, labels in enumerate(y.values()):
        seen = np.array([label is not None for label in labels])
        peer = LogisticRegression(
            C=1 / (0.02 * seen.sum()),
            fit_intercept=fit_intercept,
            solver="newton-cholesky",
            tol=1e-10,
            max_iter=1000,
        ).fit(X[seen], labels[seen].astype(str))
        # a gap of 1e-13 at a curvature of 0.02 is some 3e-6 in W
        mine = model.coef_[ends[t] : ends[t + 1]]
        np.testing.assert_allclose(mine, peer.coef_, atol=1e-5)
        b, theirs = model.intercept_[ends[t] : ends[t + 1]], peer.intercept_
        # a constant added to all classes changes nothing
        assert np.ptp(b - theirs) < 1e-5 if len(b) > 1 else abs(b[0] - theirs[0]) < 1e-5
        probabilities = model.predict_proba(X)[list(y)[t]]
        np.testing.assert_allclose(probabilities, peer.predict_proba(X), atol=1e-5)


def test_the_mixed_estimator_is_the_regressor_and_the_classifier_side_by_side():
    X, numbers = make_data("LowRankRegressor", missing=0.2)
    _, classes = make_data("LowRankClassifier", missing=0.2)
    classes = {name.upper(): labels for name, labels in classes.items()}
    options = {"penalty": L1(0.05), **NORMED}  # no ties between tasks
    mixed = MultiTaskLinearEstimator(**options).fit(X, {**numbers, **classes})
    regressor = MultiTaskLinearRegressor(**options).fit(X, numbers)
    classifier = MultiTaskLinearClassifier(**options).fit(X, classes)
    coef = np.vstack([regressor.coef_, classifier.coef_])
    np.testing.assert_allclose(mixed.coef_, coef, atol=2e-6)
    assert mixed.objective_ == pytest.approx(regressor.objective_ + classifier.objective_, rel=1e-9)
    probabilities = mixed.predict_proba(X)
    assert list(probabilities) == ["A", "B", "C"]
    for name, expected in classifier.predict_proba(X).items():
        np.testing.assert_allclose(probabilities[name], expected, atol=1e-6)


@pytest.mark.parametrize("name", [name for name in PLAIN if name.endswith("Estimator")])
def test_the_mixed_estimator_equals_the_regressor_on_numbers_and_the_classifier_on_classes(name):
    for kind in (MultiTaskLinearRegressor, MultiTaskLinearClassifier):
        X, y = make_data(kind.__name__, missing=0.2)
        options = {"penalty": NuclearNorm(0.05), **NORMED}
        assert_same_fit(kind(**options).fit(X, y), PLAIN[name](**options).fit(X, y), rtol=2e-6)


# -- the same problem in other words --------------------------------------------------------------

# two fits to 1e-13 of the objective, at a curvature of 0.01 or more, or of a norm
SAME = 5e-6


@pytest.mark.parametrize("name", PLAIN)
def test_weights_equal_repeated_rows(name):
    X, y = make_data(name, missing=0.2)
    times = np.random.default_rng(1).integers(0, 4, size=len(X))
    weighted = sharp(PLAIN[name]).fit(X, y, sample_weight=times)
    repeated = sharp(PLAIN[name]).fit(
        np.repeat(X, times, axis=0), {task: np.repeat(c, times) for task, c in y.items()}
    )
    assert_same_fit(weighted, repeated, rtol=SAME)


@pytest.mark.parametrize("name", PLAIN)
def test_the_unit_of_weights_does_not_matter(name):
    X, y = make_data(name, missing=0.2)
    weights = np.random.default_rng(1).uniform(0.1, 2.0, size=(len(X), 3))
    model = sharp(PLAIN[name]).fit(X, y, sample_weight=weights)
    for unit in (1e-8, 1e8):
        other = sharp(PLAIN[name]).fit(X, y, sample_weight=unit * weights)
        assert_same_fit(model, other, rtol=SAME)


@pytest.mark.parametrize("name", PLAIN)
def test_a_label_of_weight_zero_is_a_missing_one(name):
    X, y = make_data(name)
    weights = (np.random.default_rng(1).random((len(X), 3)) > 0.3).astype(float)
    hidden = {}
    for t, (task, labels) in enumerate(y.items()):
        known = weights[:, t] > 0
        missing = np.nan if labels.dtype.kind == "f" else None
        hidden[task] = np.where(known, labels.astype(type(missing) if missing else object), missing)
    assert_same_fit(
        sharp(PLAIN[name]).fit(X, hidden),
        sharp(PLAIN[name]).fit(X, y, sample_weight=weights),
        rtol=SAME,
    )


@pytest.mark.parametrize("name", PLAIN)
def test_own_rows_that_are_the_same_equal_shared_rows(name):
    X, y = make_data(name)
    shared = sharp(PLAIN[name]).fit(X, y)
    own = sharp(PLAIN[name]).fit(dict.fromkeys(y, X), y)
    assert_same_fit(shared, own, rtol=SAME)


@pytest.mark.parametrize("name", PLAIN)
def test_the_order_of_tasks_and_of_rows_does_not_matter(name):
    X, y = make_data(name, missing=0.2)
    model = sharp(PLAIN[name], task_weight={"b": 3.0}).fit(X, y)
    rows = np.random.default_rng(0).permutation(len(X))
    turned = {task: y[task][rows] for task in ("c", "a", "b")}
    other = sharp(PLAIN[name], task_weight={"b": 3.0}).fit(X[rows], turned)
    assert other.task_names_ == ["c", "a", "b"]
    first, second = model.predict(X), other.predict(X)
    assert model.objective_ == pytest.approx(other.objective_, rel=1e-9)
    for task in y:
        if first[task].dtype.kind == "f":
            np.testing.assert_allclose(first[task], second[task], rtol=SAME, atol=SAME)
        else:
            assert np.array_equal(first[task], second[task])


@pytest.mark.parametrize("name", PLAIN)
def test_task_weights_and_penalty_are_on_one_scale(name):
    X, y = make_data(name, missing=0.2)
    model = sharp(PLAIN[name])
    # twice the loss under twice the penalty has the same minimiser
    strengths = {
        parameter: 2.0 * value
        for parameter, value in model.get_params().items()
        if parameter.split("_")[0] in ("alpha", "gamma")
    }
    if "penalty" in model.get_params():
        strengths = {"penalty": convex.NuclearNorm(0.04)}
        model.set_params(penalty=convex.NuclearNorm(0.02))
    model.fit(X, y)
    double = sharp(PLAIN[name]).set_params(**strengths, task_weight=[2.0, 2.0, 2.0]).fit(X, y)
    np.testing.assert_allclose(double.coef_, model.coef_, rtol=SAME, atol=SAME)
    assert double.objective_ == pytest.approx(2 * model.objective_, rel=1e-9)


@pytest.mark.parametrize("name", PLAIN)
def test_a_shift_of_x_moves_intercepts_alone(name):
    X, y = make_data(name, missing=0.2)
    model = sharp(PLAIN[name]).fit(X, y)
    shift = np.array([3.0, -1.0, 100.0, 0.0])
    moved = sharp(PLAIN[name]).fit(X + shift, y)
    np.testing.assert_allclose(moved.coef_, model.coef_, rtol=SAME, atol=SAME)
    expected = model.intercept_ - model.coef_ @ shift
    np.testing.assert_allclose(moved.intercept_, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("name", PLAIN)
def test_float32_is_float64_rounded(name):
    X, y = make_data(name, missing=0.2)
    model = sharp(PLAIN[name]).fit(X.astype(np.float32).astype(np.float64), y)
    single = sharp(PLAIN[name]).fit(X.astype(np.float32), y)
    assert single.coef_.dtype == single.intercept_.dtype == np.float32
    assert model.coef_.dtype == model.intercept_.dtype == np.float64
    # the arithmetic is that of float64, the weights are stored in 24 bits
    np.testing.assert_allclose(single.coef_, model.coef_, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in PLAIN if name in REGRESSORS])
def test_wide_x_gives_the_same_through_few_coordinates_and_through_all_features(name):
    X, y = make_data(name, n=12, p=30, missing=0.2)
    few = sharp(PLAIN[name]).fit(X, y)
    all_features = sharp(PLAIN[name], precompute=True).fit(X, y)
    assert_same_fit(all_features, few, rtol=1e-4)  # the curvature of p > n is the penalty's alone
    assert few.coef_.shape == (3, 30)


@pytest.mark.parametrize("name", [name for name in PLAIN if name in CLASSIFIERS])
def test_swapping_two_classes_turns_weights_round(name):
    X, y = make_data(name)
    y = {task: labels for task, labels in y.items() if task != "c"}
    model = sharp(PLAIN[name]).fit(X, y)
    turned = {task: np.where(labels == "no", "z", "a") for task, labels in y.items()}
    other = sharp(PLAIN[name]).fit(X, turned)
    np.testing.assert_allclose(other.coef_, -model.coef_, rtol=SAME, atol=SAME)
