"""`partial_fit` is one `fit` on all rows seen so far."""

import pickle

import numpy as np
import pandas as pd
import pytest
from linear_model._estimators import POPULATION, reached
from linear_model._streams import NAMES, STREAMING, STREAMS, N, P, T, make_rows
from sklearn.base import clone

from sklearn_mtl import GraphRegressor, LowRankRegressor, MeanRegularizedRegressor
from sklearn_mtl.convex import Ridge
from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.linear_model import MultiTaskLinearRegressor


def stream_into(model, chunks):
    for chunk in chunks:
        model.partial_fit(*chunk)
    return model


def assert_same_model(model, other, *, rtol=1e-10):
    # asked for: 1e-10. Sums of other partial sums differ by some 1e-15, and the default alphas
    # leave problems whose conditioning is below 1e3
    scale = np.abs(other.coef_).max()
    np.testing.assert_allclose(model.coef_, other.coef_, rtol=rtol, atol=rtol * scale)
    np.testing.assert_allclose(model.intercept_, other.intercept_, rtol=rtol, atol=rtol)
    assert reached(model) == pytest.approx(reached(other), rel=rtol)
    assert model.task_names_ == other.task_names_


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("name", STREAMING)
def test_chunks_give_the_fit_of_all_rows(name, stream):
    made = STREAMS[stream]()
    if not made.options.keys() <= STREAMING[name]().get_params().keys():
        assert name in POPULATION  # whose tasks have no weights
        return
    # intercepts of an offset of 1e6 are differences of numbers that large
    rtol = 1e-8 if stream == "offset" else 1e-10
    whole = STREAMING[name](**made.options, precompute=True).fit(*made.whole)
    parts = stream_into(STREAMING[name](**made.options), made.chunks)
    assert_same_model(parts, whole, rtol=rtol)
    np.testing.assert_array_equal(parts.statistics_.count, whole.statistics_.count)
    predicted, expected = (model.predict(made.whole[0]) for model in (parts, whole))
    assert type(predicted) is type(expected)


@pytest.mark.parametrize("name", STREAMING)
def test_every_call_fits_the_rows_so_far(name):
    X, Y = make_rows(missing=True)
    model = STREAMING[name]()
    for start, end in ((0, 10), (10, 25), (25, N)):
        model.partial_fit(X[start:end], Y[start:end])
        assert_same_model(model, STREAMING[name](precompute=True).fit(X[:end], Y[:end]))


@pytest.mark.parametrize("name", STREAMING)
def test_partial_fit_goes_on_from_fit_and_fit_starts_anew(name):
    X, Y = make_rows()
    model = STREAMING[name]().fit(X[:20], Y[:20])
    model.partial_fit(X[20:], Y[20:])
    assert_same_model(model, STREAMING[name]().fit(X, Y))
    model.fit(X[:20], Y[:20])
    assert_same_model(model, STREAMING[name]().fit(X[:20], Y[:20]))
    # another set of tasks and features is no matter for fit
    model.fit(X[:, :2], Y[:, 0]).partial_fit(X[:, :2], Y[:, 0])
    assert model.coef_.shape == (1, 2)


@pytest.mark.parametrize("name", STREAMING)
def test_partial_fit_goes_on_from_a_pickle_and_clones_forget(name):
    X, Y = make_rows()
    model = STREAMING[name]().partial_fit(X[:20], Y[:20])
    model = pickle.loads(pickle.dumps(model))
    forgetful = clone(model)
    assert not hasattr(forgetful, "statistics_")
    assert_same_model(forgetful.partial_fit(X[20:], Y[20:]), STREAMING[name]().fit(X[20:], Y[20:]))
    assert_same_model(model.partial_fit(X[20:], Y[20:]), STREAMING[name]().fit(X, Y))


def test_the_order_of_chunks_does_not_matter():
    made = STREAMS["label_weights"]()
    forth = stream_into(LowRankRegressor(), made.chunks)
    back = stream_into(LowRankRegressor(), made.chunks[:1] + made.chunks[:0:-1])
    assert_same_model(forth, back)


def test_parameters_may_change_between_chunks():
    X, Y = make_rows(missing=True)
    model = LowRankRegressor(alpha=0.5).partial_fit(X[:20], Y[:20])
    model.set_params(alpha=0.05, fit_intercept=False).partial_fit(X[20:], Y[20:])
    whole = LowRankRegressor(alpha=0.05, fit_intercept=False).fit(X, Y)
    assert_same_model(model, whole)


def test_a_chunk_of_float32_is_summed_in_float64():
    X, Y = make_rows(offset=1e3)
    X, Y = X.astype(np.float32), Y.astype(np.float32)
    model = stream_into(LowRankRegressor(), [(X[:20], Y[:20]), (X[20:], Y[20:])])
    assert model.coef_.dtype == np.float32
    whole = LowRankRegressor().fit(X.astype(float), Y.astype(float))
    # coefficients are rounded to float32; sums in float32 would be off by 1e-3
    np.testing.assert_allclose(model.coef_, whole.coef_, rtol=1e-6, atol=1e-6)


