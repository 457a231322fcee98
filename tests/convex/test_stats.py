"""Statistics: right to rounding, whatever the layout, the offset and the order of parts."""

import re
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from convex._references_stats import exact, exact_moments
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sklearn_mtl.convex import GramStats, _collect, _moments
from sklearn_mtl.tasks import TaskData

# some hundred roundings of 1e-16, in sums that do not cancel
ROUNDING = 1e-13


def shared(labels, observed=None, weights=None):
    observed = np.ones(labels.shape, bool) if observed is None else observed
    values = np.where(observed, labels, 0.0)
    return TaskData(None, *labels.shape, None, None, values, observed, weights)


def tagged(labels, task, n_tasks, observed=None, weights=None):
    observed = np.ones(labels.shape, bool) if observed is None else observed
    values = np.where(observed, labels, 0.0)
    return TaskData(None, len(labels), n_tasks, task, None, values, observed, weights)


def only(data, rows):
    """Return some rows of the data, in the order given."""
    return replace(
        data,
        n_rows=len(rows),
        task_index=None if data.task_index is None else data.task_index[rows],
        labels=data.labels[rows],
        observed=data.observed[rows],
        weights=None if data.weights is None else data.weights[rows],
    )


def make(layout, *, n=60, p=4, n_tasks=3, offset=0.0, seed=0):
    rng = np.random.default_rng(seed)
    X, Y = rng.standard_normal((n, p)) + offset, rng.standard_normal((n, n_tasks)) + offset
    by_row = np.repeat(rng.random((n, 1)), n_tasks, axis=1)
    by_label = rng.random((n, n_tasks))
    few, many = rng.random((n, n_tasks)) > 0.1, rng.random((n, n_tasks)) > 0.7
    task = rng.integers(n_tasks, size=n)
    return X, {
        "complete": lambda: shared(Y),
        "weights a row": lambda: shared(Y, weights=by_row),
        "weights a label": lambda: shared(Y, weights=by_label),
        "few missing": lambda: shared(Y, few),
        "few missing, weights a row": lambda: shared(Y, few, by_row),
        "few missing, weights a label": lambda: shared(Y, few, by_label),
        "many missing": lambda: shared(Y, many),
        "long form": lambda: tagged(Y[:, 0], task, n_tasks),
        "long form, missing, weights": lambda: tagged(
            Y[:, 0], task, n_tasks, few[:, 0], by_row[:, 0]
        ),
        "own rows": lambda: tagged(Y[:, 0], np.sort(task), n_tasks),
    }[layout]()


LAYOUTS = [
    "complete",
    "weights a row",
    "weights a label",
    "few missing",
    "few missing, weights a row",
    "few missing, weights a label",
    "many missing",
    "long form",
    "long form, missing, weights",
    "own rows",
]
CONTAINERS = {
    "C order": np.ascontiguousarray,
    "F order": np.asfortranarray,
    "CSR array": sparse.csr_array,
    "CSC matrix": sparse.csc_matrix,
}


def assert_exact(stats, X, data, tasks=None):
    """Each sum is right to rounding, relative to the standard deviations in it."""
    for t in range(data.n_tasks) if tasks is None else tasks:
        rows, k = data.rows(t), stats.group[t]
        weight = np.ones(len(rows))
        if data.weights is not None:
            weight = data.column(data.weights, t, rows)
        mass, x_mean, gram, y_mean, cross, energy = exact_moments(
            X[rows], data.column(data.labels, t, rows), weight
        )
        x_root = np.sqrt(np.diag(gram).astype(float))
        y_root = np.sqrt(float(energy))
        away = [
            (stats.mass[k], 0.0, mass, float(mass)),
            (stats.x_mean[k], stats.x_mean_low[k], x_mean, x_root),
            (stats.gram[k], np.zeros_like(gram), gram, np.outer(x_root, x_root)),
            (stats.y_mean[t], stats.y_mean_low[t], y_mean, y_root),
            (stats.cross[t], np.zeros_like(cross), cross, x_root * y_root),
            (stats.energy[t], 0.0, energy, y_root**2),
        ]
        assert stats.count[t] == len(rows)
        for high, low, truth, scale in away:
            error = np.asarray(exact(high) + exact(low) - truth, dtype=float)
            assert (abs(error) <= ROUNDING * scale).all()


