"""What the linear estimators refuse, in words, and where they answer all the same."""

import networkx
import numpy as np
import pandas as pd
import pytest
from _estimator_refusals import (
    EVERY_ESTIMATOR,
    NAMED,
    NUMBERS,
    OWN_X,
    OWN_Y,
    PRICE,
    WORDS,
    N,
    X,
    Y,
    refused,
    with_value,
)
from linear_model._estimators import (
    CLASSIFIERS,
    ESTIMATORS,
    PATHS,
    PENALISED,
    PLAIN,
    POPULATION,
    REGRESSORS,
    reached,
    small,
)
from scipy import sparse

from sklearn_mtl import (
    GraphClassifier,
    GraphRegressor,
    JointFeatureClassifier,
    JointFeatureRegressor,
    LowRankClassifier,
    LowRankRegressor,
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    MultiTaskLinearClassifier,
    MultiTaskLinearEstimator,
    MultiTaskLinearRegressor,
    TaskLayoutError,
)
from sklearn_mtl.convex import L1, GraphLaplacian, GroupL21, MeanRegularization, NuclearNorm, Ridge


def labels_for(name):
    return NUMBERS if name in REGRESSORS else WORDS if name in CLASSIFIERS else NAMED


@pytest.mark.parametrize("case", EVERY_ESTIMATOR)
@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_call_without_sense_is_refused_in_words(name, case):
    labels = labels_for(name)
    call, error, fragments = EVERY_ESTIMATOR[case]
    first = next(iter(labels))
    refused(
        lambda: call(lambda **params: small(name, **params), labels),
        error,
        [text.format(first=first) for text in fragments],
    )


# -- X -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_numbers_of_sparse_x_are_checked(name, value):
    bad = sparse.csr_array(with_value(X, value))
    word = "NaN" if np.isnan(value) else "infinity"
    y = labels_for(name)
    refused(lambda: small(name).fit(bad, y), ValueError, [f"Input X contains {word}"])
    model = small(name).fit(sparse.csr_array(X), y)
    refused(lambda: model.predict(bad), ValueError, [f"Input X contains {word}"])
    refused(lambda: small(name).fit(sparse.csr_array(X * 1j), y), ValueError, ["Complex data"])


# -- parameters ----------------------------------------------------------------------------------


def strengths(name):
    params = ESTIMATORS[name]().get_params()
    words = ("alpha", "gamma", "alpha_shared", "alpha_specific")
    return [parameter for parameter in params if parameter in words]


STRENGTHS = [(name, parameter) for name in ESTIMATORS for parameter in strengths(name)]


@pytest.mark.parametrize("value", [-0.1, np.nan, np.inf, "0.1", None, [0.1]], ids=repr)
@pytest.mark.parametrize(("name", "parameter"), STRENGTHS)
def test_a_strength_that_is_no_number_from_0_is_refused(name, parameter, value):
    model = small(name, **{parameter: value})
    fragments = [f"'{parameter}' parameter of {name}", "float in the range [0.0, inf)", repr(value)]
    refused(lambda: model.fit(X, labels_for(name)), ValueError, fragments)


@pytest.mark.parametrize("value", [[-0.1], [np.nan], [np.inf], ["a"], [], 0, [[0.1]]], ids=repr)
@pytest.mark.parametrize("name", PATHS)
def test_strengths_to_search_that_make_no_sense_are_refused(name, value):
    parameters = [key for key in PATHS[name]().get_params() if key.startswith(("alphas", "gammas"))]
    assert parameters
    for parameter in parameters:
        model = small(name, **{parameter: value})
        refused(lambda: model.fit(X, NUMBERS), ValueError, [parameter])  # noqa: B023


