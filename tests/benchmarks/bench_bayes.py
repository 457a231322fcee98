"""Time the learning of a population of tasks: an iteration, a fit, and both against peers.

Run it as

    python tests/benchmarks/bench_bayes.py --school school.npz

with arrays X, y and school in that file; without it, tasks of that size are simulated. It prints
ratios, since machines differ and drift: an iteration over T Cholesky factorisations of d x d,
d = p + 1 with the intercept, and a fit over a hand-written expectation-maximisation and over
scikit-learn's BayesianRidge once for each task.
"""

import argparse
import gc
from time import perf_counter

import numpy as np
from sklearn.linear_model import BayesianRidge

from sklearn_mtl.bayes import Population, Standardization, learn
from sklearn_mtl.bayes._gaussian import LEVEL, LEVEL_LABELS, GaussianModel
from sklearn_mtl.bayes._learn import make_structure
from sklearn_mtl.bayes._maximise import maximise
from sklearn_mtl.convex import GramStats
from sklearn_mtl.tasks import TaskData

SETTINGS = {
    "rank": 5, "pseudo_tasks": "auto", "shared_noise": True, "fit_intercept": True,
    "learn_mean": True, "each_task": False, "max_iter": 1000,
}  # fmt: skip


def simulated(n_tasks, n_rows, p, seed=0):
    """Return features, labels and tasks of one population, with rows of their own."""
    rng = np.random.default_rng(seed)
    task = np.repeat(np.arange(n_tasks), n_rows)
    X = rng.standard_normal((len(task), p))
    root = rng.standard_normal((p, p)) / p
    W = (rng.standard_normal(p) + 3 * rng.standard_normal((n_tasks, p)) @ root.T) / np.sqrt(p)
    return X, np.einsum("ij,ij->i", X, W[task]) + rng.standard_normal(len(task)), task


def school(path):
    """Return examination scores: pupils, their scores and schools, and what to call them."""
    if path is None:
        return (*simulated(139, 83, 27), "139 simulated tasks of 83 rows, 27 features")
    data = np.load(path)
    X = data["X"].astype(float)
    X = X[:, X.std(axis=0) > 0]
    rng, task = np.random.default_rng(0), np.unique(data["school"], return_inverse=True)[1]
    train = rng.random(len(X)) < 0.75
    return X[train], data["y"][train].astype(float), task[train], "school, 75 % of the pupils"


def statistics(X, y, task):
    """Return the statistics that a fit learns from."""
    seen = np.ones(len(y), bool)
    return GramStats.from_data(X, TaskData(None, len(y), task.max() + 1, task, None, y, seen, None))


def seconds(function, repeat=5):
    """Return the least wall time of a call."""
    times = []
    for _ in range(repeat):
        gc.collect()
        start = perf_counter()
        function()
        times.append(perf_counter() - start)
    return min(times)


def model_of(stats, *, shared_noise=True):
    """Return the model with a full covariance, about a typical variance."""
    p = stats.n_features
    there = Standardization.of(stats, fit_intercept=True, each_feature=True, each_task=False)
    form = make_structure("full", 0.5 / p, p, rank=1, pseudo_tasks="auto")
    population = Population(form, p, True, True)
    return GaussianModel(there.moments(stats), population, np.zeros(p + 1), shared_noise)


def iteration(model):
    """Return one iteration as a function: posterior, score, step, and the step as a vector."""
    start = model.start()
    at = model.update(start, model.posterior(start))

    def run():
        posterior = model.posterior(at)
        model.score(at, posterior)
        model.unpack(model.pack(model.update(at, posterior)))

    return run