def assert_same(a, b, rtol=1e-12):  # the digits that statistics are to share
    """Statistics agree, relative to the standard deviations in them."""
    assert_array_equal(a.count, b.count)
    assert_allclose(a.task_mass, b.task_mass, rtol=rtol)
    x_root = np.sqrt(np.diagonal(b.gram, axis1=1, axis2=2))
    y_root = np.sqrt(b.energy)
    gram_scale = x_root[:, :, None] * x_root[:, None, :]
    assert (abs(a.gram[a.group] - b.gram[b.group]) <= rtol * gram_scale[b.group]).all()
    assert (abs(a.cross - b.cross) <= rtol * y_root[:, None] * x_root[b.group]).all()
    assert (abs(a.energy - b.energy) <= rtol * b.energy).all()
    x_step = a.x_mean[a.group] - b.x_mean[b.group]
    x_step += a.x_mean_low[a.group] - b.x_mean_low[b.group]
    assert (abs(x_step) <= rtol * x_root[b.group]).all()
    y_step = a.y_mean - b.y_mean + (a.y_mean_low - b.y_mean_low)
    assert (abs(y_step) <= rtol * y_root).all()


@pytest.mark.parametrize("offset", [0.0, 1e6])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_sums_equal_rational_arithmetic(layout, offset):
    X, data = make(layout, offset=offset)
    assert_exact(GramStats.from_data(X, data), X, data)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_containers_of_x_make_no_difference(layout, container):
    X, data = make(layout, n=300, p=30, offset=3.0)
    X[np.random.default_rng(1).random(X.shape) > 0.02] = 0.0
    X[:, 0] += 1e6  # a column without zeros, which no sparse product gets right
    X[:, 1] = 1e6
    X[:2] = X[-1]
    dense = GramStats.from_data(X, data)
    assert_same(GramStats.from_data(CONTAINERS[container](X), data), dense)


@pytest.mark.parametrize("layout", ["complete", "few missing", "many missing", "weights a label"])
def test_a_thin_sparse_x_is_never_densified(layout, monkeypatch):
    X, data = make(layout, n=3000, p=50)
    X[np.random.default_rng(1).random(X.shape) > 0.02] = 0.0
    X[:, 0] += 1e6
    expected = GramStats.from_data(X, data)
    monkeypatch.setattr(_moments, "deviations", None)  # the dense way
    monkeypatch.setattr(_collect, "deviations", None)
    assert_same(GramStats.from_data(sparse.csr_array(X), data), expected)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_float32_equals_float64_of_the_same_numbers(layout):
    X, data = make(layout, offset=100.0)
    X = X.astype(np.float32)
    single, double = GramStats.from_data(X, data), GramStats.from_data(X.astype(float), data)
    for name, values in vars(double).items():
        assert_array_equal(getattr(single, name), values)
    assert single.gram.dtype == np.float64


@pytest.mark.parametrize("layout", LAYOUTS)
def test_chunks_make_no_difference(layout, monkeypatch):
    X, data = make(layout, n=900)
    expected = GramStats.from_data(X, data)
    monkeypatch.setattr(_moments, "chunk_rows", lambda width: 7)
    monkeypatch.setattr(_collect, "chunk_rows", lambda width: 7)
    assert_same(GramStats.from_data(X, data), expected)


@settings(max_examples=60, deadline=None)
@given(
    layout=st.sampled_from(LAYOUTS),
    offset=st.sampled_from([0.0, 1e6]),
    cuts=st.lists(st.integers(0, 60), max_size=6),
    seed=st.integers(0, 2**16),
)
def test_parts_merge_into_the_whole_in_any_order(layout, offset, cuts, seed):
    X, data = make(layout, offset=offset, seed=seed % 5)
    rng = np.random.default_rng(seed)
    pieces = [np.sort(piece) for piece in np.split(rng.permutation(60), np.sort(cuts))]
    parts = [GramStats.from_data(X[rows], only(data, rows)) for rows in pieces]
    whole = GramStats.from_data(X, data)
    assert_same(GramStats.merge_all(parts), whole)
    one_by_one = parts[0]
    for k in rng.permutation(np.arange(1, len(parts))):
        one_by_one = parts[k].merge(one_by_one)
    assert_same(one_by_one, whole)