@pytest.mark.parametrize("penalty", [NuclearNorm, GroupL21, L1, Ridge, MeanRegularization])
@pytest.mark.parametrize("value", [-0.1, np.nan, "0.1"], ids=repr)
@pytest.mark.parametrize("name", [name for name in PLAIN if "Linear" in name])
def test_a_strength_inside_a_penalty_is_refused_too(name, penalty, value):
    parameter = "alpha_shared" if penalty is MeanRegularization else "alpha"
    fragments = [f"'{parameter}' parameter of {penalty.__name__}", "[0.0, inf)", repr(value)]
    bad = penalty(**{parameter: value})
    for whole in (bad, bad + Ridge(0.1), Ridge(0.1) + bad):
        model = small(name, penalty=whole)
        refused(lambda: model.fit(X, labels_for(name)), ValueError, fragments)  # noqa: B023


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("tol", -1e-3),
        ("tol", np.nan),
        ("tol", "small"),
        ("max_iter", 0),
        ("max_iter", 2.5),
        ("fit_intercept", "yes"),
        ("solver", "fist"),
        ("warm_start", 3),
        ("task_feature", 1.5),
        ("task_weight", 3.0),
    ],
)
@pytest.mark.parametrize("name", ESTIMATORS)
def test_other_parameters_out_of_range_are_refused(name, parameter, value):
    if parameter not in ESTIMATORS[name]().get_params():
        assert name in POPULATION
        return
    model = small(name, **{parameter: value})
    fragments = [f"'{parameter}' parameter of {name}", repr(value)]
    refused(lambda: model.fit(X, labels_for(name)), ValueError, fragments)


def fit(make, *arguments):
    return lambda: make().fit(*arguments)


