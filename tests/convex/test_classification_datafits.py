"""The losses of classification and mixed tasks: values, derivatives, conjugates, intercepts."""

import numpy as np
import pytest
from convex._classification_data import LAYOUTS, MIXED, make_case
from convex._references_convex import objective
from scipy.optimize import minimize
from scipy.sparse import csc_matrix, csr_array
from sklearn.utils import resample

from sklearn_mtl.convex.datafits import _rows_of_x
from sklearn_mtl.convex.datafits._rows_of_x import CentredRows
from sklearn_mtl.tasks import TaskData

KINDS = {
    "binary": ("binary", "binary", "binary"),
    "multiclass": ("multiclass", "multiclass"),
    "mixed": MIXED,
}
CASES = [
    pytest.param(KINDS[kind], layout, weighted, fit_intercept, id=f"{kind}-{layout}-{name}")
    for kind in KINDS
    for layout in LAYOUTS
    for weighted, fit_intercept, name in [
        (False, True, "plain"),
        (True, True, "weighted"),
        (True, False, "no intercept"),
    ]
]


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def case_of(kinds, layout, weighted, fit_intercept, seed=0, **options):
    n = 15 if layout == "own" else 40
    return make_case(
        seed,
        n=n,
        kinds=kinds,
        layout=layout,
        weighted=weighted,
        fit_intercept=fit_intercept,
        **options,
    )


def reference(case, W, b):
    return objective(case.parts, case.task_weight, [], W, b)


@pytest.mark.parametrize(("kinds", "layout", "weighted", "fit_intercept"), CASES)
def test_value_is_the_loss_of_each_task_summed(rng, kinds, layout, weighted, fit_intercept):
    case = case_of(kinds, layout, weighted, fit_intercept)
    datafit = case.datafit()
    W = rng.standard_normal(datafit.shape)
    assert datafit.shape == (case.n_rows, 4)
    expected = reference(case, W, datafit.intercept(W))
    np.testing.assert_allclose(datafit.at(W).value, expected, rtol=1e-13)  # rounding


@pytest.mark.parametrize(("kinds", "layout"), [(KINDS[k], way) for k in KINDS for way in LAYOUTS])
def test_no_other_intercepts_are_better(rng, kinds, layout):
    case = case_of(kinds, layout, True, True)
    datafit = case.datafit()
    W = 2.0 * rng.standard_normal(datafit.shape)
    intercept = datafit.intercept(W)

    def loss(b):
        return reference(case, W, b)

    found = minimize(loss, np.zeros(len(W)), method="BFGS", options={"gtol": 1e-7})
    assert loss(intercept) <= found.fun + 1e-12
    # BFGS stops at gradients of 1e-7, with curvatures of 0.01 and more
    for t, rows in enumerate(map(case.rows.of_task, range(len(kinds)))):
        shift = found.x[rows].mean() if kinds[t] == "multiclass" else 0.0
        np.testing.assert_allclose(intercept[rows], found.x[rows] - shift, atol=2e-4)
        if kinds[t] == "multiclass":
            assert abs(intercept[rows].sum()) < 1e-12


