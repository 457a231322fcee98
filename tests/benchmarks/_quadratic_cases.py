"""Quadratic penalties: what a fit costs beside the statistics and two eigendecompositions.

    python tests/benchmarks/_quadratic_cases.py [school.npz]

Each row is (what, shape, seconds, seconds of the yardstick, ratio). Medians of runs that alternate.
"""

import sys
from statistics import median
from time import perf_counter

import numpy as np
from scipy.linalg import solve as dense_solve

from sklearn_mtl.convex import (
    CoefRows,
    GramStats,
    GraphLaplacian,
    MeanRegularization,
    Ridge,
    make_problem,
)
from sklearn_mtl.convex.datafits import GramQuadratic
from sklearn_mtl.convex.solvers import SOLVERS
from sklearn_mtl.convex.solvers._closed_form import HessianInverse
from sklearn_mtl.tasks import TaskData

SHARED_SHAPES = [(5_000, 200, 50), (5_000, 1_000, 300), (20_000, 200, 100)]
GAMMAS = (1e-4, 1e-2, 1.0, 1e2, 1e4)


def alternate(*calls, repeats=5):
    """Return the median seconds of each call, taken in turns, and the last results."""
    times, results = [[] for _ in calls], [None] * len(calls)
    for _ in range(repeats + 1):
        for number, call in enumerate(calls):
            begin = perf_counter()
            results[number] = call()
            times[number].append(perf_counter() - begin)
    return [median(each[1:]) for each in times], results  # the first run warms up


def task_rows(n_tasks):
    return CoefRows(list(range(n_tasks)), np.arange(n_tasks), np.zeros(n_tasks, int))


def random_graph(n_tasks, neighbours, seed=0):
    """Return an adjacency in which a task has so many neighbours on average."""
    rng = np.random.default_rng(seed)
    edges = np.triu(rng.random((n_tasks, n_tasks)) < neighbours / n_tasks, 1).astype(float)
    return edges + edges.T


def fit(datafit, penalty):
    """Return the solution and the method that found it, from statistics used once."""
    problem = make_problem(datafit, penalty, task_rows(datafit.shape[0]))
    solution = SOLVERS["closed_form"].solve(problem, None, tol=1e-6, max_iter=5_000)
    return problem, solution


def methods(problem):
    inverse = HessianInverse(problem.coupling, fresh(problem.datafit), max_iter=1)
    return " + ".join(sorted({type(part).__name__ for _, part in inverse.parts}))


def fresh(datafit):
    """Return the datafit without what it has cached."""
    weight = np.maximum(datafit.task_weight, 1e-300)
    energy = np.full(len(weight), datafit.energy / weight.sum())
    return GramQuadratic(
        datafit.gram, datafit.group, datafit.linear / weight[:, None], energy, weight
    )


def shared_rows(shapes=SHARED_SHAPES):
    """Rows for one Gram matrix: X'X, X'y and the solve against X'X and eigh of G and of A."""
    found = []
    for n, p, n_tasks in shapes:
        rng = np.random.default_rng(0)
        X = rng.normal(size=(n, p))
        Y = X @ rng.normal(size=(p, n_tasks)) + rng.normal(size=(n, n_tasks))
        data = TaskData(X, n, n_tasks).with_labels(Y, np.ones((n, n_tasks), bool))
        graph = random_graph(n_tasks, 6)
        for name, penalty, weight in [
            ("mean-regularised", MeanRegularization(), np.ones(n_tasks)),
            ("mean-regularised, task weights", MeanRegularization(), rng.uniform(0.5, 2, n_tasks)),
            ("graph", GraphLaplacian(graph) + Ridge(), np.ones(n_tasks)),
            ("graph, task weights", GraphLaplacian(graph) + Ridge(), rng.uniform(0.5, 2, n_tasks)),
        ]:
            matrix = make_problem(
                GramStats.from_data(X, data).datafit(weight), penalty, task_rows(n_tasks)
            ).matrix

            def yardstick(X=X, matrix=matrix):
                centred = X - X.mean(axis=0)
                np.linalg.eigh(centred.T @ centred)
                np.linalg.eigh(matrix)

            def whole(X=X, data=data, weight=weight, penalty=penalty):
                return fit(GramStats.from_data(X, data).datafit(weight), penalty)

            (ours, theirs), ((problem, _), _) = alternate(whole, yardstick)
            what = f"{name} ({methods(problem)}), with X'X"
            found.append((what, f"{n} x {p}, T={n_tasks}", ours, theirs, ours / theirs))
    return found


