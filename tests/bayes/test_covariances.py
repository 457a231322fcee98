"""Covariances of tasks: the same in every form that they are kept in, which are no more numbers."""

import pickle

import numpy as np
import pytest
from bayes._task_data import own_rows, related, shared_rows
from bayes.test_evidence import learned
from numpy.testing import assert_allclose

from sklearn_mtl.bayes._covariances import Matrices, OneBasis


def one_basis():
    rng = np.random.default_rng(0)
    basis, shared = rng.standard_normal((2, 2, 4, 4))
    return OneBasis(basis, shared, np.array([0, 1, 1, 0, 1]), rng.random((5, 4)))


def test_covariances_of_one_basis_are_what_they_stand_for():
    given = one_basis()
    for kind, found in enumerate(given.dense()):
        A, R = (part[given.group[kind]] for part in (given.basis, given.shared))
        q = np.diag(given.left[kind])
        # entries of size 1 to 10, each a sum of a few products
        assert_allclose(found, A @ (q + q @ R @ R.T @ q) @ A.T, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("given", [one_basis(), Matrices(one_basis().dense())])
def test_variances_and_draws_are_those_of_the_matrices(given):
    rows = np.random.default_rng(1).standard_normal((6, 4))
    for kind, matrix in enumerate(given.dense()):
        assert_allclose(given.variance(rows, kind), np.diag(rows @ matrix @ rows.T), rtol=1e-10)
        drawn = given.draw(kind, 20000, np.random.RandomState(0))
        root = np.linalg.cholesky(matrix)
        whitened = np.linalg.solve(root, drawn)
        # 20000 draws: a standard error of 0.007 to 0.01 an entry
        assert_allclose(np.cov(whitened), np.eye(4), atol=0.05)


def test_tasks_of_one_basis_come_with_others():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20, 3))
    Y = X @ rng.standard_normal((3, 30)) + rng.standard_normal((20, 30))
    tasks = learned(shared_rows(X, Y), tol=1e-4).tasks
    assert isinstance(tasks.parts[0], OneBasis)
    further = tasks.append(np.ones((2, 4)), Matrices(np.array([np.eye(4)])), np.array([0, 0]))
    chosen = further.select(np.array([31, -1, 4]))
    whole = tasks.covariance[tasks.kind]
    expected = [np.eye(4), tasks.unseen_covariance, whole[4]]
    assert_allclose(chosen.covariance[chosen.kind], expected)
    rows = rng.standard_normal((5, 4))
    for place, matrix in enumerate(expected):
        assert_allclose(chosen.variance(rows, place), np.diag(rows @ matrix @ rows.T))
    assert further.parts[0] is tasks.parts[0]  # nothing is copied


def test_a_fit_keeps_each_covariance_once():
    p, T = 30, 40
    fit = learned(own_rows(*related(n_tasks=T, n=5, p=p)), tol=1e-2)
    once = T * (p + 1) ** 2 * 8
    assert len(pickle.dumps(fit)) < 1.3 * once


def test_a_fit_of_the_same_rows_keeps_one_basis():
    p, T = 30, 400
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, p))
    Y = X @ rng.standard_normal((p, T)) + rng.standard_normal((40, T))
    fit = learned(shared_rows(X, Y), tol=1e-2, max_iter=4)
    # a mean and a diagonal for each task
    assert len(pickle.dumps(fit)) < 4 * T * (p + 1) * 8
