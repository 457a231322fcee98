"""The nuclear norm against cvxpy, accelerated proximal gradient and its own parts.

    python tests/benchmarks/_nuclear_cases.py [school.npz]

Every method runs to a duality gap of at most 1e-6 of the objective at W = 0, certified by the same
function, one after the other in each repeat; the figures are medians over repeats, of seconds and
of ratios. Ours starts from X and Y: forming the statistics counts. cvxpy is given the compressed
problem, ``||R W' - B||^2`` with ``R'R = X'X``, and the loosest tolerance of a ladder that reaches
the gap. The file, if given, holds X (n, p), y and school (n,), as ``examples/plot_school.py``
reads it; without it, 139 tasks are drawn whose Gram matrices are about as badly conditioned.
"""

import sys
from time import perf_counter

import numpy as np

from sklearn_mtl import infer_layout, stack_tasks
from sklearn_mtl.convex import GramStats, NuclearNorm, Problem, solve
from sklearn_mtl.convex.solvers._low_rank_alternating import AlternatingDirections
from sklearn_mtl.convex.solvers._low_rank_steps import LowRankQuadratic

TOL = 1e-6
LADDER = [1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 1e-7]


def shared_rows(n, p, n_tasks, rank, seed=0):
    """Return X with neighbouring features correlated at 0.5, Y of a decaying rank plus noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    for j in range(1, p):
        X[:, j] = 0.5 * X[:, j - 1] + np.sqrt(0.75) * X[:, j]
    decay = np.arange(1.0, rank + 1) ** -0.5
    signal = (X @ rng.normal(size=(p, rank)) * decay) @ rng.normal(size=(rank, n_tasks))
    return X, signal + signal.std(axis=0) * rng.normal(size=signal.shape)


def own_rows(path=None, seed=0):
    """Return the rows of each task."""
    if path is not None:
        arrays = np.load(path)
        X, y, school = (np.asarray(arrays[name], float) for name in ("X", "y", "school"))
        X = X[:, X.std(axis=0) > 0]
        return {int(s): (X[school == s], y[school == s]) for s in np.unique(school)}
    rng = np.random.default_rng(seed)
    common, spread = rng.normal(size=(3, 27)), 10.0 ** rng.uniform(-1.5, 0.5, size=27)
    tasks = {}
    for t in range(139):
        X = rng.normal(size=(int(rng.integers(22, 252)), 27)) * spread
        X[:, 0] = 30.0 * rng.normal(size=len(X))
        y = X @ (rng.normal(size=3) @ common) + 10.0 * rng.normal(size=len(X))
        tasks[t] = X, y
    return tasks


def statistics(X, y, **options):
    """Return a callable that forms the loss of rows whose containers are read already."""
    layout = infer_layout(X, y, **options)
    data = layout.encode(X, y)
    numbers = X[:, :-1] if options else X
    return lambda: GramStats.from_data(numbers, data).datafit(np.ones(data.n_tasks))


def problem_of(datafit, share):
    """Return the problem at a share of the strength from which on W = 0."""
    return Problem(datafit, NuclearNorm(share * NuclearNorm().alpha_max(datafit.linear)))


def plain_fista(problem):
    """Return the seconds of accelerated proximal gradient: no restart, a whole SVD in each step.

    The gap is looked at in every tenth step, and is not in the time. After 12,000 steps it is given
    up: its seconds are a lower bound then.
    """
    datafit, step = problem.datafit, 1.0 / problem.datafit.lipschitz()
    W, ahead, momentum, lost = np.zeros(datafit.shape), np.zeros(datafit.shape), 1.0, 0.0
    start = perf_counter()
    for n_iter in range(1, 12_001):
        left, sizes, right = np.linalg.svd(
            ahead - step * datafit.at(ahead).gradient, full_matrices=False
        )
        new = (left * np.maximum(sizes - step * problem.norm.alpha, 0.0)) @ right
        following = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * momentum**2))
        ahead = new + ((momentum - 1.0) / following) * (new - W)
        W, momentum = new, following
        if n_iter % 10 == 0:
            before = perf_counter()
            done = problem.certify(W).gap <= TOL * problem.scale
            lost += perf_counter() - before
            if done:
                break
    return perf_counter() - start - lost


def alternating(problem):
    """Return the seconds that alternating directions take without Newton steps."""
    start = perf_counter()
    quadratic = LowRankQuadratic(problem.datafit, None, problem.norm)
    AlternatingDirections(quadratic).run(
        quadratic.zero(), enough=TOL * problem.scale, n_steps=5_000, check_every=5
    )
    return perf_counter() - start


def conic(problem):
    """Return the seconds of cvxpy with SCS on the compressed problem, building it included."""
    import cvxpy as cp
    import scipy.sparse as sp

    datafit, blocks, targets = problem.datafit, [], []
    for k, gram in enumerate(datafit.gram):
        values, vectors = np.linalg.eigh(gram)
        kept = values > 1e-12 * values[-1]
        root = np.sqrt(values[kept])
        blocks.append(root[:, None] * vectors[:, kept].T)
        targets.append(datafit.linear[datafit.group == k] @ vectors[:, kept] / root)
    W = cp.Variable(datafit.shape)
    if datafit.is_shared:
        residual = W @ blocks[0].T - targets[0]
    else:
        residual = sp.block_diag(blocks).tocsc() @ cp.vec(W, order="C") - np.hstack(targets)[0]
    for eps in LADDER:
        # a problem of its own each time: no rung gains from the one before
        conic_problem = cp.Problem(
            cp.Minimize(0.5 * cp.sum_squares(residual) + problem.norm.alpha * cp.normNuc(W))
        )
        start = perf_counter()
        conic_problem.solve(solver=cp.SCS, eps_abs=eps, eps_rel=eps, max_iters=100_000)
        seconds = perf_counter() - start
        if problem.certify(W.value).gap <= TOL * problem.scale:
            return seconds
    return np.nan


def seconds_of(work):
    start = perf_counter()
    work()
    return perf_counter() - start


def ours(form, share):
    """Return the seconds from rows to W, the solution, and the problem."""
    start = perf_counter()
    problem = problem_of(form(), share)
    solution = solve(problem, tol=TOL)
    seconds = perf_counter() - start
    assert solution.converged
    return seconds, solution, problem


def report(name, share, solution, mine, others):
    """Print and return medians of seconds and of ratios within repeats."""
    mine = np.array(mine)
    row = {"case": name, "alpha / alpha_max": share, "ours": float(np.median(mine))}
    row |= {"steps": solution.n_iter, "rank": int(np.linalg.matrix_rank(solution.coef))}
    for other, seconds in others.items():
        row[other] = float(np.median(seconds))
        row[f"{other} / ours"] = float(np.median(np.array(seconds) / mine))
    print(", ".join(f"{k} {v:.3g}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()))
    return row


def small_case(share, repeats):
    """(5000, 200, 50): ours from X against cvxpy and SCS on the compressed problem."""
    form, mine, theirs = statistics(*shared_rows(5_000, 200, 50, rank=8)), [], []
    for _ in range(repeats):
        seconds, solution, problem = ours(form, share)
        mine.append(seconds)
        theirs.append(conic(problem))
    return report("5000 x 200, T = 50", share, solution, mine, {"cvxpy + SCS": theirs})


def large_case(share, repeats, peers=True):
    """(5000, 1000, 300): ours from X against X'X and one SVD of W, and against plain FISTA."""
    X, Y = shared_rows(5_000, 1_000, 300, rank=15)
    form, mine, parts, fista = statistics(X, Y), [], [], []
    for _ in range(repeats):
        seconds, solution, problem = ours(form, share)
        mine.append(seconds)
        parts.append(
            seconds_of(lambda: X.T @ X)
            + seconds_of(lambda: np.linalg.svd(X[:300], full_matrices=False))
        )
        if peers:
            fista.append(plain_fista(problem))
    others = {"X'X and an SVD": parts} | ({"plain FISTA": fista} if peers else {})
    return report("5000 x 1000, T = 300", share, solution, mine, others)