REFUSED = {
    "a penalty that is no Penalty": (
        lambda: MultiTaskLinearRegressor(penalty=0.1).fit(X, NUMBERS),
        ValueError,
        ["'penalty' parameter of MultiTaskLinearRegressor", "Penalty", "0.1"],
    ),
    "an unknown penalty": (
        lambda: MultiTaskLinearRegressor(penalty="nuclar").fit(X, NUMBERS),
        ValueError,
        ["'penalty' parameter", "'nuclear'", "'nuclar'"],
    ),
    "a penalty's class": (
        lambda: MultiTaskLinearClassifier(penalty=NuclearNorm).fit(X, WORDS),
        ValueError,
        ["'penalty' parameter of MultiTaskLinearClassifier", "NuclearNorm"],
    ),
    "two norms in a sum": (
        lambda: MultiTaskLinearRegressor(penalty=NuclearNorm() + L1()).fit(X, NUMBERS),
        ValueError,
        ["one norm", "NuclearNorm()", "L1()"],
    ),
    "a norm twice": (
        lambda: MultiTaskLinearRegressor(penalty=L1(0.1) + Ridge() + L1(0.2)).fit(X, NUMBERS),
        ValueError,
        ["one norm", "L1(alpha=0.2)"],
    ),
    "a solver for other penalties": (
        lambda: LowRankRegressor(solver="closed_form").fit(X, NUMBERS),
        ValueError,
        ["solver='closed_form' of LowRankRegressor", "not quadratic", "'auto'", "'fista'"],
    ),
    "a solver for other losses": (
        lambda: LowRankClassifier(solver="closed_form").fit(X, WORDS),
        ValueError,
        ["solver='closed_form' of LowRankClassifier", "'auto'"],
    ),
    "l1_ratio above 1": (
        lambda: JointFeatureRegressor(l1_ratio=1.2).fit(X, NUMBERS),
        ValueError,
        ["'l1_ratio' parameter of JointFeatureRegressor", "[0.0, 1.0]", "1.2"],
    ),
    # labels and penalties that determine nothing
    "more features than labels and no penalty": (
        lambda: MultiTaskLinearRegressor(Ridge(0.0)).fit(X[:2], {k: c[:2] for k, c in Y2.items()}),
        ValueError,
        ["cannot determine", "'price'", "3 features", "penalty (or add a Ridge)", "fewer features"],
    ),
    "more features than labels and a norm of strength 0": (
        lambda: LowRankRegressor(alpha=0).fit(X[:3], {"a": PRICE[:3], "b": [1.0, None, 2.0]}),
        ValueError,
        ["LowRankRegressor cannot determine", "'b'", "2 labels", "3 features"],
    ),
    "a task with one label": (
        lambda: LowRankRegressor().fit(X, {**NUMBERS, "late": [1.0] + [None] * (N - 1)}),
        TaskLayoutError,
        ["'late'", "one label (n_samples=1)", "fit_intercept=False"],
    ),
    "a task with one class": (
        lambda: LowRankClassifier().fit(X, {**WORDS, "late": ["no"] * N}),
        TaskLayoutError,
        ["'late'", "one class only, 'no'", "drop the task or add rows"],
    ),
    "free weights of a classifier": (
        lambda: GraphClassifier(alpha=0).fit(X, WORDS_ALIKE),
        ValueError,
        ["GraphClassifier", "'good', 'bad'", "free", "Ridge", "above 0"],
    ),
    "a classifier without a penalty": (
        lambda: LowRankClassifier(alpha=0).fit(X, WORDS),
        ValueError,
        ["LowRankClassifier", "all weights of every task", "Ridge"],
    ),
    "nothing shared of a classifier": (
        lambda: MeanRegularizedClassifier(alpha_shared=0.0).fit(X, WORDS_ALIKE),
        ValueError,
        ["MeanRegularizedClassifier", "'good', 'bad'", "alpha_shared"],
    ),
    # graphs
    "a graph of the wrong size": (
        lambda: GraphRegressor(graph=np.ones((3, 3))).fit(X, NUMBERS),
        TaskLayoutError,
        ["shape (3, 3)", "2 tasks", "(2, 2)", "'price', 'weight'"],
    ),
    "a graph that is no matrix": (
        lambda: GraphRegressor(graph=np.ones(2)).fit(X, NUMBERS),
        TaskLayoutError,
        ["shape (2,)", "2 tasks", "(2, 2)"],
    ),
    "an asymmetric graph": (
        lambda: GraphRegressor(graph=np.array([[0.0, 1.0], [2.0, 0.0]])).fit(X, NUMBERS),
        ValueError,
        ["not symmetric", "'price'", "'weight'", "1.0", "2.0", "(graph + graph.T) / 2"],
    ),
    "a negative edge": (
        lambda: GraphRegressor(graph=[("price", "weight", -1.0)]).fit(X, NUMBERS),
        ValueError,
        ["'price'", "'weight'", "-1.0", "at least 0"],
    ),
    "a negative edge of a sparse matrix": (
        lambda: GraphRegressor(sparse.csr_array([[0.0, -2.0], [-2.0, 0.0]])).fit(X, NUMBERS),
        ValueError,
        ["'price'", "'weight'", "-2.0", "at least 0"],
    ),
    "an edge of weight NaN": (
        lambda: GraphRegressor(np.array([[0.0, np.nan], [np.nan, 0.0]])).fit(X, NUMBERS),
        ValueError,
        ["'price'", "'weight'", "nan", "finite"],
    ),
    "a node that is no task": (
        lambda: GraphRegressor(graph=[("price", "wight")]).fit(X, NUMBERS),
        TaskLayoutError,
        ["'wight'", "no task", "'price', 'weight'", "did you mean 'weight'?"],
    ),
    "a node of networkx that is no task": (
        lambda: GraphRegressor(networkx.path_graph(2)).fit(X, NUMBERS),
        TaskLayoutError,
        ["graph names 0", "no task", "'price', 'weight'"],
    ),
    "a directed graph": (
        lambda: GraphRegressor(networkx.DiGraph([("price", "weight")])).fit(X, NUMBERS),
        ValueError,
        ["directed", "to_undirected()"],
    ),
    "an unknown word for a graph": (
        lambda: GraphRegressor(graph="chian").fit(X, NUMBERS),
        ValueError,
        ["'chian'", "'complete', 'chain', 'ring'", "did you mean 'chain'?"],
    ),
    "a number for a graph": (
        lambda: GraphRegressor(graph=3).fit(X, NUMBERS),
        ValueError,
        ["graph", "array", "'complete', 'chain', 'ring'", "3"],
    ),
    "a frame with another task": (
        lambda: GraphRegressor(
            pd.DataFrame(np.zeros((2, 2)), index=["price", "late"], columns=["price", "late"])
        ).fit(X, NUMBERS),
        TaskLayoutError,
        ["'late'", "no task", "'price', 'weight'"],
    ),
    "an edge between tasks of other outputs": (
        lambda: GraphClassifier(graph=[("good", "grade")]).fit(X, WORDS),
        TaskLayoutError,
        ["'good'", "'grade'", "cannot be compared", "Leave that edge out"],
    ),
    "a bad graph inside a sum": (
        lambda: MultiTaskLinearRegressor(NuclearNorm() + GraphLaplacian([("price", "wight")])).fit(
            X, NUMBERS
        ),
        TaskLayoutError,
        ["'wight'", "did you mean 'weight'?"],
    ),
    # kinds
    "words for a regressor": (
        lambda: LowRankRegressor().fit(X, WORDS),
        TaskLayoutError,
        ["'good' is regression", "strings", "use a classifier"],
    ),
    "numbers for a classifier": (
        lambda: LowRankClassifier().fit(X, NUMBERS),
        TaskLayoutError,
        ["'price'", "continuous", "use regression"],
    ),
    "task_kinds of no task": (
        lambda: MultiTaskLinearEstimator(task_kinds={"prise": "regression"}).fit(X, NAMED),
        TaskLayoutError,
        ["task_kinds names 'prise'", "did you mean 'price'?"],
    ),
    "an infinite label": (
        lambda: LowRankRegressor().fit(X, {**NUMBERS, "price": with_value(PRICE, np.inf)}),
        TaskLayoutError,
        ["'price' has 1 infinite label"],
    ),
    "labels whose squares overflow": (
        lambda: LowRankRegressor().fit(X, {**NUMBERS, "price": 1e160 * PRICE}),
        ValueError,
        ["'price' has labels up to", "e+160", "larger unit"],
    ),
    "rows whose squares overflow": (
        lambda: LowRankClassifier().fit(1e200 * X, WORDS),
        ValueError,
        ["X has values up to", "e+200", "StandardScaler"],
    ),
    "weights that overflow": (
        lambda: GraphRegressor().fit(X, NUMBERS, np.full(N, 1e200)),
        ValueError,
        ["sample_weight has values up to 1e+200", "only ratios matter"],
    ),
    # own rows and long form
    "X of a task is lacking": (
        lambda: LowRankRegressor().fit(OWN_X, OWN_Y).predict({"north": X}),
        TaskLayoutError,
        ["X lacks the task(s) 'south'"],
    ),
    "labels of a task are lacking": (
        lambda: LowRankRegressor().fit(OWN_X, {"north": OWN_Y["north"]}),
        TaskLayoutError,
        ["'south'", "same tasks"],
    ),
    "tasks of other widths": (
        lambda: LowRankRegressor().fit({**OWN_X, "south": OWN_X["south"][:, :2]}, OWN_Y),
        ValueError,
        ["X of task 'south'", "2 features", "same features"],
    ),
    "weights for own rows as an array": (
        lambda: LowRankRegressor().fit(OWN_X, OWN_Y, np.ones(N)),
        TaskLayoutError,
        ["sample_weight must be a dict", "ndarray"],
    ),
    "task_weight of no task": (
        lambda: LowRankRegressor(task_weight={"prise": 2.0}).fit(X, NUMBERS),
        TaskLayoutError,
        ["task_weight names 'prise'", "did you mean 'price'?"],
    ),
    "a negative task_weight": (
        lambda: LowRankRegressor(task_weight={"price": -2.0}).fit(X, NUMBERS),
        ValueError,
        ["task_weight of task 'price'", "not negative", "-2.0"],
    ),
    # statistics
    "statistics of other rows": (
        lambda: LowRankRegressor(
            precompute=LowRankRegressor().statistics(X[:-1], {k: c[:-1] for k, c in Y2.items()})
        ).fit(X, Y2),
        ValueError,
        ["precompute holds statistics of other data", "statistics"],
    ),
}
Y2 = {"price": PRICE, "late": Y[:, 1]}
WORDS_ALIKE = {"good": WORDS["good"], "bad": WORDS["good"][::-1]}


