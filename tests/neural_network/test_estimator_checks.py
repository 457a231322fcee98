"""scikit-learn's own contract, and what its weight checks say of full batches."""

import numpy as np
import pytest
from _plain import PLAIN
from sklearn.utils.estimator_checks import check_estimator

from sklearn_mtl import MultiTaskClassifier, MultiTaskEstimator, MultiTaskRegressor
from sklearn_mtl.neural_network.balancing import BALANCING
from sklearn_mtl.neural_network.sharing import SHARING

NETWORKS = [MultiTaskRegressor, MultiTaskClassifier, MultiTaskEstimator]
# the defaults, with few long steps of a narrow network: some checks ask for skill
LONG_STEPS = {
    "hidden_layer_sizes": (32,), "batch_size": 256, "max_epochs": 20, "lr": 0.05, "random_state": 0
}  # fmt: skip
# the only checks that random rows and units cannot pass, with the reason
EXPECTED_FAILURES = {
    f"check_sample_weight_equivalence_on_{kind}_data": "drawn anew where rows are repeated"
    for kind in ("dense", "sparse")
}


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(
    "params",
    [{}, {**PLAIN, "early_stopping": True, "dtype": "float64"}],
    ids=["default", "held out"],
)
def test_scikit_learn_finds_nothing_to_object_to(network, params):
    estimator = network(**{**LONG_STEPS, **params})
    check_estimator(estimator, expected_failed_checks=EXPECTED_FAILURES, on_skip=None)


FULL_BATCH = {
    **PLAIN,  # inputs that are dropped would be others for other rows
    "hidden_layer_sizes": (8,),
    "activation": "tanh",
    "dropout": 0.0,  # and so would units
    "batch_size": 10_000,
    "max_epochs": 30,
    "early_stopping": False,
    "dtype": "float64",
    "random_state": 0,
}


# one step an epoch, which has the same gradients for whole weights and repeated rows: with these
# no check may fail
FEW_STEPS = {**FULL_BATCH, "activation": "relu", "max_epochs": 12, "lr": 0.1}


@pytest.mark.parametrize("word", BALANCING)
def test_scikit_learn_finds_nothing_to_object_to_with_any_balancing(word):
    check_estimator(MultiTaskRegressor(**FEW_STEPS, balancing=word), on_skip=None)


@pytest.mark.parametrize("word", [word for word in SHARING if word != "hard"])
def test_scikit_learn_finds_nothing_to_object_to_with_any_sharing(word):
    check_estimator(MultiTaskRegressor(**FEW_STEPS, sharing=word), on_skip=None)


def make_labels(network, X, rng):
    scores = X @ rng.normal(size=(X.shape[1], 2)) + 0.1 * rng.normal(size=(len(X), 2))
    if network is MultiTaskRegressor:
        return scores
    classes = np.column_stack([scores[:, 0] > 0, np.digitize(scores[:, 1], [-1.0, 1.0])])
    return classes.astype(int) if network is MultiTaskClassifier else classes.astype(object)


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("network", NETWORKS)
def test_with_full_batches_whole_weights_equal_repeated_rows(network, missing):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    y = make_labels(network, X, rng)
    y = y.astype(object if network is MultiTaskEstimator else float)
    y[rng.random(y.shape) < missing] = None if y.dtype == object else np.nan
    times = rng.integers(0, 4, size=40)
    weighted = network(**FULL_BATCH).fit(X, y, sample_weight=times)
    repeated = network(**FULL_BATCH).fit(np.repeat(X, times, axis=0), np.repeat(y, times, axis=0))
    # sums of the same terms in another order; Adam divides a rounding error of 1e-16 in the
    # gradient by the gradient's size, and 30 steps add up
    for part in ("weight", "bias"):
        np.testing.assert_allclose(
            getattr(weighted.net_.module_.heads, part).detach().numpy(),
            getattr(repeated.net_.module_.heads, part).detach().numpy(),
            rtol=1e-7,
            atol=1e-9,
        )
    if network is MultiTaskRegressor:
        np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-7, atol=1e-9)
    else:
        for one, other in zip(weighted.predict_proba(X), repeated.predict_proba(X), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-7, atol=1e-9)


def test_only_estimators_of_one_kind_are_tagged_with_it():
    kinds = [network().__sklearn_tags__().estimator_type for network in NETWORKS]
    # a classifier tag would make splitters ask for the type of mixed labels, and fail
    assert kinds == ["regressor", "classifier", None]
