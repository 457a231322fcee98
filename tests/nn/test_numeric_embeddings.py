"""Embeddings of numbers: their formulas, what they leave alone, and their copies."""

import pickle

import numpy as np
import pytest
import torch
from _plain import PLAIN
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sklearn_mtl import MultiTaskEstimator, MultiTaskRegressor, MultiTaskTarget
from sklearn_mtl.neural_network import PeriodicEmbedding, PiecewiseLinearEmbedding
from sklearn_mtl.neural_network.numeric_embedding import NUMERIC_EMBEDDINGS

ROWS = np.random.default_rng(0).normal(size=(60, 3))
ROWS[:, 1] = ROWS[:, 1] > 0  # a code


def made(embedding, copies=None):
    torch.manual_seed(0)
    return embedding.prepare(ROWS, np.ones(len(ROWS))).build(3, copies).double()


def test_periodic_features_are_sines_and_cosines_of_each_frequency():
    module = made(PeriodicEmbedding(n_frequencies=2))
    x = ROWS[0]
    waves = [2 * np.pi * c * x[j] for j, row in zip((0, 2), module.frequency, strict=True)
             for c in row.tolist()]  # fmt: skip
    expected = [*x, *np.sin(waves), *np.cos(waves)]
    # float64 sines of the same angles
    np.testing.assert_allclose(module(torch.tensor(x[None]))[0].detach(), expected, rtol=1e-12)


def test_frequencies_start_with_the_scale_asked_for():
    rows = np.random.default_rng(0).normal(size=(50, 40))
    torch.manual_seed(0)
    embedding = PeriodicEmbedding(n_frequencies=50, frequency_scale=0.7).prepare(rows, np.ones(50))
    deviation = float(embedding.build(40, None).frequency.detach().std())
    assert deviation == pytest.approx(0.7, rel=0.05)  # 2,000 draws: 1.6 % standard error


def test_piecewise_linear_features_are_the_place_in_each_bin():
    module = made(PiecewiseLinearEmbedding(n_bins=4))
    edges = np.quantile(ROWS, np.linspace(0, 1, 5), axis=0)
    for x in (*ROWS[:5], ROWS.max(axis=0) + 1, ROWS.min(axis=0) - 1):
        expected = [*x]
        for j in (0, 2):
            for b in range(4):
                place = (x[j] - edges[b, j]) / (edges[b + 1, j] - edges[b, j])
                low, high = (-np.inf if b == 0 else 0), (np.inf if b == 3 else 1)
                expected.append(min(max(place, low), high))
        # float32 edges, as float32 networks have
        np.testing.assert_allclose(module(torch.tensor(x[None]))[0], expected, rtol=1e-5, atol=1e-6)


def test_quantiles_that_coincide_make_fewer_bins():
    rows = np.r_[np.zeros(80), np.arange(20.0)][:, None]
    embedding = PiecewiseLinearEmbedding(n_bins=10).prepare(rows, np.ones(100))
    assert len(embedding.edges_[0]) < 11
    assert torch.isfinite(embedding.build(1, None)(torch.tensor(rows).float())).all()


def test_rows_without_weight_do_not_move_the_bins():
    mass = np.r_[np.ones(50), np.zeros(10)]
    with_zeros = PiecewiseLinearEmbedding().prepare(ROWS, mass)
    without = PiecewiseLinearEmbedding().prepare(ROWS[:50], mass[:50])
    np.testing.assert_array_equal(with_zeros.edges_[0], without.edges_[0])


@pytest.mark.parametrize("word", NUMERIC_EMBEDDINGS)
def test_features_with_few_values_stay_as_they_are(word):
    codes = np.random.default_rng(0).integers(3, size=(60, 2)).astype(float)
    module = NUMERIC_EMBEDDINGS[word]().prepare(codes, np.ones(60)).build(2, None)
    x = torch.tensor(codes).float()
    assert torch.equal(module(x), x)


@pytest.mark.parametrize("word", NUMERIC_EMBEDDINGS)
def test_copies_are_embeddings_side_by_side(word):
    module = made(NUMERIC_EMBEDDINGS[word](), copies=4)
    x = torch.tensor(ROWS)
    out = module(x)
    assert out.shape == (4, 60, module.n_outputs)
    assert torch.equal(module(x.expand(4, 60, 3)), out)
    if word == "periodic":
        assert not torch.equal(out[0], out[1])


@pytest.mark.parametrize("word", NUMERIC_EMBEDDINGS)
def test_estimators_take_the_word_in_every_layout(word):
    y = {"price": np.where(ROWS[:, 0] > 1, np.nan, ROWS[:, 0]), "good": ROWS[:, 1] > 0}
    model = MultiTaskEstimator(numeric_embedding=word, max_epochs=2, random_state=0)
    whole = model.fit(ROWS, y).predict(ROWS)
    again = pickle.loads(pickle.dumps(model)).predict(ROWS)
    np.testing.assert_array_equal(whole["price"], again["price"])
    own = clone(model).fit({"a": ROWS, "b": ROWS[:20]}, {"a": ROWS[:, 0], "b": ROWS[:20, 2]})
    assert [len(part) for part in own.predict({"a": ROWS, "b": ROWS[:7]}).values()] == [60, 7]


def test_grids_reach_inside():
    y = MultiTaskTarget({"a": ROWS[:, 0], "b": ROWS[:, 2]})
    params = {**PLAIN, "numeric_embedding": PeriodicEmbedding(), "max_epochs": 1}
    model = MultiTaskRegressor(**params, random_state=0)
    grid = {"numeric_embedding__n_frequencies": [1, 3]}
    search = GridSearchCV(model, grid, cv=2).fit(ROWS, y)
    frequency = dict(search.best_estimator_.net_.module_.named_parameters())
    width = search.best_params_["numeric_embedding__n_frequencies"]
    assert frequency["sharing.trunk.stages.0.0.frequency"].shape == (2, width)


def test_a_kink_is_learned_that_lines_miss():
    # linear in the bins or the waves, but not in the number
    x = np.random.default_rng(0).uniform(-1, 1, size=(400, 1))
    y = np.abs(x[:, 0])
    params = {
        **PLAIN, "hidden_layer_sizes": (), "dropout": 0.0, "lr": 0.1, "max_epochs": 30,
        "random_state": 0,
    }  # fmt: skip
    scores = {
        embedding: MultiTaskRegressor(**{**params, "numeric_embedding": embedding})
        .fit(x, y)
        .score(x, y)
        for embedding in (None, "piecewise_linear", "periodic")
    }
    assert scores[None] < 0.1
    assert scores["piecewise_linear"] > 0.95
    assert scores["periodic"] > 0.95


@pytest.mark.parametrize(
    ("embedding", "message"),
    [
        ("periodc", "did you mean 'periodic'"),
        (PeriodicEmbedding(n_frequencies=0), "n_frequencies"),
        (PeriodicEmbedding(frequency_scale=0), "frequency_scale"),
        (PiecewiseLinearEmbedding(n_bins=1), "n_bins"),
    ],
)
def test_a_bad_embedding_is_named(embedding, message):
    with pytest.raises(ValueError, match=message):
        MultiTaskRegressor(numeric_embedding=embedding).fit(ROWS, ROWS)