@pytest.mark.parametrize("case", REFUSED)
def test_a_call_without_sense_of_one_kind_is_refused_in_words(case):
    refused(*REFUSED[case])


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_refused_fit_leaves_the_last_one_as_it_was(name):
    y = labels_for(name)
    model = small(name).fit(X, y)
    before = model.coef_.copy()
    predicted = model.predict(X)
    for bad, labels in ((with_value(X, np.nan), y), (X, {**y, "empty": [None] * N})):
        with pytest.raises(ValueError):
            model.fit(bad, labels)
    assert np.array_equal(model.coef_, before)
    for task, column in model.predict(X).items():
        assert np.array_equal(column, predicted[task])


# -- answers where a lesser method would crash ----------------------------------------------------


def least_norm(rows, labels, fit_intercept):
    """Return the least-squares weights of least norm."""
    if fit_intercept:
        rows, labels = rows - rows.mean(axis=0), labels - labels.mean()
    return np.linalg.lstsq(rows, labels)[0]


SINGULAR = {
    "a column twice": lambda rows: np.column_stack([rows, rows[:, 0]]),
    "a constant column": lambda rows: np.column_stack([rows, np.full(N, 7.0)]),
    "a column of zeros": lambda rows: np.column_stack([rows, np.zeros(N)]),
    "a sum of columns": lambda rows: np.column_stack([rows, rows.sum(axis=1)]),
    "twice, in units of 1e4": lambda rows: np.column_stack([rows, 1e4 * rows[:, 0]]),
    "twice, in units of 1e6": lambda rows: np.column_stack([rows, 1e6 * rows[:, 0]]),
}


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("case", SINGULAR)
def test_a_singular_gram_without_a_penalty_gives_the_least_weights(case, missing, fit_intercept):
    rows = SINGULAR[case](X)
    y = np.column_stack([PRICE, Y[:, 1] + 0.1 * X[:, 0] ** 2])
    if missing:
        y[:5, 0] = np.nan
    for model in (
        MultiTaskLinearRegressor(Ridge(0.0), fit_intercept=fit_intercept),
        LowRankRegressor(alpha=0.0, fit_intercept=fit_intercept),
        GraphRegressor(gamma=0.0, alpha=0.0, fit_intercept=fit_intercept),
    ):
        model.fit(rows, y)  # warnings are errors
        for t in range(2):
            seen = ~np.isnan(y[:, t])
            expected = least_norm(rows[seen], y[seen, t], fit_intercept)
            # a Gram matrix squares the condition of X
            np.testing.assert_allclose(model.coef_[t], expected, atol=1e-6)
        assert model.dual_gap_ <= 1e-6 * np.nansum(y**2)
        assert np.isfinite(model.predict(rows)).all()


