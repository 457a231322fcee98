"""Cost of a fit against rows, features and tasks: what forms statistics, and what solves."""

from time import perf_counter

import matplotlib
import numpy as np

from sklearn_mtl import infer_layout
from sklearn_mtl.convex import (
    GramStats,
    GraphLaplacian,
    GroupL21,
    MeanRegularization,
    NuclearNorm,
    Ridge,
    coef_rows,
    make_problem,
    solve,
)

matplotlib.use("Agg")
import matplotlib.pyplot as plt

# name of the sweep -> list of (rows, features, tasks)
SWEEPS = {
    "rows n": [(n, 50, 20) for n in (1_000, 10_000, 100_000, 1_000_000)],
    "features p": [(5_000, p, 20) for p in (10, 100, 500, 2_000)],
    "tasks T": [(5_000, 50, T) for T in (10, 100, 1_000, 3_000)],
}


def make_data(n, p, n_tasks, seed=0):
    """Return X and labels of weights of rank 5, the first ten features of use."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    W = rng.normal(size=(n_tasks, 5)) @ rng.normal(size=(5, min(p, 10)))
    return X, X[:, : W.shape[1]] @ W.T + 2 * rng.normal(size=(n, n_tasks))


def penalties(datafit):
    """Return the penalties, norms at a tenth of the strength at which W = 0."""
    cross = datafit.linear
    return {
        "low rank": NuclearNorm(0.1 * NuclearNorm().alpha_max(cross)),
        "joint features": GroupL21(0.1 * GroupL21().alpha_max(cross)),
        "mean-regularised": MeanRegularization(),
        "chain graph": GraphLaplacian("chain") + Ridge(),
    }


def measure():
    """Return {sweep: [(size, seconds of the statistics, {model: seconds of the solve})]}."""
    table = {}
    for sweep, shapes in SWEEPS.items():
        table[sweep] = []
        for n, p, n_tasks in shapes:
            X, y = make_data(n, p, n_tasks)
            layout = infer_layout(X, y, family="regression")
            begin = perf_counter()
            stats = GramStats.from_data(X, layout.encode(X, y))
            forming = perf_counter() - begin
            datafit, rows, solving = stats.datafit(np.ones(n_tasks)), coef_rows(layout.tasks), {}
            for name, penalty in penalties(datafit).items():
                begin = perf_counter()
                solution = solve(make_problem(datafit, penalty, rows), tol=1e-6)
                solving[name] = perf_counter() - begin
                if not solution.converged:
                    raise RuntimeError(f"{name} at {(n, p, n_tasks)}: gap {solution.gap:.3g}")
            table[sweep].append(((n, p, n_tasks), forming, solving))
    return table


def show(table, path=None):
    """Print the table, and draw it where a path is given."""
    for sweep, rows in table.items():
        print(f"\ncost against {sweep} (seconds)")
        names = list(rows[0][2])
        print(f"{'n, p, T':>22s}  statistics  " + "  ".join(f"{name:>16s}" for name in names))
        for shape, forming, solving in rows:
            line = "  ".join(f"{solving[name]:16.4f}" for name in names)
            print(f"{shape!s:>22s}  {forming:10.4f}  {line}")
    if path is None:
        return
    figure, axes = plt.subplots(1, len(table), figsize=(13, 4), layout="constrained", sharey=True)
    for place, (axis, (sweep, rows)) in enumerate(zip(axes, table.items(), strict=True)):
        sizes = [row[0][place] for row in rows]
        axis.loglog(sizes, [row[1] for row in rows], "k--o", label="statistics, from X once")
        for name in rows[0][2]:
            axis.loglog(sizes, [row[2][name] for row in rows], "-o", label=f"solve: {name}")
        axis.set(xlabel=sweep, title=f"cost against {sweep}")
    axes[0].set_ylabel("seconds")
    axes[0].legend(fontsize=8)
    figure.savefig(path, dpi=110)