def own_gram(n_tasks, n, p, seed=0):
    """Return the squared loss of tasks with rows of their own."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=p)
    inputs = rng.normal(size=(n_tasks, n, p))
    inputs -= inputs.mean(axis=1, keepdims=True)
    weights = common + 0.3 * rng.normal(size=(n_tasks, p))
    labels = np.einsum("tni,ti->tn", inputs, weights) + rng.normal(size=(n_tasks, n))
    return GramQuadratic(
        np.matmul(inputs.transpose(0, 2, 1), inputs) / n,
        np.arange(n_tasks),
        np.einsum("tni,tn->ti", inputs, labels) / n,
        np.square(labels).mean(axis=1),
        np.ones(n_tasks),
    )


def own_rows():
    """Rows for Gram matrices of their own: the solve against one Cholesky factor of each G_t."""
    found = []
    for n_tasks, n, p, penalties in [
        (3_000, 40, 20, ["chain", "ring", "mean", "none", 6]),
        (50, 300, 200, ["chain", "mean", 6]),
    ]:
        datafit = own_gram(n_tasks, n, p)
        for word in penalties:
            penalty = {"mean": MeanRegularization(), "none": Ridge()}.get(word) or GraphLaplacian(
                random_graph(n_tasks, word) if isinstance(word, int) else word, 1.0
            )

            def apart(datafit=datafit):
                np.linalg.cholesky(datafit.gram)

            def whole(datafit=datafit, penalty=penalty):
                return fit(fresh(datafit), penalty)

            (ours, theirs), ((problem, solution), _) = alternate(whole, apart, repeats=3)
            what = f"{word} ({methods(problem)}, {solution.n_iter} iterations)"
            found.append((what, f"own G {p} x {p}, T={n_tasks}", ours, theirs, ours / theirs))
    return found


def school_gram(path):
    """Return the squared loss of School, and the number of tasks."""
    arrays = np.load(path)
    X, y, school = arrays["X"][:, :-1].astype(float), arrays["y"].astype(float), arrays["school"]
    n_tasks = int(school.max()) + 1
    data = TaskData(X, len(X), n_tasks, school.astype(int))
    return GramStats.from_data(X, data.with_labels(y, np.ones(len(y), bool))).datafit(
        np.ones(n_tasks)
    )


def school_rows(path):
    """Rows for School under a random graph: the solve against one dense solve of (T p, T p)."""
    datafit = school_gram(path)
    n_tasks, p = datafit.shape
    graph = random_graph(n_tasks, 8)
    found = []
    for gamma in GAMMAS:
        penalty = GraphLaplacian(graph, gamma) + Ridge(1e-3)
        (ours,), ((problem, solution),) = alternate(lambda p=penalty: fit(fresh(datafit), p))
        system = np.kron(problem.matrix, np.eye(p))
        for t in range(n_tasks):
            system[t * p : (t + 1) * p, t * p : (t + 1) * p] += datafit.gram[datafit.group[t]]
        right = datafit.linear.ravel()
        begin = perf_counter()
        dense = dense_solve(system, right, assume_a="pos")
        theirs = perf_counter() - begin
        error = np.abs(solution.coef.ravel() - dense).max() / np.abs(dense).max()
        what = f"graph, gamma={gamma:g} ({solution.n_iter} iterations, apart by {error:.0e})"
        found.append((what, f"School, T={n_tasks}", ours, theirs, ours / theirs))
    (ours,), _ = alternate(lambda: fit(fresh(datafit), MeanRegularization()))
    found.append(("mean-regularised", f"School, T={n_tasks}", ours, theirs, ours / theirs))
    return found


def table(title, rows):
    print(f"\n{title}")
    for what, shape, ours, theirs, ratio in rows:
        print(f"{what:<75} {shape:<26} {1e3 * ours:9.1f} ms {1e3 * theirs:9.1f} ms {ratio:8.3f}")


def main(school=None):
    table("one Gram matrix: ours, X'X and two eigh, ratio", shared_rows())
    table("own Gram matrices: ours, one Cholesky factor of each, ratio", own_rows())
    if school is not None:
        table("School: ours, one dense Cholesky solve, ratio", school_rows(school))


if __name__ == "__main__":
    main(*sys.argv[1:2])