@pytest.mark.parametrize("case", SINGULAR)
@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_singular_gram_under_a_penalty_is_solved_without_a_word(name, case):
    if "units" in case and name not in REGRESSORS:
        case = "twice, in units of 1e4"  # of features in units of 1e6 they warn
    rows = SINGULAR[case](X)
    model = small(name).fit(rows, labels_for(name))
    assert np.isfinite(model.coef_).all()
    assert model.coef_.shape[1] == 4
    assert np.isfinite(reached(model))
    if name in PENALISED:
        assert 0 <= model.dual_gap_ < np.inf


def test_classifiers_come_close_with_features_in_units_of_a_million():
    # curvatures of 1e12 and 1: the gap of the model must not drown in the larger one
    rows = SINGULAR["twice, in units of 1e6"](X)
    model = JointFeatureClassifier(tol=1e-2).fit(rows, WORDS)
    assert model.dual_gap_ <= 1e-2 * (np.log(2) + np.log(3))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_constant_target_or_x_of_zeros_leaves_weights_zero(name):
    y = labels_for(name)
    model = small(name).fit(np.zeros((N, 3)), y)
    assert (model.coef_ == 0).all()
    if name in PENALISED:
        assert model.dual_gap_ <= 1e-6 * max(model.objective_, 1e-300)
    if name in REGRESSORS:
        model = small(name).fit(X, {"a": np.full(N, 3.0), "b": np.full(N, -1e6)})
        assert (model.coef_ == 0).all()
        expected = np.array([3.0, -1e6])
        if name in POPULATION:
            # of so few labels some of the variance may be noise: each is drawn to their population
            spread, center = model.prior_intercept_variance_, model.prior_intercept_mean_
            drawn = model.noise_variance_ / (model.noise_variance_ + N * spread)
            assert (drawn < 1e-4).all()
            expected += drawn * (center - expected)
        np.testing.assert_allclose(model.intercept_, expected)


@pytest.mark.parametrize("unit", [1e-12, 1e-6, 1e6, 1e12])
@pytest.mark.parametrize("name", [n for n in [*PLAIN, *POPULATION] if n in REGRESSORS])
def test_units_of_labels_do_no_harm(name, unit):
    model = small(name).fit(X, {task: unit * column for task, column in NUMBERS.items()})
    assert np.isfinite(model.coef_).all()
    if name in POPULATION:
        # standardised inside: the path of the iterations is the same, up to rounding
        expected = unit * small(name).fit(X, NUMBERS).coef_
        np.testing.assert_allclose(model.coef_, expected, rtol=1e-6, atol=1e-9 * unit)
        return
    assert model.dual_gap_ <= 1e-6 * unit**2 * sum(np.var(c) for c in NUMBERS.values())


