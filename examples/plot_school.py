"""
Which schools gain when 139 schools learn together?
===================================================

You will learn how to fit tasks that have rows of their own (long form: a column of X says which
school a pupil belongs to), how the linear estimators of this package compare with one ridge a
school and with one ridge for all pupils, each tuned inside its training rows, and which schools
gain most: those with few pupils.

The data are examination scores of 15,362 pupils in 139 London schools (Inner London Education
Authority; Bakker and Heskes, "Task clustering and gating for Bayesian multitask learning", JMLR 4,
2003), 27 features. They cannot be shipped here. ``school.mat`` comes with MALSAR; run

    python examples/plot_school.py path/to/school.mat

(a ``.npz`` with arrays X, y and school will do too). Without a path the script draws schools of
the same sizes at random, to show the code at work: those figures say nothing about real schools.
"""

import sys
import warnings
from pathlib import Path
from time import perf_counter

import matplotlib
import numpy as np
from scipy.io import loadmat
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import RidgeCV
from sklearn.metrics import explained_variance_score, root_mean_squared_error
from sklearn.preprocessing import StandardScaler

from sklearn_mtl import (
    GraphRegressorCV,
    JointFeatureRegressorCV,
    LowRankRegressorCV,
    MeanRegularizedRegressorCV,
    MultiTaskLinearRegressorCV,
)
from sklearn_mtl.convex import MeanRegularization, NuclearNorm, Ridge

matplotlib.use("Agg")
import matplotlib.pyplot as plt

OUTPUT = Path(__file__).parent / "output"

# %%
# The data
# --------


def read_school(path):
    """Return features without the constant one, scores, and the number of each pupil's school."""
    if path.endswith(".mat"):
        cells = loadmat(path)
        X = np.concatenate([np.asarray(cell, dtype=float) for cell in cells["X"].ravel()])
        scores = [np.asarray(cell, dtype=float).ravel() for cell in cells["Y"].ravel()]
        y, school = np.concatenate(scores), np.repeat(np.arange(len(scores)), [*map(len, scores)])
    else:
        with np.load(path) as arrays:
            X, y, school = arrays["X"].astype(float), arrays["y"].astype(float), arrays["school"]
    return X[:, X.std(axis=0) > 0], y, school


def draw_school(n_schools=40, n_features=27, seed=0):
    """Return schools with 22 to 251 pupils whose weights lie around common ones."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(22, 252, size=n_schools)
    school = np.repeat(np.arange(n_schools), sizes)
    X = (rng.random((len(school), n_features)) < rng.uniform(0.1, 0.5, n_features)).astype(float)
    common = rng.normal(scale=3.0, size=n_features)
    own = common + rng.normal(scale=2.0, size=(n_schools, n_features))
    y = 20.0 + np.einsum("ij,ij->i", X, own[school]) + rng.normal(scale=10.0, size=len(X))
    return X, y, school


def split(school, share, seed):
    """Return which rows train: that share of each school's pupils."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(school))
    rank = np.empty(len(school))  # of each pupil among its school's, in random order, in (0, 1]
    for number in np.unique(school):
        mine = order[school[order] == number]
        rank[mine] = np.arange(1, len(mine) + 1) / len(mine)
    return rank <= share


# %%
# The models
# ----------
# ``task_feature=0`` says that the first column of X names the school. Each model chooses its
# strengths by 5-fold cross-validation inside the training rows. λ = n_samples counts each pupil the
# same, as the errors below do.

STRENGTHS = np.geomspace(1e-3, 30, 12)
SETTINGS = {"task_feature": 0, "task_weight": "n_samples"}
MODELS = {
    "one ridge a school": MultiTaskLinearRegressorCV(Ridge(1.0), alphas=STRENGTHS, **SETTINGS),
    "one ridge for all": RidgeCV(alphas=np.geomspace(0.1, 1e4, 12)),
    "joint features": JointFeatureRegressorCV(**SETTINGS),
    "low rank": LowRankRegressorCV(**SETTINGS),
    "complete graph": GraphRegressorCV(alphas=[1e-3, 1e-2], **SETTINGS),
    "mean-regularised": MeanRegularizedRegressorCV(**SETTINGS),
    "low rank and mean": MultiTaskLinearRegressorCV(
        NuclearNorm(1.0) + MeanRegularization(0.0, 1.0), alphas=20, **SETTINGS
    ),
}
SINGLE, POOLED = "one ridge a school", "one ridge for all"

# explained variance at 75 %, on other random splits: Evgeniou and Pontil, KDD 2004; Bakker and
# Heskes, JMLR 4, 2003
PUBLISHED = {"regularised multi-task learning": 34.4, "Bayesian task clustering": 29.5}


def predict_all(X, y, school, training):
    """Return each model's predictions of the test rows, and how long it took."""
    scaler = StandardScaler().fit(X[training])
    rows = np.column_stack([school, scaler.transform(X)])
    predicted, seconds = {}, {}
    for name, model in MODELS.items():
        columns = slice(1, None) if name == POOLED else slice(None)
        begin = perf_counter()
        model.fit(rows[training, columns], y[training])
        seconds[name] = perf_counter() - begin
        predicted[name] = model.predict(rows[~training, columns])
    return predicted, seconds