@pytest.mark.parametrize(("kinds", "layout", "weighted", "fit_intercept"), CASES)
def test_gradient_equals_finite_differences(rng, kinds, layout, weighted, fit_intercept):
    case = case_of(kinds, layout, weighted, fit_intercept)
    datafit = case.datafit()
    W, D = rng.standard_normal((2, *datafit.shape))
    h = 1e-5
    slope = (datafit.at(W + h * D).value - datafit.at(W - h * D).value) / (2 * h)
    # central differences: h^2 and 1e-16 / h
    np.testing.assert_allclose(np.vdot(datafit.at(W).gradient, D), slope, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize(("kinds", "layout", "weighted", "fit_intercept"), CASES)
def test_hessian_equals_finite_differences_of_the_gradient(
    rng, kinds, layout, weighted, fit_intercept
):
    case = case_of(kinds, layout, weighted, fit_intercept)
    datafit = case.datafit()
    W, D = rng.standard_normal((2, *datafit.shape))
    h = 1e-5
    slope = (datafit.at(W + h * D).gradient - datafit.at(W - h * D).gradient) / (2 * h)
    curvature = datafit.at(W).curvature()
    np.testing.assert_allclose(curvature.product(D), slope, rtol=1e-6, atol=1e-8)  # as above
    product = np.zeros_like(W)
    for rows, block in zip(*curvature.blocks(), strict=True):
        product[rows] = (block @ D[rows].ravel()).reshape(len(rows), -1)
    np.testing.assert_allclose(product, curvature.product(D), atol=1e-13)  # rounding


@pytest.mark.parametrize(("kinds", "layout", "weighted", "fit_intercept"), CASES)
def test_dual_bounds_the_loss_everywhere_and_is_met_where_it_was_taken(
    rng, kinds, layout, weighted, fit_intercept
):
    # f(V) >= <kappa g, V> - f*(-kappa u), Fenchel's inequality; equal at V = W, kappa = 1
    case = case_of(kinds, layout, weighted, fit_intercept)
    datafit = case.datafit()
    for size in (0.1, 1.0, 30.0):
        W = size * rng.standard_normal(datafit.shape)
        point = datafit.at(W)
        met = np.vdot(point.gradient, W) + point.dual(1.0)
        np.testing.assert_allclose(met, point.value, rtol=1e-11, atol=1e-12)
        # kappa = 1 has a formula of its own
        np.testing.assert_allclose(point.dual(1.0), point.dual(1 - 1e-13), rtol=1e-9, atol=1e-9)
        for kappa in (0.0, 0.3, 0.9, 1.0):
            for V in (np.zeros_like(W), 0.9 * W, 2.0 * W, rng.standard_normal(W.shape)):
                bound = kappa * np.vdot(point.gradient, V) + point.dual(kappa)
                value = datafit.at(V).value
                assert bound <= value + 1e-11 * max(value, abs(np.vdot(point.gradient, V)))


@pytest.mark.parametrize(("kinds", "layout", "weighted", "fit_intercept"), CASES)
def test_lipschitz_bounds_the_curvature(rng, kinds, layout, weighted, fit_intercept):
    case = case_of(kinds, layout, weighted, fit_intercept)
    datafit = case.datafit()
    for W in (np.zeros(datafit.shape), rng.standard_normal(datafit.shape)):
        blocks = datafit.at(W).curvature().blocks()[1]
        largest = max(np.linalg.eigvalsh(block)[-1] for block in blocks)
        assert largest <= datafit.lipschitz() * (1 + 1e-12)
    balanced = datafit.at(np.zeros(datafit.shape)).curvature().blocks()[1]
    largest = max(np.linalg.eigvalsh(block)[-1] for block in balanced)
    assert datafit.lipschitz() < 3.0 * largest  # no wild guess: 2 is lost on three classes


@pytest.mark.parametrize("centre", [True, False])
@pytest.mark.parametrize("shape", [(60, 25), (25, 60)])
@pytest.mark.parametrize("form", [np.asarray, csr_array])
def test_the_bound_of_a_large_matrix_holds_and_is_tight(monkeypatch, rng, shape, form, centre):
    X = rng.standard_normal(shape) * (rng.random(shape) < 0.2)
    weight = rng.uniform(0.1, 1.0, shape[0])
    rows = CentredRows(form(X), None, centre=centre)
    exact = np.linalg.eigvalsh(rows.gram(weight))[-1]
    np.testing.assert_allclose(rows.largest_eigenvalue(weight), exact, rtol=1e-8)
    monkeypatch.setattr(_rows_of_x, "EXACT_SIDE", 0)
    assert exact <= rows.largest_eigenvalue(weight) <= 1.1 * exact  # the bound says 8 %


@pytest.mark.parametrize("kinds", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_offset_of_a_million_changes_nothing_but_intercepts(rng, kinds, layout):
    case = case_of(kinds, layout, True, True)
    case.X = np.round(case.X * 2**12) / 2**12  # so that X + 1e6 is exact
    moved = case.X + 1e6
    W = rng.standard_normal((case.n_rows, 4))
    here, there = case.datafit(), case.datafit(moved)
    np.testing.assert_allclose(there.at(W).value, here.at(W).value, rtol=1e-12)  # rounding
    np.testing.assert_allclose(there.at(W).gradient, here.at(W).gradient, atol=1e-12)
    # b = best centred intercept - w . mean, of size 1e6: 1e-16 * 1e6
    shifted = W.sum(axis=1) * 1e6
    for rows in map(case.rows.of_task, range(len(kinds))):
        if len(rows) > 1:
            shifted[rows] -= shifted[rows].mean()
    np.testing.assert_allclose(there.intercept(W) + shifted, here.intercept(W), atol=1e-8)


@pytest.mark.parametrize("kinds", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_sparse_rows_equal_dense_rows(rng, kinds, layout, fit_intercept):
    case = case_of(kinds, layout, True, fit_intercept)
    case.X = np.where(rng.random(case.X.shape) < 0.2, case.X, 0.0)
    W, D = rng.standard_normal((2, case.n_rows, 4))
    dense, scarce = case.datafit(), case.datafit(csc_matrix(case.X))
    ours, expected = scarce.at(W), dense.at(W)
    np.testing.assert_allclose(ours.value, expected.value, rtol=1e-13)  # rounding, here and below
    np.testing.assert_allclose(ours.gradient, expected.gradient, atol=1e-14)
    np.testing.assert_allclose(scarce.intercept(W), dense.intercept(W), atol=1e-12)
    np.testing.assert_allclose(scarce.lipschitz(), dense.lipschitz(), rtol=1e-9)
    np.testing.assert_allclose(scarce.pooled_gram(), dense.pooled_gram(), atol=1e-13)
    np.testing.assert_allclose(np.diag(dense.pooled_gram()), scarce.pooled_moments(), atol=1e-13)
    bent, expected_bent = ours.curvature(), expected.curvature()
    np.testing.assert_allclose(bent.product(D), expected_bent.product(D), atol=1e-13)
    for one, other in zip(bent.blocks()[1], expected_bent.blocks()[1], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-13)


def test_sparse_rows_stay_sparse():
    X = csr_array(np.eye(10))
    assert CentredRows(X, None, centre=True).sparse
    assert not CentredRows(csr_array(np.ones((3, 3))), None, centre=True).sparse


@pytest.mark.parametrize("kinds", KINDS.values(), ids=KINDS)
def test_own_rows_may_come_in_any_order(rng, kinds):
    case = case_of(kinds, "own", True, True)
    order = np.argsort(case.data.task_index, kind="stable")
    data = case.data
    sorted_data = TaskData(
        case.X[order],
        data.n_rows,
        data.n_tasks,
        task_index=data.task_index[order],
        labels=data.labels[order],
        observed=data.observed[order],
        weights=data.weights[order],
    )
    W = rng.standard_normal((case.n_rows, 4))
    expected = case.datafit().at(W)
    case.data, case.X = sorted_data, case.X[order]
    np.testing.assert_array_equal(case.datafit().at(W).gradient, expected.gradient)


@pytest.mark.parametrize("kinds", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("layout", ["complete", "missing", "own"])
def test_whole_weights_equal_repeated_rows(rng, kinds, layout):
    case = case_of(kinds, layout, False, True)
    times = rng.integers(1, 4, case.data.n_rows)
    again = np.repeat(np.arange(case.data.n_rows), times)
    data = case.data
    shape = times if data.task_index is not None else times[:, None]
    W = rng.standard_normal((case.n_rows, 4))
    case.data = data.__class__(**{**_fields(data), "weights": shape * data.observed.astype(float)})
    weighted = case.datafit()
    index = None if data.task_index is None else data.task_index[again]
    case.data = TaskData(
        data.X[again],
        len(again),
        data.n_tasks,
        task_index=index,
        labels=data.labels[again],
        observed=data.observed[again],
    )
    repeated = case.datafit(case.X[again])
    np.testing.assert_allclose(weighted.at(W).value, repeated.at(W).value, rtol=1e-13)  # rounding
    np.testing.assert_allclose(weighted.at(W).gradient, repeated.at(W).gradient, atol=1e-14)


def _fields(data):
    names = ["X", "n_rows", "n_tasks", "task_index", "labels", "observed", "weights"]
    return {name: getattr(data, name) for name in names}


def test_single_precision_rows_equal_the_same_rows_in_double(rng):
    case = case_of(MIXED, "missing", True, True)
    single = case.X.astype(np.float32)
    W = rng.standard_normal((case.n_rows, 4))
    ours, expected = case.datafit(single).at(W), case.datafit(single.astype(np.float64)).at(W)
    assert ours.gradient.dtype == np.float64
    np.testing.assert_array_equal(ours.gradient, expected.gradient)


def test_what_is_not_observed_is_never_read(rng):
    case = case_of(MIXED, "missing", False, True)
    W = rng.standard_normal((case.n_rows, 4))
    expected = case.datafit().at(W)
    data = case.data
    labels = np.where(data.observed, data.labels, np.nan)
    case.data = TaskData(data.X, data.n_rows, data.n_tasks, labels=labels, observed=data.observed)
    np.testing.assert_array_equal(case.datafit().at(W).gradient, expected.gradient)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_mixed_loss_is_the_sum_of_the_losses_of_its_kinds(rng, layout):
    case = case_of(MIXED, layout, True, True)
    W = rng.standard_normal((case.n_rows, 4))
    whole = case.datafit().at(W)
    total = 0.0
    for t in range(len(MIXED)):
        data = case.data
        if data.task_index is None:
            alone = TaskData(
                case.X,
                data.n_rows,
                1,
                labels=data.labels[:, [t]],
                observed=data.observed[:, [t]],
                weights=data.weights[:, [t]],
            )
            X = case.X
        else:
            mine = data.task_index == t
            X = case.X[mine]
            alone = TaskData(
                X,
                mine.sum(),
                1,
                task_index=np.zeros(mine.sum(), int),
                labels=data.labels[mine],
                observed=data.observed[mine],
                weights=data.weights[mine],
            )
        one = make_case(kinds=(MIXED[t],))
        one.data, one.X, one.task_weight = alone, X, case.task_weight[[t]]
        rows = case.rows.of_task(t)
        point = one.datafit().at(W[rows])
        total += point.value
        np.testing.assert_allclose(whole.gradient[rows], point.gradient, atol=1e-14)  # rounding
    np.testing.assert_allclose(whole.value, total, rtol=1e-13)


@pytest.mark.parametrize("layout", ["complete", "own"])
def test_a_task_without_labels_adds_nothing(rng, layout):
    case = case_of(MIXED, layout, True, True)
    before, data = case.datafit(), case.data
    gone = 1  # the task of three classes
    if data.task_index is None:
        data.observed[:, gone] = False
    else:
        data.observed[data.task_index == gone] = False
    after = case.datafit()
    W = rng.standard_normal((case.n_rows, 4))
    rows = case.rows.of_task(gone)
    others = np.setdiff1d(np.arange(case.n_rows), rows)
    point = after.at(W)
    assert after.shape == before.shape
    np.testing.assert_array_equal(point.gradient[rows], 0.0)
    np.testing.assert_array_equal(after.intercept(W)[rows], 0.0)
    np.testing.assert_allclose(point.gradient[others], before.at(W).gradient[others], atol=1e-15)
    sets, _ = point.curvature().blocks()
    assert sorted(np.concatenate(sets)) == list(range(case.n_rows))


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
@pytest.mark.parametrize("layout", ["complete", "own"])
def test_a_task_that_knows_one_class_has_no_loss(rng, kind, layout):
    case = case_of((kind, "binary"), layout, False, True)
    data = case.data
    if data.task_index is None:
        data.labels[:, 0] = 1.0
    else:
        data.labels[data.task_index == 0] = 1.0
    datafit = case.datafit()
    rows = case.rows.of_task(0)
    W = rng.standard_normal(datafit.shape)
    point = datafit.at(W)
    np.testing.assert_allclose(point.gradient[rows], 0.0, atol=1e-250)
    assert np.isfinite(datafit.intercept(W)).all()
    assert np.isfinite(point.curvature().product(W)).all()
    W[rows] *= 10.0
    assert datafit.at(W).value == point.value


@pytest.mark.parametrize("layout", ["complete", "own"])
def test_a_class_that_no_row_has_is_never_predicted(rng, layout):
    case = case_of(("multiclass",), layout, False, True)
    case.data.labels[case.data.labels == 2.0] = 0.0
    datafit = case.datafit()
    W = rng.standard_normal(datafit.shape)
    point = datafit.at(W)
    np.testing.assert_allclose(point.gradient[2], 0.0, atol=1e-250)
    h, D = 1e-5, rng.standard_normal(W.shape)
    slope = (datafit.at(W + h * D).gradient - datafit.at(W - h * D).gradient) / (2 * h)
    np.testing.assert_allclose(point.curvature().product(D), slope, atol=1e-7)  # as above
    assert datafit.intercept(W)[2] < datafit.intercept(W)[:2].min() - 100.0


@pytest.mark.parametrize("kinds", [KINDS["binary"], KINDS["multiclass"]], ids=["binary", "softmax"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [1e-3, 1.0, 30.0, 1e3])
def test_residuals_sum_to_zero_wherever_the_search_for_intercepts_starts(kinds, layout, size):
    case = case_of(kinds, layout, True, True)
    # a feature that is 1 would have the sum of residuals as its gradient; without an intercept
    # it is kept as it is
    X = np.column_stack([case.X - case.X.mean(axis=0), np.ones(len(case.X))])
    W = size * resample(case.X, n_samples=case.n_rows, random_state=3)
    datafit = case.datafit()
    intercept = datafit.intercept(W) + W @ case.X.mean(axis=0)
    case.fit_intercept = False
    sums = case.datafit(X).at(np.column_stack([W, intercept])).gradient[:, -1]
    # 1e-15 in each probability, and digits of b that weights of 1e3 leave
    np.testing.assert_allclose(sums, 0.0, atol=3e-15 * max(1.0, size))


@pytest.mark.parametrize("kinds", KINDS.values(), ids=KINDS)
def test_the_order_of_evaluations_leaves_no_trace(rng, kinds):
    case = case_of(kinds, "complete", True, True)
    datafit = case.datafit()
    W = rng.standard_normal(datafit.shape)
    first = datafit.at(W)
    datafit.at(300.0 * W)
    datafit.at(-50.0 * W)
    np.testing.assert_allclose(datafit.at(W).gradient, first.gradient, atol=1e-14)  # rounding


@pytest.mark.parametrize("kinds", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("form", [np.asarray, csr_array])
def test_a_loss_of_some_features_is_the_loss_with_the_others_at_zero(rng, kinds, layout, form):
    case = case_of(kinds, layout, True, True)
    case.X = np.where(rng.random(case.X.shape) < 0.2, case.X, 0.0)
    datafit = case.datafit(form(case.X))
    few, D = np.array([0, 3]), rng.standard_normal((case.n_rows, 2))
    part = datafit.columns(few)
    W = np.zeros((case.n_rows, 4))
    W[:, few] = D
    point, expected = part.at(D), datafit.at(W)
    assert part.shape == (case.n_rows, 2)
    np.testing.assert_allclose(point.value, expected.value, rtol=1e-13)  # rounding, here and below
    np.testing.assert_allclose(point.gradient, expected.gradient[:, few], atol=1e-14)
    np.testing.assert_allclose(part.intercept(D), datafit.intercept(W), atol=1e-12)
    product = expected.curvature().product(W)[:, few]
    np.testing.assert_allclose(point.curvature().product(D), product, atol=1e-13)


def test_no_label_at_all_is_an_error():
    case = case_of(MIXED, "complete", False, True)
    case.data.observed[:] = False
    with pytest.raises(ValueError, match="No task has an observed label"):
        case.datafit()
