"""Sparse rows, dtypes and memory layouts change nothing; warm starts change the number of steps."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from linear_model._estimators import (
    CLASSIFIERS,
    PATHS,
    POPULATION,
    REGRESSORS,
    make_data,
    reached,
)
from linear_model._streams import NAMES, STREAMING, N, P, T, make_rows
from scipy import sparse
from sklearn.base import clone

from sklearn_mtl import JointFeatureRegressor, LowRankRegressor, MeanRegularizedRegressor
from sklearn_mtl.convex import L1, NuclearNorm, Ridge
from sklearn_mtl.linear_model import MultiTaskLinearRegressor


def make(name, **options):
    """Return the estimator of that name, with a short path where it has one."""
    model = REGRESSORS[name]()
    short = {"alphas", "alphas_shared", "alphas_specific", "cv"} if name in PATHS else set()
    return model.set_params(**dict.fromkeys(short & set(model.get_params()), 2), **options)


# -- sparse -----------------------------------------------------------------------------------


def make_sparse_rows(*, missing=False):
    X, Y = make_rows(missing=missing)
    X[np.random.default_rng(3).random(X.shape) < 0.6] = 0.0
    return X, Y


def with_wide_indices(X):
    X = sparse.csr_array(X)
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    assert X.indices.dtype == np.int64
    return X


def with_stored_zeros(X):
    """CSR with zeros stored and columns in no order."""
    X = sparse.csr_array(np.where(X == 0, 7.0, X))
    X.data[X.data == 7.0] = 0.0
    for start, end in zip(X.indptr[:-1], X.indptr[1:], strict=True):
        X.indices[start:end] = X.indices[start:end][::-1].copy()
        X.data[start:end] = X.data[start:end][::-1].copy()
    X.has_sorted_indices = False
    return X


def with_duplicates(X):
    X = sparse.coo_array(X)
    place = (np.tile(X.coords[0], 2), np.tile(X.coords[1], 2))
    return sparse.coo_array((np.tile(X.data / 2, 2), place), X.shape)


FORMATS = {
    "csr": sparse.csr_array,
    "csc": sparse.csc_array,
    "coo": sparse.coo_array,
    "csr matrix": sparse.csr_matrix,
    "dok": sparse.dok_array,
    "lil": sparse.lil_array,
    "int64 indices": with_wide_indices,
    "stored zeros": with_stored_zeros,
    "duplicates": with_duplicates,
}


def assert_same_numbers(model, other, rtol=1e-10):
    # asked for: 1e-10; sparse sums are taken about 0, dense ones about a mean
    scale = np.abs(other.coef_).max()
    np.testing.assert_allclose(model.coef_, other.coef_, rtol=rtol, atol=rtol * scale)
    np.testing.assert_allclose(model.intercept_, other.intercept_, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("name", REGRESSORS)
def test_sparse_rows_give_the_fit_of_dense_ones(name, missing):
    X, Y = make_sparse_rows(missing=missing)
    dense = make(name).fit(X, Y)
    for form in ("csr", "csc", "coo"):
        thin = FORMATS[form](X)
        model = make(name).fit(thin, Y)
        assert_same_numbers(model, dense)
        np.testing.assert_allclose(model.predict(thin), dense.predict(X), rtol=1e-9, atol=1e-10)
        assert model.score(thin, Y) == pytest.approx(dense.score(X, Y), rel=1e-9)


@pytest.mark.parametrize("form", FORMATS)
def test_every_sparse_format_is_read(form):
    X, Y = make_sparse_rows(missing=True)
    thin = FORMATS[form](X)
    before = thin.toarray()
    weight = np.linspace(0.1, 2.0, N)
    dense = LowRankRegressor().fit(X, Y, weight)
    model = LowRankRegressor().fit(thin, Y, weight)
    assert_same_numbers(model, dense)
    np.testing.assert_allclose(model.predict(thin), dense.predict(X), rtol=1e-9, atol=1e-10)
    np.testing.assert_array_equal(thin.toarray(), before)  # read, not changed


@pytest.mark.parametrize("name", REGRESSORS)
def test_own_rows_may_be_sparse(name):
    X, Y = make_sparse_rows()
    ends = {"north": 20, "south": 35, "east": N}
    rows = {name: X[:end] for name, end in ends.items()}
    labels = {name: Y[:end, t] for t, (name, end) in enumerate(ends.items())}
    dense = make(name).fit(rows, labels)
    thin = {name: sparse.csr_array(part) for name, part in rows.items()}
    model = make(name).fit(thin, labels)
    assert_same_numbers(model, dense)
    mixed = {**rows, "south": sparse.csc_array(rows["south"])}
    assert_same_numbers(make(name).fit(mixed, labels), dense)
    for given in (thin, mixed):
        predicted = model.predict(given)
        for task, expected in dense.predict(rows).items():
            np.testing.assert_allclose(predicted[task], expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers_take_sparse_rows(name):
    X, y = make_data(name, missing=0.2)
    X = np.where(X > 0, X, 0.0)
    options = {"tol": 1e-10, "max_iter": 10_000}
    dense = CLASSIFIERS[name](**options).fit(X, y)
    model = CLASSIFIERS[name](**options).fit(sparse.coo_array(X), y)
    # tol=1e-10 leaves weights within 1e-5 of the minimum, of which another path may differ
    np.testing.assert_allclose(model.coef_, dense.coef_, atol=1e-5)
    predicted, expected = model.predict_proba(sparse.csc_array(X)), dense.predict_proba(X)
    for task in y:
        np.testing.assert_allclose(predicted[task], expected[task], atol=1e-5)


def test_sparse_rows_come_in_chunks():
    X, Y = make_sparse_rows(missing=True)
    model = LowRankRegressor()
    for start, end in ((0, 11), (11, 12), (12, N)):
        model.partial_fit(sparse.csr_array(X[start:end]), Y[start:end])
    assert_same_numbers(model, LowRankRegressor().fit(X, Y))


def test_sparse_numbers_that_are_none_are_refused():
    X, Y = make_sparse_rows()
    thin = sparse.csr_array(X)
    thin.data[3] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN"):
        LowRankRegressor().fit(thin, Y)
    with pytest.raises(ValueError, match="Complex data not supported"):
        LowRankRegressor().fit(sparse.csr_array(X * 1j), Y)


# -- dtypes and layouts -------------------------------------------------------------------------


@pytest.mark.parametrize("name", REGRESSORS)
def test_float32_gives_float32_weights_of_sums_in_float64(name):
    X, Y = make_rows()
    X32, Y32 = X.astype(np.float32), Y.astype(np.float32)
    single = make(name).fit(X32, Y32)
    double = make(name).fit(X32.astype(float), Y32.astype(float))
    assert single.coef_.dtype == single.intercept_.dtype == np.float32
    assert double.coef_.dtype == double.intercept_.dtype == np.float64
    # the same sums, then weights rounded once
    np.testing.assert_array_equal(single.coef_, double.coef_.astype(np.float32))
    np.testing.assert_array_equal(single.intercept_, double.intercept_.astype(np.float32))
    assert reached(single) == reached(double)
    assert single.predict(X32).dtype == np.float64
    # products of numbers of size 1 to 10 in float32
    np.testing.assert_allclose(single.predict(X32), double.predict(X), atol=1e-4)
    assert make(name).fit(X32, Y).coef_.dtype == np.float32
    assert make(name).fit(X, Y32).coef_.dtype == np.float64


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("name", REGRESSORS)
def test_float32_with_an_offset_keeps_its_digits(name, wide):
    rng = np.random.default_rng(0)
    X = rng.integers(-50, 50, size=(30, 80 if wide else 5)) / 64  # exact beside 1e4 in float32
    Y = X[:, :5] @ rng.normal(size=(5, 3)) + rng.normal(size=(30, 3))
    model = make(name)
    near, far = clone(model).fit(X, Y), clone(model).fit((X + 1e4).astype(np.float32), Y)
    # centred in float64, the offset leaves no trace beyond the rounding of weights to float32,
    # whose eps is 1.2e-7; sums in float32 would lose all digits, as (1e4)^2 eps = 12
    np.testing.assert_allclose(far.coef_, near.coef_, rtol=1e-6, atol=1e-7)


def fortran(X):
    return np.asfortranarray(X)


def strided(X):
    return np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3]


def reversed_twice(X):
    return X[::-1, ::-1].copy()[::-1, ::-1]


def frozen(X):
    X = X.copy()
    X.flags.writeable = False
    return X


def swapped(X):
    return X.astype(X.dtype.newbyteorder(">"))


def nested_lists(X):
    return X.tolist()


def integers(X):
    return X.astype(np.int16)


def half(X):
    return X.astype(np.float16)


def objects(X):
    return X.astype(object)


def pandas_frame(X):
    return pd.DataFrame(X, columns=list("abcd"))


def pandas_of_several_dtypes(X):
    frame = pandas_frame(X)
    return frame.astype({"a": np.float32, "b": "Int64", "c": np.int8})


def polars_frame(X):
    return pl.DataFrame(X, schema=list("abcd"))


LAYOUTS = {
    layout.__name__: layout
    for layout in (
        fortran,
        strided,
        reversed_twice,
        frozen,
        swapped,
        nested_lists,
        integers,
        half,
        objects,
        pandas_frame,
        pandas_of_several_dtypes,
        polars_frame,
    )
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", STREAMING)
def test_rows_are_read_from_any_layout(name, layout):
    X, Y = make_rows(missing=True)
    X = np.round(4 * X)  # small whole numbers are exact in every dtype
    given = LAYOUTS[layout](X)
    expected, model = STREAMING[name]().fit(X, Y), STREAMING[name]().fit(given, Y)
    assert_same_numbers(model, expected, rtol=1e-10)
    np.testing.assert_allclose(model.predict(given), expected.predict(X), rtol=1e-9, atol=1e-9)
    in_chunks = STREAMING[name]().partial_fit(given, Y).partial_fit(given, Y)
    if name not in POPULATION:  # a row seen twice tells a learned prior more
        assert_same_numbers(in_chunks, expected, rtol=1e-6)  # solved to the same tol
    names = getattr(model, "feature_names_in_", None)
    assert (names is not None) == ("frame" in layout or "pandas" in layout)
    if names is not None:
        assert names.tolist() == list("abcd")


def test_rows_are_read_from_a_file_that_may_not_be_written(tmp_path):
    X, Y = make_rows(missing=True)
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "Y.npy", Y)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    labels = np.load(tmp_path / "Y.npy", mmap_mode="r")
    expected = LowRankRegressor().fit(X, Y)
    assert_same_numbers(LowRankRegressor().fit(mapped, labels), expected, rtol=1e-14)
    np.testing.assert_array_equal(expected.predict(mapped), expected.predict(X))


def test_fit_leaves_the_arrays_it_is_given_as_they_were():
    X, Y = make_rows(missing=True)
    weight = np.linspace(0.0, 2.0, N)
    before = [array.copy() for array in (X, Y, weight)]
    for name in STREAMING:
        STREAMING[name]().fit(X, Y, weight).partial_fit(X, Y, weight)
    wide = np.random.default_rng(0).normal(size=(20, 80))
    kept = wide.copy()
    LowRankRegressor().fit(wide, Y[:20])
    JointFeatureRegressor(precompute=False).fit(wide, Y[:20])
    for array, copy in zip((X, Y, weight, wide), (*before, kept), strict=True):
        np.testing.assert_array_equal(array, copy)


def test_labels_of_any_number_type_are_read():
    X, Y = make_rows()
    whole = np.round(10 * Y)
    expected = LowRankRegressor().fit(X, whole)
    for dtype in (np.int32, np.int64, np.float32, object):
        assert_same_numbers(LowRankRegressor().fit(X, whole.astype(dtype)), expected, rtol=1e-12)
    frame = pd.DataFrame(whole, columns=NAMES).astype({"north": "Int64", "south": np.float32})
    assert_same_numbers(LowRankRegressor().fit(X, frame), expected, rtol=1e-12)


# -- warm starts ----------------------------------------------------------------------------------

ITERATIVE = {
    "nuclear": (LowRankRegressor(), "alpha"),
    "l21": (JointFeatureRegressor(), "alpha"),
    "l1": (MultiTaskLinearRegressor(L1()), "penalty__alpha"),
    "nuclear and ridge": (
        MultiTaskLinearRegressor(NuclearNorm() + Ridge(0.01)),
        "penalty__nuclearnorm__alpha",
    ),
}


def make_warm(*, n=80, p=30):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, p)) @ (np.eye(p) + 0.5 * rng.normal(size=(p, p)))
    return X, X @ rng.normal(size=(p, 2)) @ rng.normal(size=(2, 8)) + rng.normal(size=(n, 8))


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("case", ITERATIVE)
def test_a_warm_start_reaches_the_optimum_in_fewer_steps(case, wide):
    X, Y = make_warm(n=40, p=100) if wide else make_warm()
    model, strength = ITERATIVE[case]
    model = clone(model).set_params(tol=1e-8, max_iter=50_000)
    cold = clone(model).set_params(**{strength: 0.5}).fit(X, Y)
    warm = clone(model).set_params(warm_start=True, **{strength: 0.55}).fit(X, Y)
    warm.set_params(**{strength: 0.5}).fit(X, Y)
    assert warm.n_iter_ < cold.n_iter_
    # each is within its gap of the minimum
    assert abs(warm.objective_ - cold.objective_) <= warm.dual_gap_ + cold.dual_gap_
    again = warm.n_iter_
    assert warm.fit(X, Y).n_iter_ <= min(again, 2)  # at the optimum there is next to nothing to do


@pytest.mark.parametrize("case", ITERATIVE)
def test_without_warm_start_every_fit_starts_anew(case):
    X, Y = make_warm()
    model = clone(ITERATIVE[case][0]).set_params(max_iter=50_000)
    first = model.fit(X, Y).coef_
    np.testing.assert_array_equal(model.fit(X, Y).coef_, first)
    assert model.fit(X, Y).n_iter_ == clone(model).fit(X, Y).n_iter_


def test_other_tasks_or_features_start_anew():
    X, Y = make_warm()
    by_name = {f"t{t}": column for t, column in enumerate(Y.T)}
    cold = LowRankRegressor().fit(X, by_name)
    for before in (
        (X, dict(list(by_name.items())[:3])),  # fewer tasks
        (X, {f"u{t}": column for t, column in enumerate(Y.T)}),  # others of the same number
        (X, Y),  # in another container
        (X[:, :7], by_name),  # other features
        (np.hstack([X] * 4), by_name),  # wide rows, rotated
    ):
        warm = LowRankRegressor(warm_start=True).fit(*before).fit(X, by_name)
        np.testing.assert_array_equal(warm.coef_, cold.coef_)
        assert warm.n_iter_ == cold.n_iter_


def test_partial_fit_starts_warm_if_asked():
    X, Y = make_warm(n=400)
    options = {"tol": 1e-8, "max_iter": 50_000}
    cold = LowRankRegressor(**options).partial_fit(X[:390], Y[:390]).partial_fit(X[390:], Y[390:])
    warm = LowRankRegressor(warm_start=True, **options)
    warm.partial_fit(X[:390], Y[:390]).partial_fit(X[390:], Y[390:])
    assert warm.n_iter_ <= cold.n_iter_
    assert abs(warm.objective_ - cold.objective_) <= warm.dual_gap_ + cold.dual_gap_
    assert not np.array_equal(warm.coef_, cold.coef_)


def test_a_closed_form_needs_no_start():
    X, Y = make_warm()
    model = MeanRegularizedRegressor(warm_start=True).fit(X, Y)
    np.testing.assert_array_equal(
        model.fit(X, -Y).coef_, MeanRegularizedRegressor().fit(X, -Y).coef_
    )


def test_shapes_are_those_of_tasks_and_features():
    X, Y = make_rows()
    for name in STREAMING:
        model = STREAMING[name]().fit(X, Y)
        assert (model.coef_.shape, model.intercept_.shape) == ((T, P), (T,))