def hand_written(moments, population, *, max_iter, best, near):
    """Expectation-maximisation as a page of NumPy says it; stops within `near` of `best`.

    Returns
    -------
    iterations : int
    score : float
    """
    gram, cross, T = moments.gram[moments.group], moments.cross, len(moments.cross)
    model = GaussianModel(moments, population, np.zeros(cross.shape[1]), True)
    at = model.start()
    noise, prior = at.noise[0], at.prior
    score = -np.inf
    for step in range(max_iter):
        inverse = np.linalg.inv(prior.covariance)
        C = np.linalg.inv(inverse + gram / noise)
        own = np.einsum("tij,tj->ti", C, cross / noise)
        of_mean = T * inverse - inverse @ C.sum(axis=0) @ inverse
        V = np.linalg.inv(np.diag(1.0 / prior.variance) + of_mean)
        mean = V @ inverse @ own.sum(axis=0)
        B = C @ inverse
        v = own + B @ mean
        inner = inverse @ own.sum(axis=0)
        score = -0.5 * (
            moments.mass.sum() * np.log(2 * np.pi * noise)
            + moments.energy.sum() / noise
            - (cross * own).sum() / noise
            - np.linalg.slogdet(C)[1].sum()
            + T * np.linalg.slogdet(prior.covariance)[1]
            - inner @ V @ inner
            - np.linalg.slogdet(V)[1]
            + np.log(prior.variance).sum()
            + LEVEL_LABELS * (np.log(noise) + LEVEL / noise)
        ) + population.log_density(prior)
        if score > best - near:
            return step, score
        own_covariance = C + B @ V @ np.swapaxes(B, 1, 2)
        apart = B - np.eye(len(V))
        scatter = (C + apart @ V @ np.swapaxes(apart, 1, 2)).sum(axis=0)
        scatter += (v - mean).T @ (v - mean)
        errors = (
            moments.energy
            - 2 * np.einsum("ti,ti->t", v, cross)
            + np.einsum("ti,tij,tj->t", v, gram, v)
            + np.einsum("tij,tij->t", gram, own_covariance)
        )
        noise = (errors.sum() + LEVEL_LABELS * LEVEL) / (moments.mass.sum() + LEVEL_LABELS)
        p, structure = population.n_features, population.structure
        covariance = np.zeros_like(V)
        covariance[:p, :p] = structure.maximise(scatter[:p, :p], T)
        covariance[p, p] = (scatter[p, p] + 1.0) / (T + 1.0)
        tau = (mean[:p] @ mean[:p] + np.trace(V[:p, :p]) + 1.0 / p) / (p + 1.0)
        prior = population._prior(np.zeros(p + 1), tau, covariance)
    return max_iter, score


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--school", help="path of school.npz")
    X, y, task, name = school(parser.parse_args().school)

    print("an iteration, ms, over T Cholesky factorisations of d x d")
    print(f"{'T':>6} {'p':>5} {'Choleskys':>10} {'shared':>8} {'ratio':>6} {'own':>8} {'ratio':>6}")
    for n_tasks, p in [
        (10, 10),
        (139, 27),
        (1000, 10),
        (1000, 27),
        (139, 100),
        (300, 200),
        (30, 300),
        (10, 600),
    ]:
        stats = statistics(*simulated(n_tasks, 2 * p, p))
        model = model_of(stats)
        matrices = model.moments.gram + np.eye(p + 1)
        factor = seconds(lambda matrices=matrices: np.linalg.cholesky(matrices))
        costs = [
            seconds(iteration(model_of(stats, shared_noise=shared))) for shared in (True, False)
        ]
        row = " ".join(f"{1e3 * cost:8.2f} {cost / factor:6.1f}" for cost in costs)
        print(f"{n_tasks:6} {p:5} {1e3 * factor:10.2f} {row}")
    rng = np.random.default_rng(0)
    X_shared = rng.standard_normal((400, 100))
    Y = X_shared @ rng.standard_normal((100, 1000)) / 10 + rng.standard_normal((400, 1000))
    data = TaskData(None, *Y.shape, None, None, Y, np.ones(Y.shape, bool), None)
    shared_rows = model_of(GramStats.from_data(X_shared, data), shared_noise=False)
    print(f"  1000   100 of the same rows, noise of their own: "
          f"{1e3 * seconds(iteration(shared_rows)):.2f} ms")  # fmt: skip

    stats = statistics(X, y, task)
    print(f"\n{name}: {stats}")
    for word in ("full", "diagonal", "spherical", "low_rank"):

        def fit(word=word):
            return learn(stats, structure=word, tol=1e-6, **SETTINGS)

        found, cost = fit(), seconds(fit, 3)
        print(f"{word:>10}: {found.n_iter:3} iterations, {cost:6.3f} s, "
              f"score {found.scores[-1]:.3f}")  # fmt: skip

    model = model_of(stats)
    best = maximise(model, model.start(), tol=1e-12, max_iter=2000).scores[-1]
    print(f"\na full covariance, one stage; the greatest score found is {best:.4f}")
    ours = maximise(model, model.start(), tol=1e-7, max_iter=1000)
    mine = seconds(lambda: maximise(model, model.start(), tol=1e-7, max_iter=1000), 3)
    print(f"ours:         {ours.n_iter:4} iterations, {mine:7.3f} s, "
          f"{best - ours.scores[-1]:.1e} below")  # fmt: skip
    near = max(best - ours.scores[-1], 1e-6)

    def plain():
        return hand_written(model.moments, model.population, max_iter=3000, best=best, near=near)

    (steps, score), theirs = plain(), seconds(plain, 1)
    print(f"hand-written: {steps:4} iterations, {theirs:7.3f} s, {best - score:.1e} below, "
          f"{theirs / mine:.1f} x the time")  # fmt: skip

    def ridge():
        for t in range(stats.n_tasks):
            BayesianRidge().fit(X[task == t], y[task == t])

    alone = seconds(ridge, 2)

    def from_rows():
        return learn(statistics(X, y, task), structure="full", tol=1e-6, **SETTINGS)

    whole = seconds(from_rows, 3)
    print(f"BayesianRidge once a task: {alone:.3f} s; ours, statistics and both stages: "
          f"{whole:.3f} s, {whole / alone:.2f} x the time")  # fmt: skip


if __name__ == "__main__":
    main()
