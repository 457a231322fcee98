"""Joint features against scikit-learn and skglm, both sides in one run, at one gap.

Run: OMP_NUM_THREADS=1 python tests/benchmarks/_l21_cases.py [--all] [--skglm]

Each peer gets the loosest power of ten as its tolerance that reaches a relative gap of 1e-6,
computed here for everyone from the definition; ours is asked for 1e-6 and includes the statistics.
"""

import sys
from functools import partial
from time import perf_counter
from warnings import catch_warnings, simplefilter

import numpy as np
from sklearn.linear_model import Lasso, MultiTaskLasso

from sklearn_mtl.convex import L1, GramStats, GroupL21, Problem, solve
from sklearn_mtl.convex.datafits import DesignQuadratic, prefers_design
from sklearn_mtl.tasks import TaskData

GAP = 1e-6
# n, p, T, correlation of neighbouring columns, alpha / alpha_max
CASES = [
    (20_000, 200, 100, 0.0, 0.5),
    (20_000, 200, 100, 0.0, 0.1),
    (20_000, 200, 100, 0.0, 0.01),
    (500, 2000, 20, 0.0, 0.5),
    (500, 2000, 20, 0.0, 0.1),
    (500, 2000, 20, 0.0, 0.01),
]
MORE = [
    (200, 500, 1, 0.0, 0.03),  # few tasks, n <= p: where coordinate descent is at its best
    (500, 500, 5, 0.0, 0.03),
]
MORE += [
    (n, p, n_tasks, correlation, share)
    for n, p, n_tasks in [(500, 2000, 20), (2000, 500, 5), (200, 5000, 10), (10_000, 50, 1)]
    for correlation in (0.0, 0.9)
    for share in (0.5, 0.1, 0.01)
    if (n, correlation) != (500, 0.0)
]


def make_data(n, p, n_tasks, correlation, seed=0):
    """Return centred X (n, p) and Y (n, T) with a tenth of the features in use."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    for j in range(1, p if correlation else 0):
        X[:, j] = correlation * X[:, j - 1] + np.sqrt(1 - correlation**2) * X[:, j]
    used = rng.choice(p, max(1, min(p // 10, n // 5)), replace=False)
    Y = X[:, used] @ rng.standard_normal((len(used), n_tasks))
    Y += 0.5 * Y.std() * rng.standard_normal(Y.shape)
    return np.asfortranarray(X - X.mean(axis=0)), Y - Y.mean(axis=0)


def relative_gap(X, Y, W, alpha, norm):
    """Return the duality gap over the objective at 0, for norm and dual norm of the penalty."""
    n, residual = len(X), Y - X @ W.T
    kappa = min(1.0, alpha / norm.dual_norm(residual.T @ X / n))
    energy, inner = (residual**2).sum() / n, (residual * Y).sum() / n
    objective = energy / 2 + alpha * norm.norm(W)
    return (objective - kappa * inner + kappa**2 * energy / 2) / ((Y**2).sum() / n / 2)


def fit_ours(X, Y, penalty):
    """Return W from data, by rows or Gram matrices as the rule says."""
    n, n_tasks = Y.shape
    data = TaskData(X, n, n_tasks, labels=Y, observed=np.ones(Y.shape, dtype=bool))
    if prefers_design(n, X.shape[1], n_tasks):
        datafit = DesignQuadratic(X, data, np.ones(n_tasks))
    else:
        datafit = GramStats.from_data(X, data).datafit(np.ones(n_tasks))
    return solve(Problem(datafit, penalty), tol=GAP).coef


def fit_scikit_learn(X, Y, alpha, tol):
    """Return W of MultiTaskLasso."""
    return MultiTaskLasso(alpha=alpha, tol=tol, max_iter=10_000).fit(X, Y).coef_


def fit_lassos(X, Y, alpha, tol):
    """Return W of one Lasso a task, with one Gram matrix for all of them."""
    X = X - X.mean(axis=0)
    gram = X.T @ X
    model = Lasso(alpha=alpha, tol=tol, max_iter=10_000, precompute=gram, fit_intercept=False)
    return np.array([model.fit(X, y).coef_.copy() for y in Y.T])


def fit_skglm(X, Y, alpha, tol):
    """Return W of skglm's MultiTaskLasso."""
    from skglm import MultiTaskLasso as SkglmMultiTaskLasso

    return SkglmMultiTaskLasso(alpha=alpha, tol=tol, max_iter=200).fit(X, Y).coef_


def seconds(run, repeat=3):
    """Return the shortest time of some runs, and what the last one returned."""
    times = []
    for _ in range(repeat):
        begin = perf_counter()
        result = run()
        times.append(perf_counter() - begin)
        if times[0] > 2.0:
            break
    return min(times), result


def time_peer(fit, gap_of):
    """Return the time of a peer at its loosest tolerance that reaches the gap, or None."""
    for tol in 10.0 ** -np.arange(3, 10):
        with catch_warnings():
            simplefilter("ignore")
            if gap_of(fit(tol=tol)) <= GAP:
                return seconds(partial(fit, tol=tol))[0]
    return None


def row(case, *, kind=GroupL21, peers=None):
    """Return one row of the table: ours in seconds, and how many times slower each peer is."""
    n, p, n_tasks, correlation, share = case
    X, Y = make_data(n, p, n_tasks, correlation)
    alpha = share * kind().dual_norm(Y.T @ X / n)
    norm = kind(alpha)

    def gap_of(W):
        return relative_gap(X, Y, W, alpha, norm)

    ours, W = seconds(partial(fit_ours, X, Y, norm))
    if peers is None:
        peers = {"scikit-learn": fit_scikit_learn}
    result = {"case": case, "active": int(W.any(axis=0).sum()), "gap": gap_of(W), "ours": ours}
    for name, fit in peers.items():
        peer = time_peer(partial(fit, X, Y, alpha), gap_of)
        result[name] = None if peer is None else peer / ours
    return result


def lines(results):
    """Yield the table as text."""
    for result in results:
        n, p, n_tasks, correlation, share = result["case"]
        named = {k: v for k, v in result.items() if k not in ("case", "active", "gap", "ours")}
        ratios = "  ".join(
            f"{k} {'failed' if v is None else f'{v:.2f}x'}" for k, v in named.items()
        )
        setting = f"n={n:<6} p={p:<5} T={n_tasks:<4} rho={correlation:<4} alpha={share:<5}"
        found = f"active={result['active']:<5} gap={result['gap']:.0e}  {result['ours']:.4f} s"
        yield f"{setting} {found}  {ratios}"


def main(everything=False, skglm=False):
    peers = {"scikit-learn": fit_scikit_learn}
    if skglm:
        peers["skglm"] = fit_skglm
    for case in CASES + (MORE if everything else []):
        print(next(lines([row(case, peers=peers)])), flush=True)
    print("L1, against one Lasso a task on one Gram matrix")
    for case in [(5000, 100, 50, 0.5, 0.1), (5000, 100, 50, 0.5, 0.01)]:
        print(next(lines([row(case, kind=L1, peers={"scikit-learn": fit_lassos})])), flush=True)


if __name__ == "__main__":
    main(everything="--all" in sys.argv, skglm="--skglm" in sys.argv)
