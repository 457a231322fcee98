"""Time kernel estimators against one KernelRidge a task.

    python tests/benchmarks/bench_kernels.py

Both sides have the same kernel, alpha and labels, and one thread; KernelRidge ties no tasks, which
is what makes its systems small. Prints seconds, their ratio and the duality gap, relative to the
objective at W = 0.
"""

import warnings
from time import perf_counter

import numpy as np
from sklearn.kernel_ridge import KernelRidge
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from sklearn_mtl import GraphRegressor

GAMMA, ALPHA, REPEATS = 0.2, 1e-2, 3


def make(rng, n, n_tasks, missing=0.0):
    """Return rows and smooth labels, standardised, of tasks that are alike."""
    X = rng.normal(size=(n, 5))
    shared = np.sin(X @ rng.normal(size=(5, 3)))
    Y = shared @ (1.0 + 0.5 * rng.normal(size=(3, n_tasks))) + 0.5 * rng.normal(size=(n, n_tasks))
    Y = StandardScaler().fit_transform(Y)
    Y[rng.random(Y.shape) < missing] = np.nan
    return X, Y


def own(rng, n_tasks, n):
    """Return rows and labels of each task's own."""
    X, Y = make(rng, n * n_tasks, n_tasks)
    blocks = {t: slice(t * n, (t + 1) * n) for t in range(n_tasks)}
    return {t: X[b] for t, b in blocks.items()}, {t: Y[b, t] for t, b in blocks.items()}


def per_task(X, y):
    """Yield the labelled rows of each task."""
    if isinstance(X, dict):
        yield from ((X[t], y[t]) for t in X)
        return
    for column in y.T:
        known = ~np.isnan(column)
        yield X[known], column[known]


def seconds(call):
    """Return the least time of a few calls, and the last result."""
    times = []
    for _ in range(REPEATS):
        started = perf_counter()
        result = call()
        times.append(perf_counter() - started)
    return min(times), result


def main():
    rng = np.random.default_rng(0)
    cases = {
        "500 rows, 6 tasks": make(rng, 500, 6),
        "2000 rows, 10 tasks, 30 % missing": make(rng, 2000, 10, missing=0.3),
        "20 tasks of 100 rows of their own": own(rng, 20, 100),
        "20000 rows, 5 tasks, landmarks": make(rng, 20_000, 5),
        "20000 rows, 5 tasks, 30 % missing, landmarks": make(rng, 20_000, 5, missing=0.3),
    }
    model = GraphRegressor(
        alpha=ALPHA, kernel="rbf", kernel_params={"gamma": GAMMA}, random_state=0
    )
    for name, (X, y) in cases.items():
        ours, fitted = seconds(lambda X=X, y=y: model.fit(X, y))
        gap = fitted.dual_gap_ / (0.5 * fitted.layout_.n_tasks)  # labels have variance 1
        line = f"{name:<46} {ours:6.2f} s, gap {gap:.0e}, {fitted.n_iter_} step(s)"
        if "landmarks" not in name:  # a kernel of all rows would take 3 GB

            def ridges(X=X, y=y):
                for rows, labels in per_task(X, y):
                    alpha = ALPHA * len(labels)
                    KernelRidge(alpha=alpha, kernel="rbf", gamma=GAMMA).fit(rows, labels)

            theirs, _ = seconds(ridges)
            line += f"; KernelRidge {theirs:6.2f} s, ratio {ours / theirs:.1f}"
        print(line, flush=True)


if __name__ == "__main__":
    warnings.simplefilter("error")
    with threadpool_limits(1):
        main()