def test_rows_that_come_one_by_one_with_an_offset_lose_nothing():
    X, data = make("complete", offset=1e6)
    stats = GramStats.from_data(X[:1], only(data, [0]))
    for i in range(1, len(X)):
        stats = stats.merge(GramStats.from_data(X[[i]], only(data, [i])))
    assert_exact(stats, X, data)


def test_tasks_share_a_gram_where_rows_and_weights_are_the_same():
    X, data = make("complete", n_tasks=12)
    assert len(GramStats.from_data(X, data).gram) == 1
    observed = np.ones((60, 12), bool)
    observed[:5, [1, 10]] = False
    observed[7, 3] = False
    assert_array_equal(
        GramStats.from_data(X, shared(data.labels, observed)).group,
        [0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 1, 0],
    )
    weights = np.ones((60, 12))
    weights[50, [4, 11]] = 2.0
    by_label = GramStats.from_data(X, shared(data.labels, observed, weights))
    assert_array_equal(by_label.group, [0, 1, 0, 2, 3, 0, 0, 0, 0, 0, 1, 3])
    weights[:] = np.arange(1.0, 61.0)[:, None]
    by_row = GramStats.from_data(X, shared(data.labels, observed, weights))
    assert_array_equal(by_row.group, [0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 1, 0])
    assert len(GramStats.from_data(X, shared(data.labels, None, weights)).gram) == 1


def test_the_weight_of_a_label_that_is_missing_has_no_effect():
    X, data = make("few missing, weights a row")
    other = replace(data, weights=np.where(data.observed, data.weights, 17.0))
    assert_same(GramStats.from_data(X, other), GramStats.from_data(X, data))


def test_merging_splits_groups_no_further_than_the_parts_do():
    X, data = make("complete", n_tasks=4)
    parts = [
        only(data, np.arange(20)),
        only(data, np.arange(20, 40)),
        only(data, np.arange(40, 60)),
    ]
    parts = [GramStats.from_data(X[:20], part) for part in parts]
    assert_array_equal(GramStats.merge_all(parts).group, [0, 0, 0, 0])
    observed = np.ones((20, 4), bool)
    observed[0, 1:] = False
    first = GramStats.from_data(X[:20], shared(data.labels[:20], observed))
    observed = np.ones((20, 4), bool)
    observed[0, 2] = False
    second = GramStats.from_data(X[:20], shared(data.labels[:20], observed))
    assert_array_equal(GramStats.merge_all([first, parts[1], second]).group, [0, 1, 2, 1])


def test_joined_tasks_keep_their_own_statistics():
    X, data = make("few missing")
    other_X, other = make("complete", n=30, n_tasks=2, seed=1)
    first, second = GramStats.from_data(X, data), GramStats.from_data(other_X, other)
    both = first.join(second)
    assert (both.n_tasks, both.count.tolist()) == (5, [*first.count, *second.count])
    W = np.random.default_rng(0).normal(size=(5, 4))
    assert_array_equal(both.intercept(W), [*first.intercept(W[:3]), *second.intercept(W[3:])])
    b = np.zeros(5)
    errors = [*first.mean_squared_error(W[:3], b[:3]), *second.mean_squared_error(W[3:], b[3:])]
    assert_allclose(both.mean_squared_error(W, b), errors, rtol=1e-14)  # the same sums


