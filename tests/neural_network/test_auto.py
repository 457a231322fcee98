"""What "auto" stands for, on both sides of the numbers where it changes."""

import numpy as np
import pytest
from _plain import PLAIN
from torch import nn

from sklearn_mtl import MultiTaskRegressor
from sklearn_mtl.neural_network import _auto as auto

QUICK = {"hidden_layer_sizes": (2,), "max_epochs": 1, "batch_size": 10_000, "random_state": 0}


def fitted(**params):
    """Return what a network of 20 rows of 2 features was made with."""
    X = np.random.default_rng(0).normal(size=(20, 2))
    return MultiTaskRegressor(**QUICK, **params).fit(X, X[:, 0])._network.settings


@pytest.mark.parametrize(("most", "networks"), [(20, 4), (19, 1)])
def test_several_networks_learn_from_few_rows(monkeypatch, most, networks):
    monkeypatch.setattr(auto, "ENSEMBLE_ROWS", most)
    assert fitted()["n_estimators"] == networks


@pytest.mark.parametrize(("most", "embedded"), [(2, True), (1, False)])
def test_features_are_embedded_where_they_are_few(monkeypatch, most, embedded):
    monkeypatch.setattr(auto, "EMBEDDED_FEATURES", most)
    assert (fitted()["numeric_embedding"] is not None) == embedded


def test_a_module_of_the_callers_own_is_one_network_that_reads_numbers_as_they_are():
    settings = fitted(module=nn.Linear(2, 3))
    assert settings["n_estimators"] == 1
    assert settings["numeric_embedding"] is None


@pytest.mark.parametrize(
    ("n_rows", "rows_a_step", "epochs"),
    [
        (32, 32, 400),
        (33, 32, 200),  # two steps an epoch
        (320, 32, 40),
        (100_000, 256, 20),
    ],
)
def test_few_rows_are_seen_until_400_steps_are_made_and_many_20_times(n_rows, rows_a_step, epochs):
    assert auto.max_epochs("auto", n_rows, rows_a_step, held_out=False) == epochs
    assert auto.max_epochs("auto", n_rows, rows_a_step, held_out=True) == 100


def test_epochs_follow_the_steps_that_are_made_of_the_rows():
    X = np.random.default_rng(0).normal(size=(40, 2))
    params = {**QUICK, **PLAIN, "max_epochs": "auto", "batch_size": 2}
    assert MultiTaskRegressor(**params).fit(X, X).n_iter_ == 20
    # four batches make a step, so that 40 rows make five
    assert MultiTaskRegressor(**params, accumulation_steps=4).fit(X, X).n_iter_ == 80