@pytest.mark.parametrize("name", [*PLAIN, *POPULATION])
def test_one_feature_and_one_row_a_class_are_enough(name):
    rows = np.array([[0.0], [1.0]])
    y = {"a": [0.0, 1.0]} if name in REGRESSORS else {"a": ["no", "yes"]}
    model = small(name).fit(rows, y)
    assert model.coef_.shape == (1, 1)
    assert list(model.predict(rows)) == ["a"]


@pytest.mark.parametrize("name", [name for name in PLAIN if name in REGRESSORS])
def test_an_exact_fit_leaves_no_negative_gap(name):
    y = {"a": X @ [1.0, 2.0, -1.0], "b": X @ [0.5, 0.0, 3.0] + 2.0}
    for model in (small(name, tol=1e-10), MultiTaskLinearRegressor(Ridge(0.0))):
        assert model.fit(X, y).dual_gap_ >= 0


def test_tasks_with_a_single_label_learn_without_an_intercept():
    y = {**NUMBERS, "late": [1.0] + [None] * (N - 1)}
    model = LowRankRegressor(fit_intercept=False, alpha=0.01).fit(X, y)
    assert (model.intercept_ == 0).all()
    assert np.isfinite(model.coef_).all()


def test_few_labels_of_one_task_are_helped_by_tasks_it_is_tied_to():
    y = {**NUMBERS, "late": [1.0, 2.0] + [None] * (N - 2)}
    # no penalty on size: the tie alone determines the task of two labels
    model = GraphRegressor(gamma=0.5, alpha=0.0).fit(X, y)
    assert np.isfinite(model.coef_).all()
    model = MeanRegularizedRegressor(alpha_shared=0.0).fit(X, y)
    assert np.isfinite(model.coef_).all()


@pytest.mark.parametrize("name", [name for name in PLAIN if name not in REGRESSORS])
def test_separable_classes_converge(name):
    y = {"a": np.where(X[:, 0] > 0, "yes", "no"), "b": np.digitize(X[:, 1], [-0.5, 0.5])}
    model = small(name, tol=1e-8).fit(X, y)
    assert np.isfinite(model.coef_).all()
    assert model.dual_gap_ <= 1e-8 * (np.log(2) + np.log(3))


def two_classes(n=30):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 3))
    return X, np.where(X[:, 0] > 0, "yes", "no")


def test_a_class_whose_labels_all_weigh_nothing_is_named():
    X, y = two_classes()
    with pytest.raises(TaskLayoutError, match=r"Task 'task0' has no label of class\(es\) 'no'"):
        GraphClassifier().fit(X, y, sample_weight=(y == "yes").astype(float))


def test_a_task_with_rows_of_its_own_and_one_class_is_reported_and_stops_no_other():
    X, y = two_classes()
    rows = {"whole": X, "yes only": X[y == "yes"]}
    labels = {"whole": y, "yes only": y[y == "yes"]}
    with pytest.warns(UserWarning, match=r"'yes only'.*nothing bounds the intercepts"):
        model = MeanRegularizedClassifier().fit(rows, labels)
    assert set(model.predict(rows)["yes only"]) == {"yes"}
    alone = MeanRegularizedClassifier().fit(X, y)
    assert np.mean(model.predict(rows)["whole"] == y) > 0.9
    assert np.isfinite(model.coef_).all()
    assert alone.coef_.shape == (1, 3)


def test_every_task_that_is_not_determined_is_named():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(6, 10)), rng.normal(size=(6, 3))
    with pytest.raises(ValueError, match="'task0', 'task1', 'task2': 6, 6, 6 labels"):
        LowRankRegressor(alpha=0).fit(X, Y)


def test_complex_weights_are_refused():
    X, y = np.arange(12.0).reshape(6, 2), np.arange(6.0)
    with pytest.raises(ValueError, match="sample_weight must hold numbers: they are complex"):
        LowRankRegressor().fit(X, y, sample_weight=np.ones(6) + 0j)