@pytest.mark.parametrize("layout", ["complete", "few missing", "long form"])
def test_weights_equal_repetition(layout):
    X, data = make(layout)
    times = np.random.default_rng(3).integers(1, 4, size=60)
    weights = times.astype(float) if data.labels.ndim == 1 else np.repeat(times[:, None], 3, 1)
    weighted = GramStats.from_data(X, replace(data, weights=weights.astype(float)))
    rows = np.repeat(np.arange(60), times)
    repeated = GramStats.from_data(X[rows], only(data, rows))
    assert_same(replace(weighted, count=repeated.count), repeated)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_constant_column_varies_by_exactly_nothing(layout, container):
    X, data = make(layout)
    X[:, 2] = 1e6 + 0.1
    first, second = np.arange(0, 60, 2), np.arange(1, 60, 2)
    X = CONTAINERS[container](X)
    halves = [
        GramStats.from_data(X[rows] if container[0] != "C" else X.tocsr()[rows], only(data, rows))
        if sparse.issparse(X)
        else GramStats.from_data(X[rows], only(data, rows))
        for rows in (first, second)
    ]
    for stats in (GramStats.from_data(X, data), halves[0].merge(halves[1])):
        assert not stats.gram[:, 2].any()
        assert not stats.gram[:, :, 2].any()
        assert not stats.cross[:, 2].any()
        assert_array_equal(stats.x_mean[:, 2], 1e6 + 0.1)


@pytest.mark.parametrize("layout", ["complete", "few missing", "many missing", "long form"])
def test_a_constant_label_has_exactly_no_energy(layout):
    X, data = make(layout)
    stats = GramStats.from_data(X, replace(data, labels=np.where(data.observed, 0.1, 0.0)))
    assert not stats.energy.any()
    assert not stats.cross.any()
    assert_array_equal(stats.y_mean, 0.1)


def test_long_form_equals_own_rows():
    X, data = make("long form")
    order = np.argsort(data.task_index, kind="stable")
    long, own = GramStats.from_data(X, data), GramStats.from_data(X[order], only(data, order))
    for name, values in vars(own).items():
        assert_array_equal(getattr(long, name), values)


@pytest.mark.parametrize("layout", ["few missing", "many missing"])
def test_missing_equals_selecting_rows_by_hand(layout):
    X, data = make(layout)
    stats = GramStats.from_data(X, data)
    for t in range(3):
        rows = data.rows(t)
        alone = GramStats.from_data(X[rows], shared(data.labels[rows][:, [t]]))
        k = stats.group[t]
        assert_allclose(stats.gram[k], alone.gram[0], atol=ROUNDING * 60)
        assert_allclose(stats.cross[t], alone.cross[0], atol=ROUNDING * 60)


def down_dated(monkeypatch, X, data):
    """Return the groups that are differences."""
    groups, original = [], _collect._down_date

    def spy(*args):
        groups.append(original(*args))
        return groups[-1]

    monkeypatch.setattr(_collect, "_down_date", spy)
    return GramStats.from_data(X, data), groups[0]


def far_in_missing_rows(offset):
    """Return data where rows far from all others lack the labels of tasks 1 to 4."""
    X, data = make("complete", n_tasks=5, offset=offset)
    X[3], X[9, 1] = X[3] + 1e9, X[9, 1] - 1e9
    observed = np.ones((60, 5), bool)
    observed[[3, 9], 1:] = False
    observed[0, 1], observed[1, 2], observed[2, 3], observed[[4, 6], 4] = [False] * 4
    return X, shared(data.labels, observed)


@pytest.mark.parametrize("weights", [None, "row"])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_down_dating_is_as_accurate_as_the_rows_themselves(monkeypatch, offset, weights):
    layout = "few missing" if weights is None else "few missing, weights a row"
    X, data = make(layout, n_tasks=6, offset=offset)
    stats, groups = down_dated(monkeypatch, X, data)
    assert groups == set(range(6))
    assert_exact(stats, X, data)


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_down_dating_is_left_where_it_would_lose_digits(monkeypatch, offset):
    X, data = far_in_missing_rows(offset)
    stats, groups = down_dated(monkeypatch, X, data)
    assert groups == {0}  # the task that has the far rows too
    assert_exact(stats, X, data)