def compare(X, y, school, share, n_splits):
    """Return explained variance (%) and RMSE, (splits, models), and errors by school."""
    scores, errors, seconds = [], [], []
    for seed in range(n_splits):
        training = split(school, share, seed)
        predicted, took = predict_all(X, y, school, training)
        true = y[~training]
        scores.append(
            [
                (100 * explained_variance_score(true, guess), root_mean_squared_error(true, guess))
                for guess in predicted.values()
            ]
        )
        errors.append(
            [
                np.bincount(school[~training], weights=np.square(true - guess))
                for guess in predicted.values()
            ]
        )
        seconds.append(list(took.values()))
    return np.array(scores), np.mean(errors, axis=0), np.mean(seconds, axis=0)


# %%
# The picture
# -----------


def draw(results, shares, sizes, title):
    """Draw scores of all models, and the gain of each school against its number of pupils."""
    names = list(MODELS)
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
    for place, share in enumerate(shares):
        scores = results[share][0][:, :, 0]
        mean, spread = scores.mean(axis=0), scores.std(axis=0)
        height = np.arange(len(names)) + 0.2 * (place - 0.5)
        left.errorbar(mean, height, xerr=spread, fmt="o", capsize=3, label=f"{share:.0%} train")
        for x, y, word in zip(mean + spread, height, mean, strict=True):
            left.annotate(f"{word:.1f}", (x, y), (6, -3), textcoords="offset points", fontsize=8)
    left.set(yticks=np.arange(len(names)), yticklabels=names, xlabel="explained variance (%)")
    left.margins(x=0.12)
    left.grid(axis="y", alpha=0.3)
    left.invert_yaxis()
    left.legend(loc="lower left")
    left.set_title(title)
    share = shares[0]
    errors = results[share][1]
    best = int(results[share][0][:, :, 0].mean(axis=0).argmax())
    gain = 100 * (1 - errors[best] / errors[names.index(SINGLE)])
    right.axhline(0, color="0.6", lw=1)
    right.scatter(sizes, gain, s=14, alpha=0.7)
    order = np.argsort(sizes)
    for few in np.array_split(order, 6):
        right.hlines(
            np.median(gain[few]), sizes[few].min(), sizes[few].max(), color="C1", lw=3, zorder=3
        )
    right.set(
        xlabel="pupils of the school",
        ylabel=f"squared error saved against {SINGLE} (%)",
        title=f"{names[best]}, {share:.0%} train: median of each sixth in orange",
    )
    OUTPUT.mkdir(exist_ok=True)
    figure.savefig(OUTPUT / "school.png", dpi=110)
    return gain


def main(arguments):
    """Compare on the file given, or on drawn schools."""
    warnings.simplefilter("error", ConvergenceWarning)
    if arguments:
        X, y, school = read_school(arguments[0])
        shares, n_splits, title = (0.3, 0.75), 5, "ILEA schools"
    else:
        print("No path to school.mat given: these schools are drawn at random.\n")
        X, y, school = draw_school()
        shares, n_splits, title = (0.3,), 1, "drawn schools, not real ones"
    sizes = np.bincount(school)
    print(f"{len(y)} pupils, {len(sizes)} schools of {sizes.min()} to {sizes.max()}")
    results = {share: compare(X, y, school, share, n_splits) for share in shares}
    for share, (scores, _, seconds) in results.items():
        print(f"\n{share:.0%} of each school train, {n_splits} split(s)")
        print(f"{'':22s}explained variance (%)   RMSE            seconds a fit")
        for j, name in enumerate(MODELS):
            mean, spread = scores[:, j].mean(axis=0), scores[:, j].std(axis=0)
            print(
                f"{name:22s}{mean[0]:8.1f} ({spread[0]:.1f}) {mean[1]:17.2f} ({spread[1]:.2f})"
                f"{seconds[j]:12.2f}"
            )
        means = dict(zip(MODELS, scores[:, :, 0].mean(axis=0), strict=True))
        best = max(means, key=lambda name: means[name])
        print(
            f"Best: {best}, {means[best] - means[SINGLE]:.1f} points of explained variance above "
            f"{SINGLE}."
        )
    if arguments:
        print("Published, at 75%: " + ", ".join(f"{k} {v} %" for k, v in PUBLISHED.items()) + ".")
    gain = draw(results, shares, sizes, title)
    small, large = gain[sizes <= np.median(sizes)], gain[sizes > np.median(sizes)]
    print(
        f"\nAt {shares[0]:.0%}, the smaller half of the schools saves {np.median(small):.0f} % of "
        f"its squared error (median), the larger half {np.median(large):.0f} %; "
        f"{(gain < 0).mean():.0%} of the schools lose."
    )


if __name__ == "__main__":
    main(sys.argv[1:])
