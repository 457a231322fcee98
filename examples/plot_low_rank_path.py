"""
How many directions do the tasks share? The path of a low-rank model
====================================================================

You will learn how ``LowRankRegressorCV`` chooses the strength of its penalty, how the rank of the
weights and the held-out error change along the path from strong to weak, and why the sizes of the
directions say more than their number: the strength that predicts best lets small ones in.

The data are simulated, so that the truth is known: 30 tasks whose weights on 40 features are
mixtures of 3 common directions, 120 rows, and three labels in ten missing.
"""

from pathlib import Path
from time import perf_counter

import matplotlib
import numpy as np
from sklearn.model_selection import KFold

from sklearn_mtl import LowRankRegressor, LowRankRegressorCV, MultiTaskLinearRegressorCV

matplotlib.use("Agg")
import matplotlib.pyplot as plt

OUTPUT = Path(__file__).parent / "output"
N_TASKS, N_FEATURES, RANK, NOISE = 30, 40, 3, 3.0

# %%
# The data
# --------
# A missing label is NaN. The test rows are many, so that the error on them is the true one.


def simulate(seed=0):
    """Return X and y to learn from, X and y to test on, and the true weights."""
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(N_TASKS, RANK)) @ rng.normal(size=(RANK, N_FEATURES)) / 2

    def draw(n_rows):
        X = rng.normal(size=(n_rows, N_FEATURES))
        return X, X @ weights.T + NOISE * rng.normal(size=(n_rows, N_TASKS))

    X, y = draw(120)
    y[rng.random(y.shape) < 0.3] = np.nan
    return X, y, *draw(5000), weights


# %%
# Along the path
# --------------
# The search leaves the strengths tried in ``alphas_`` and the held-out errors in ``mse_path_``. To
# see the weights themselves, the plain estimator is fitted along the same strengths: the statistics
# of the search spare it X, and ``warm_start`` lets each fit begin where the last one ended.


def follow(search, X, y, X_test, y_test):
    """Return the singular values and the test error of the fit of all rows, for each alpha."""
    model = LowRankRegressor(precompute=search.statistics_, warm_start=True)
    sizes, errors = [], []
    for alpha in search.alphas_:
        model.set_params(alpha=alpha).fit(X, y)
        sizes.append(np.linalg.svd(model.coef_, compute_uv=False))
        errors.append(np.square(model.predict(X_test) - y_test).mean())
    return np.array(sizes), np.array(errors)


def ranks_of(sizes):
    """Return the number of directions that singular values leave, for each alpha."""
    return (sizes > 1e-6 * sizes.max()).sum(axis=1)


def plot(search, sizes, errors, ridge_error, weights):
    """Draw errors above, singular values and rank below."""
    figure, (top, bottom) = plt.subplots(
        2, 1, figsize=(8.5, 8), sharex=True, layout="constrained", height_ratios=[1, 1.1]
    )
    alphas, chosen = search.alphas_, search.alpha_
    blue, orange, green, purple = "#0072b2", "#d55e00", "#009e73", "#7b3294"

    mean = search.mse_path_.mean(axis=1)
    top.plot(alphas, search.mse_path_, color=blue, alpha=0.25, linewidth=1)
    top.plot(alphas, mean, color=blue, linewidth=2.5, label="held-out error: 5 splits, their mean")
    top.plot(alphas, errors, color=orange, linewidth=2.5, label="error on 5,000 new rows")
    for value, text in ((ridge_error, "ridge, each task alone"), (NOISE**2, "the noise itself")):
        top.axhline(value, color="0.4", linewidth=1, linestyle="--")
        top.annotate(text, (alphas[0], value), (2, 4), textcoords="offset points", color="0.3")
    top.set(ylabel="mean squared error", title="Errors, from a strong penalty to a weak one")
    top.set_ylim(0.85 * NOISE**2, None)
    top.annotate(
        f"chosen: alpha {chosen:.2f}\nrank {search.rank_}", (chosen, mean.min()), (0, 40),
        textcoords="offset points", ha="right", arrowprops={"arrowstyle": "->", "color": "0.2"},
    )  # fmt: skip
    top.legend(frameon=False, loc="upper right")

    true = np.linalg.svd(weights, compute_uv=False)[:RANK]
    bottom.plot(np.full(RANK, alphas[-1]), true, "D", color=green, clip_on=False, zorder=5)
    bottom.plot(alphas, sizes[:, RANK:], color="0.65", linewidth=1)
    bottom.plot(alphas, sizes[:, :RANK], color=green, linewidth=2.5)
    for style, text in (
        ({"marker": "D", "linestyle": "", "color": green}, "the three of the true weights"),
        ({"linewidth": 2.5, "color": green}, "the three largest"),
        ({"linewidth": 1, "color": "0.65"}, "the others"),
    ):
        bottom.plot([], [], label=text, **style)
    bottom.set(
        xlabel="alpha, the strength of the nuclear norm",
        ylabel="singular values of the weights",
        title="Directions: three stand out, however many there are",
        ylim=(0, None),
    )
    bottom.legend(frameon=False, loc="upper left")
    right = bottom.twinx()
    right.step(alphas, ranks_of(sizes), where="mid", color=purple, linewidth=1.5)
    right.set_ylabel("rank of the weights", color=purple)
    right.tick_params(axis="y", colors=purple)
    right.spines["top"].set_visible(False)
    right.set_ylim(0, None)

    for axes in (top, bottom):
        axes.axvline(chosen, color="0.2", linewidth=1, linestyle=":")
        axes.set(xscale="log", xlim=(alphas[0], alphas[-1]))
        axes.spines[["top", "right"]].set_visible(False)
    bottom.set_xticks(ticks := [20, 10, 5, 2, 1, 0.5], labels=[f"{tick:g}" for tick in ticks])
    bottom.minorticks_off()
    OUTPUT.mkdir(exist_ok=True)
    figure.savefig(OUTPUT / "low_rank_path.png", dpi=110)


def main():
    """Search, follow the path, compare and draw."""
    X, y, X_test, y_test, weights = simulate()
    cv = KFold(5, shuffle=True, random_state=0)
    start = perf_counter()
    search = LowRankRegressorCV(alphas=40, eps=1e-2, cv=cv, n_jobs=2).fit(X, y)
    print(
        f"{search.mse_path_.size} fits in {perf_counter() - start:.1f} s: alpha "
        f"{search.alpha_:.2f}, rank {search.rank_} (the truth: {RANK})"
    )
    sizes, errors = follow(search, X, y, X_test, y_test)
    ridge = MultiTaskLinearRegressorCV("ridge", cv=cv).fit(X, y)
    ridge_error = np.square(ridge.predict(X_test) - y_test).mean()
    best = np.square(search.predict(X_test) - y_test).mean()
    print(
        f"error on new rows: low rank {best:.2f}, ridge {ridge_error:.2f}, noise {NOISE**2:.2f}: "
        f"{(ridge_error - best) / (ridge_error - NOISE**2):.0%} of what ridge loses is won back"
    )
    chosen = sizes[search.alphas_ == search.alpha_][0]
    print(
        f"directions there: {', '.join(f'{size:.1f}' for size in chosen[: RANK + 2])}, ...; "
        f"{np.square(chosen[:RANK]).sum() / np.square(chosen).sum():.0%} of the weights' square is "
        f"in the first {RANK}"
    )
    plot(search, sizes, errors, ridge_error, weights)


if __name__ == "__main__":
    main()
