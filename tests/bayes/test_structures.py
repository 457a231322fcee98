"""Every registered form of a covariance keeps the contract, and each is what it says."""

import numpy as np
import pytest
from _contracts._structure import (
    assert_comes_back,
    assert_hyper_prior_is_further_tasks,
    assert_maximises,
    some_scatter,
)
from numpy.testing import assert_allclose

from sklearn_mtl.bayes import STRUCTURES
from sklearn_mtl.bayes._learn import make_structure


@pytest.fixture(params=STRUCTURES)
def word(request):
    return request.param


def structure_of(word, pseudo_tasks, p=5):
    return make_structure(word, 0.5, p, rank=2, pseudo_tasks=pseudo_tasks)


@pytest.mark.parametrize("pseudo_tasks", [1.0, 5.0])
def test_maximise_is_the_argmax(word, pseudo_tasks):
    scatter = some_scatter(5, 12, np.random.default_rng(0))
    assert_maximises(structure_of(word, pseudo_tasks), scatter, 12)


def test_the_hyper_prior_counts_as_tasks(word):
    scatter = some_scatter(5, 12, np.random.default_rng(1))
    assert_hyper_prior_is_further_tasks(structure_of(word, 3.0), scatter, 12)


def test_covariances_come_back_from_their_vectors(word):
    structure = structure_of(word, 2.0)
    scatter = some_scatter(5, 12, np.random.default_rng(2))
    assert_comes_back(structure, structure.maximise(scatter, 12))


def test_fewer_tasks_than_features_make_no_singular_covariance(word):
    one_task = some_scatter(5, 1, np.random.default_rng(3))
    found = structure_of(word, "auto").maximise(one_task, 1)
    assert np.linalg.cond(found) < 1e4


def test_each_form_is_what_it_says():
    scatter = some_scatter(5, 12, np.random.default_rng(4))
    found = {word: structure_of(word, 1.0).maximise(scatter, 12) for word in STRUCTURES}
    whole = (scatter + 0.5 * np.eye(5)) / 13
    assert_allclose(found["full"], whole)
    assert_allclose(found["diagonal"], np.diag(np.diag(whole)))
    assert_allclose(found["spherical"], np.eye(5) * np.trace(whole) / 5)
    values = np.linalg.eigvalsh(found["low_rank"])
    assert_allclose(values[:3], values[0])
    assert_allclose(values[3:], np.linalg.eigvalsh(whole)[3:])