def school_case(share, repeats, path=None):
    """139 tasks with rows of their own: on the Gram matrices, for all."""
    X, y = stack_tasks(own_rows(path))
    form = statistics(X, y, task_feature=-1)
    mine, theirs, fista, directions = [], [], [], []
    for _ in range(repeats):
        datafit = form()
        problem = problem_of(datafit, share)
        start = perf_counter()
        solution = solve(problem, tol=TOL)
        mine.append(perf_counter() - start)
        assert solution.converged
        theirs.append(conic(problem))
        directions.append(alternating(problem))
        fista.append(plain_fista(problem))
    return report(
        "School" if path else "139 tasks drawn",
        share,
        solution,
        mine,
        {"cvxpy + SCS": theirs, "plain FISTA": fista, "alternating alone": directions},
    )


def main(path=None, repeats=3):
    """Print all rows and return them."""
    shares = [0.3, 0.1, 0.03]
    ours(statistics(*shared_rows(500, 20, 10, rank=2)), 0.1)  # the first call of each loads it
    rows = [small_case(share, repeats) for share in shares]
    rows += [large_case(share, repeats, peers=share == 0.1) for share in shares]
    rows += [school_case(share, repeats, path) for share in [0.3, 0.1, 0.03, 0.01]]
    return rows


if __name__ == "__main__":
    main(*sys.argv[1:2])