# -- small chunks -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", STREAMING)
def test_a_stream_may_start_with_one_row(name):
    X, Y = make_rows()
    model = STREAMING[name]().partial_fit(X[:1], Y[:1])
    np.testing.assert_array_equal(model.coef_, np.zeros((T, P)))
    if name not in POPULATION:  # which draws tasks of one label towards each other
        np.testing.assert_array_equal(model.predict(X[5:7]), Y[[0, 0]])
    for i in range(1, N):
        model.partial_fit(X[i : i + 1], Y[i : i + 1])
    assert_same_model(model, STREAMING[name]().fit(X, Y))


UNPENALISED = {
    "ridge": MultiTaskLinearRegressor(Ridge(0.0)),
    "graph": GraphRegressor(gamma=1.0, alpha=0.0),
    "mean": MeanRegularizedRegressor(alpha_shared=0.0, alpha_specific=0.0),
}


@pytest.mark.parametrize("name", UNPENALISED)
def test_predictions_are_means_until_rows_determine_the_weights(name):
    X, Y = make_rows()
    one = Y[:, :1]
    model = clone(UNPENALISED[name])
    if name == "graph":
        model.set_params(graph=np.zeros((1, 1)))
    with pytest.raises(ValueError, match="cannot determine"):
        clone(model).fit(X[:3], one[:3])
    model.partial_fit(X[:3], one[:3])
    np.testing.assert_array_equal(model.coef_, np.zeros((1, P)))
    np.testing.assert_allclose(model.predict(X[:2]), one[:3].mean(), rtol=1e-14)
    assert model.n_iter_ == 0
    assert model.dual_gap_ > 0
    model.partial_fit(X[3:], one[3:])
    assert_same_model(model, clone(model).fit(X, one))


def test_fit_still_refuses_a_task_with_one_label():
    X, Y = make_rows()
    with pytest.raises(TaskLayoutError, match="'task0', 'task1', 'task2' have one label"):
        LowRankRegressor().fit(X[:1], Y[:1])


# -- what is refused ----------------------------------------------------------------------------


def test_a_task_without_a_label_in_the_first_chunk_is_named():
    X, Y = make_rows()
    Y[:20, 1] = np.nan
    model = LowRankRegressor()
    with pytest.raises(TaskLayoutError, match="Task 'task1' has no observed label among 20 rows"):
        model.partial_fit(X[:20], Y[:20])
    with pytest.raises(TaskLayoutError, match="'task1' have no label to learn from among 40 rows"):
        model.partial_fit(X[20:], Y[20:], np.ones((40, T)) * [1, 0, 1])
    assert not hasattr(model, "statistics_")
    model.partial_fit(X[20:], Y[20:])  # nothing was kept of what was refused
    assert_same_model(model, LowRankRegressor().fit(X[20:], Y[20:]))


@pytest.mark.parametrize("chunk", ["features", "columns", "infinite", "nan", "names", "lengths"])
def test_a_refused_chunk_leaves_the_model_as_it_was(chunk):
    X, Y = make_rows()
    model = LowRankRegressor().partial_fit(X, Y)
    before = pickle.dumps(model.coef_)
    one = (np.arange(N) == 4)[:, None] * (np.arange(4) == 1)
    wrong, match = {
        "features": ((X[:, :3], Y), "X has 3 features, but LowRankRegressor is expecting 4"),
        "columns": ((X, Y[:, :2]), "y has 2 column"),
        "infinite": ((X, np.where(one[:, :T], np.inf, Y)), "'task1' has 1 infinite label"),
        "nan": ((np.where(one, np.nan, X), Y), "Input X contains NaN"),
        "names": ((X, pd.DataFrame(Y, columns=NAMES)), "lacks the task"),
        "lengths": ((X, Y[:5]), "has 5 labels for 60 rows"),
    }[chunk]
    with pytest.raises(ValueError, match=match):
        model.partial_fit(*wrong)
    assert pickle.dumps(model.coef_) == before
    assert model.statistics_.count.tolist() == [N] * T


def test_rows_of_a_fit_that_fails_are_not_counted():
    X, Y = make_rows()
    model = LowRankRegressor().partial_fit(X[:30], Y[:30])
    model.set_params(task_weight=[1.0, -1.0, 1.0])
    with pytest.raises(ValueError, match="task_weight"):
        model.partial_fit(X[30:], Y[30:])
    model.set_params(task_weight=None).partial_fit(X[30:], Y[30:])
    assert model.statistics_.count.tolist() == [N] * T


def test_features_by_other_names_are_refused():
    X, Y = make_rows()
    model = LowRankRegressor().partial_fit(pd.DataFrame(X, columns=list("abcd")), Y)
    with pytest.raises(ValueError, match="feature names should match"):
        model.partial_fit(pd.DataFrame(X, columns=list("abce")), Y)


def test_a_task_first_seen_later_is_named():
    made = STREAMS["long_form"]()
    X, y = made.whole
    model = LowRankRegressor(task_feature="place").partial_fit(X, y)
    with pytest.raises(TaskLayoutError, match="holds tasks that fit never saw: 'west'"):
        model.partial_fit(X.assign(place="west"), y)


def test_rows_of_a_wide_fit_cannot_be_added_to():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(20, 80)), rng.normal(size=(20, 2))
    with pytest.raises(ValueError, match="precompute=True"):
        LowRankRegressor().fit(X, Y).partial_fit(X, Y)
    twice = LowRankRegressor(precompute=True).fit(X, Y).partial_fit(X, Y)
    assert twice.statistics_.count.tolist() == [40, 40]