def test_down_dating_without_its_check_would_lose_digits(monkeypatch):
    X, data = far_in_missing_rows(0.0)
    for module in (_moments, _collect):
        monkeypatch.setattr(module, "keeps_digits", lambda after, before: True)
    with pytest.raises(AssertionError):
        assert_exact(GramStats.from_data(X, data), X, data)


def test_only_tasks_that_lack_few_rows_are_down_dated(monkeypatch):
    X, data = make("many missing")
    assert down_dated(monkeypatch, X, data)[1] == set()
    X, data = make("few missing", n_tasks=6)
    data.observed[5:50, 2] = False
    assert down_dated(monkeypatch, X, replace(data, labels=data.labels * data.observed))[1] == {
        0,
        1,
        3,
        4,
        5,
    }


def test_constant_columns_do_not_make_rows_be_read_twice(monkeypatch):
    X, data = make("complete", n=3001)
    X[:, 2] = 1e6 + 0.1
    passes, original = [], _moments._sums
    monkeypatch.setattr(_moments, "_sums", lambda *args: passes.append(1) or original(*args))
    GramStats.from_data(X, replace(data, labels=np.full_like(data.labels, 0.1)))
    assert len(passes) == 1


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_sample_of_rows_far_from_the_mean_costs_no_digits(container):
    rng = np.random.default_rng(0)
    X, Y, weight = rng.standard_normal((2000, 3)), rng.standard_normal((2000, 2)), np.ones(2000)
    sample = _moments.spread(np.arange(2000))
    assert len(sample) < 1900
    X[sample] += 1e6
    Y[sample] -= 1e6
    weight[sample] = 1e-20  # as good as nothing, so that the mean is that of the other rows
    data = shared(Y, weights=np.repeat(weight[:, None], 2, axis=1))
    assert_exact(GramStats.from_data(CONTAINERS[container](X), data), X, data, tasks=[0])


