"""Squared losses with a nuclear norm, by rows for the reference and by Gram matrices for ours."""

import numpy as np
from convex import _references_convex as rows_reference
from convex._references_convex import Part

from sklearn_mtl.convex import NuclearNorm, Problem
from sklearn_mtl.convex.datafits import GramQuadratic

# what is special about a draw; everything else is drawn
CONDITIONS = {
    "shared rows": {"n_groups": 1},
    "own rows": {"n_groups": "T"},
    "groups of rows": {"n_groups": 2},
    "task weights on shared rows": {"n_groups": 1, "weighted": True},
    "task weights on own rows": {"n_groups": "T", "weighted": True},
    "fewer rows than features": {"n": 3},
    "constant and repeated features": {"degenerate": True},
    "one task": {"n_tasks": 1},
    "one feature": {"p": 1},
    "ridge": {"ridge": 0.1},
    "graph on shared rows": {"n_groups": 1, "graph": 0.2, "ridge": 0.01},
    "graph on own rows": {"n_groups": "T", "graph": 0.2},
}


def gram_of(parts, weight):
    """Return the loss of these parts in Gram form; parts whose X is one array share a matrix."""
    arrays = {id(part.X): part.X for part in parts}
    keys = list(arrays)
    group = np.array([keys.index(id(part.X)) for part in parts])
    gram = np.array([X.T @ X / len(X) for X in arrays.values()])
    cross = np.array([part.X.T @ part.y / len(part.y) for part in parts])
    energy = np.array([part.y @ part.y / len(part.y) for part in parts])
    return GramQuadratic(gram, group, cross, energy, np.asarray(weight, float))


def parts_of(rng, group, p, *, n, constant=None):
    """Return parts with labels of rank 2 plus noise."""
    X = rng.normal(size=(group.max() + 1, n, p)) * 10.0 ** rng.uniform(-1, 0.5, size=p)
    if constant is not None:
        X[:, :, constant] = 0.0
    arrays = list(X)
    W = rng.normal(size=(len(group), 2)) @ rng.normal(size=(2, p))
    return [
        Part(arrays[k], arrays[k] @ w + 0.5 * rng.normal(size=n), np.ones(n))
        for k, w in zip(group, W, strict=True)
    ]


def quadratic(rng, group, p, *, n, weight, constant=None):
    """Return a loss whose tasks have the Gram matrices that `group` says."""
    parts = parts_of(rng, group, p, n=n, constant=constant)
    datafit = gram_of(parts, weight)
    order = np.argsort([group[datafit.group == k][0] for k in range(len(datafit.gram))])
    return GramQuadratic(
        datafit.gram[order],
        group,
        np.array([part.X.T @ part.y / n for part in parts]),
        np.array([part.y @ part.y / n for part in parts]),
        weight,
    )


def draw(condition, seed):
    """Return parts, task weights, terms of the penalty, and the problem they make."""
    rng, special = np.random.default_rng(seed), CONDITIONS[condition]
    n_tasks = special.get("n_tasks", int(rng.integers(3, 7)))
    p = special.get("p", int(rng.integers(2, 7)))
    n_groups = special.get("n_groups", int(rng.integers(1, n_tasks + 1)))
    n_groups = n_tasks if n_groups == "T" else min(n_groups, n_tasks)
    group = rng.permutation(np.arange(n_tasks) % n_groups)
    n = special.get("n", int(rng.integers(8, 20)))
    degenerate = special.get("degenerate", False)
    parts = parts_of(rng, group, p, n=n, constant=0 if degenerate else None)
    if degenerate:
        for part in parts:
            part.X[:, -1] = part.X[:, 1]
    weight = (
        rng.choice([0.5, 1.0, 3.0], size=n_tasks) if special.get("weighted") else [1.0] * n_tasks
    )
    datafit = gram_of(parts, weight)
    alpha = rng.choice([0.3, 0.1, 0.01, 0.001]) * np.linalg.norm(datafit.linear, 2)
    terms, matrix = [("nuclear", alpha)], None
    if "ridge" in special:
        terms.append(("ridge", special["ridge"]))
        matrix = special["ridge"] * np.eye(n_tasks)
    if "graph" in special:
        edges = [(t, t + 1, 1.0 + t) for t in range(n_tasks - 1)]
        terms.append(("graph", edges, special["graph"]))
        incidence = np.zeros((len(edges), n_tasks))
        for row, (s, t, strength) in zip(incidence, edges, strict=True):
            row[s], row[t] = np.sqrt(strength), -np.sqrt(strength)
        matrix = (0.0 if matrix is None else matrix) + special["graph"] * incidence.T @ incidence
    return parts, weight, terms, Problem(datafit, NuclearNorm(alpha), matrix)


def value(parts, weight, terms, W):
    """Return the objective at W without intercepts, by rows."""
    return rows_reference.objective(
        [Part(part.X, part.y, part.weight) for part in parts], weight, terms, W, np.zeros(len(W))
    )


def minimum(parts, weight, terms, problem):
    """Return the smallest objective that cvxpy finds, with labels and alpha at scale 1."""
    # a cone solver's tolerances are absolute: f(sW; y, alpha) = s^2 f(W; y / s, alpha / s)
    scale = np.sqrt(2.0 * problem.scale)
    scaled = [Part(part.X, part.y / scale, part.weight) for part in parts]
    small = [(terms[0][0], terms[0][1] / scale), *terms[1:]]
    W, _ = rows_reference.minimise(scaled, weight, small, fit_intercept=False)
    return value(parts, weight, terms, scale * W)


def wide_problem(kind):
    """Return a problem of 24 tasks and 30 features whose solution has a rank of a few."""
    rng = np.random.default_rng(0)
    group = {"shared": np.zeros(24, int), "groups": np.arange(24) % 5, "own": np.arange(24)}[kind]
    datafit = quadratic(rng, group, 30, n=60, weight=np.ones(24))
    return Problem(datafit, NuclearNorm(0.1 * np.linalg.norm(datafit.linear, 2)))


def ill_conditioned_problem(matrix=None):
    """Return 20 tasks whose Gram matrices differ in size, and whose features differ more."""
    rng = np.random.default_rng(1)
    datafit = quadratic(rng, np.arange(20), 15, n=10, weight=np.ones(20))
    spread = 10.0 ** rng.uniform(-1.5, 1.5, size=15)
    size = 10.0 ** rng.uniform(-1, 1, size=20)
    gram = size[:, None, None] ** 2 * spread[:, None] * datafit.gram * spread
    cross = size[:, None] * spread * datafit.linear
    energy = np.full(20, datafit.energy / 20)
    datafit = GramQuadratic(gram, np.arange(20), cross, energy, np.ones(20))
    return Problem(datafit, NuclearNorm(0.03 * np.linalg.norm(datafit.linear, 2)), matrix)


def ill_conditioned_shared_problem(share, matrix=None, *, weighted=False):
    """Return 20 tasks on one Gram matrix, of features that differ in size by up to 1000."""
    rng = np.random.default_rng(1)
    weight = np.linspace(0.2, 2.0, 20) if weighted else np.ones(20)
    datafit = quadratic(rng, np.zeros(20, int), 15, n=60, weight=np.ones(20))
    spread = 10.0 ** rng.uniform(-1.5, 1.5, size=15)
    gram = spread[:, None] * datafit.gram * spread
    energy = np.full(20, datafit.energy / 20)
    datafit = GramQuadratic(gram, datafit.group, spread * datafit.linear, energy, weight)
    return Problem(datafit, NuclearNorm(share * np.linalg.norm(datafit.linear, 2)), matrix)