@pytest.mark.parametrize("make_X", [np.asarray, np.asfortranarray, sparse.csr_array])
def test_memory_holds_some_chunks_and_no_copy_of_x(make_X):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200_000, 20))
    data = shared(X[:, :2] + 1.0)
    X = make_X(X)
    tracemalloc.start()
    GramStats.from_data(X, data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # 32 MB dense, a chunk is 4 MB; a list of rows and the read values of a sparse chunk come on top
    assert peak < 20e6


@pytest.mark.parametrize("layout", LAYOUTS)
def test_mean_squared_error_equals_that_of_predictions(layout):
    X, data = make(layout, offset=10.0)
    stats = GramStats.from_data(X, data)
    rng = np.random.default_rng(5)
    for W in (np.zeros((3, 4)), rng.standard_normal((3, 4))):
        for intercept in (stats.intercept(W), rng.standard_normal(3)):
            expected = []
            for t in range(3):
                rows = data.rows(t)
                residual = data.column(data.labels, t, rows) - X[rows] @ W[t] - intercept[t]
                weight = None if data.weights is None else data.column(data.weights, t, rows)
                expected.append(np.average(residual**2, weights=weight))
            assert_allclose(stats.mean_squared_error(W, intercept), expected, rtol=1e-12)


def test_mean_squared_error_of_a_perfect_fit_is_rounding():
    X, data = make("complete", offset=1e6)
    W = np.random.default_rng(5).standard_normal((3, 4))
    stats = GramStats.from_data(X, replace(data, labels=(X - 1e6) @ W.T))
    error = stats.mean_squared_error(W, stats.intercept(W))
    assert (error >= 0).all()
    assert (error <= 1e-12 * stats.energy / 60).all()


def test_a_task_without_labels_has_no_error_and_no_part_in_the_loss():
    X, data = make("complete")
    observed = np.ones((60, 3), bool)
    observed[:, 1] = False
    W = np.random.default_rng(5).standard_normal((3, 4))
    for part in (
        shared(data.labels, observed),
        tagged(data.labels[:, 0], np.arange(60) % 2 * 2, 3),
    ):
        stats = GramStats.from_data(X, part)
        error = stats.mean_squared_error(W, stats.intercept(W))
        assert_array_equal(np.isnan(error), [False, True, False])
        for fit_intercept in (True, False):
            point = stats.datafit(np.ones(3), fit_intercept=fit_intercept).at(W)
            assert np.isfinite(point.value)
            assert not point.gradient[1].any()
            assert_array_equal(stats.datafit(np.ones(3)).task_weight, [1.0, 0.0, 1.0])
        merged = stats.merge(stats)
        assert_array_equal(merged.count, 2 * stats.count)
        assert np.isfinite(merged.gram).all()


def test_a_task_may_be_absent_in_all_but_one_part():
    X, data = make("own rows")
    parts = [GramStats.from_data(X[rows], only(data, rows)) for rows in map(data.rows, range(3))]
    assert_array_equal(np.count_nonzero([part.count for part in parts], axis=0), 1)
    assert_same(GramStats.merge_all(parts), GramStats.from_data(X, data), rtol=ROUNDING)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_loss_is_half_the_mean_squared_error(layout, fit_intercept):
    X, data = make(layout, offset=2.0)
    stats = GramStats.from_data(X, data)
    W, task_weight = np.random.default_rng(5).standard_normal((3, 4)), np.array([1.0, 0.5, 3.0])
    intercept = stats.intercept(W) if fit_intercept else np.zeros(3)
    expected = 0.5 * task_weight @ stats.mean_squared_error(W, intercept)
    assert_allclose(
        stats.datafit(task_weight, fit_intercept=fit_intercept).at(W).value, expected, rtol=1e-12
    )


@pytest.mark.parametrize("offset", [0.0, 1e6, 1e9])
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_statistics_match_their_rows_in_any_order_and_any_parts(layout, container, offset):
    X, data = make(layout, offset=offset)
    X[:, 3] = 0.1
    order = np.random.default_rng(2).permutation(60)
    stats = GramStats.from_data(X, data)
    merged = GramStats.merge_all(
        [GramStats.from_data(X[rows], only(data, rows)) for rows in np.split(order, [20, 22])]
    )
    for one in (stats, merged):
        assert one.matches(CONTAINERS[container](X[order]), only(data, order)) is None


def changed(change):
    X, data = make("few missing, weights a label")
    X, labels, observed, weights = (
        X.copy(),
        data.labels.copy(),
        data.observed.copy(),
        data.weights.copy(),
    )
    rows = data.rows(1)
    if change == "tasks":
        return X, shared(labels[:, :2], observed[:, :2], weights[:, :2])
    if change == "features":
        X = X[:, :3]
    elif change == "labels":
        observed[rows[0], 1] = False
    elif change == "weights":
        weights[rows[0], 1] *= 1.001
    elif change == "mean of y":
        labels[rows[0], 1] += 1e-4
    else:
        X[:, 2] += 1e-6
    return X, shared(labels, observed, weights)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("tasks", r"the statistics are of 3 task\(s\), the data of 2"),
        ("features", r"the statistics are of 4 feature\(s\), X has 3"),
        ("labels", r"task 'b' has \d+ label\(s\) in the statistics and \d+ in the data"),
        ("weights", "the weights of task 'b' sum to"),
        ("mean of y", "the labels of task 'b' have mean"),
        ("mean of X", "feature 2 has mean .* over the rows of task 'a'"),
    ],
)
def test_statistics_of_other_rows_are_told_apart(change, message):
    stats = GramStats.from_data(*make("few missing, weights a label"))
    found = stats.matches(*changed(change), names=["a", "b", "c"])
    assert found is not None
    assert re.search(message, found)


def test_labels_that_go_with_other_rows_are_told_apart():
    X, data = make("complete")
    stats = GramStats.from_data(X, data)
    labels = data.labels.copy()
    labels[:, 1] = labels[::-1, 1]
    assert stats.matches(X, shared(labels)) == "the labels of task 1 go with other rows of X"


def test_features_that_vary_otherwise_are_told_apart():
    X, data = make("complete")
    stats = GramStats.from_data(X, data)
    other = X.copy()
    other[:, 1] = X[::-1, 1]
    assert "features vary otherwise over the rows of task 0" in stats.matches(other, data)
