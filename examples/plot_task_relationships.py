"""
Which tasks go together?
========================

You will learn how to let the data say how tasks covary, how to read the correlations that
`TaskRelationshipRegressor` finds, what it costs not to know them, and how to order many tasks so
that groups among them can be seen.

The first part draws tasks with a known covariance: two families that go against each other, and
tasks that are related to nothing. The second is about schools. Examination scores of 15,362 pupils
in 139 London schools (Inner London Education Authority; Bakker and Heskes, "Task clustering and
gating for Bayesian multitask learning", JMLR 4, 2003) cannot be shipped here; ``school.mat`` comes
with MALSAR. Run

    python examples/plot_task_relationships.py path/to/school.mat

(a ``.npz`` with arrays X, y and school will do too). Without a path the script draws schools of
three kinds at random: those figures say nothing about real schools.
"""

import sys
from pathlib import Path
from time import perf_counter

import matplotlib
import numpy as np
from scipy.io import loadmat
from sklearn.linear_model import RidgeCV
from sklearn.metrics import explained_variance_score
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler

from sklearn_mtl import MeanRegularizedRegressorCV, MultiTaskKFold, TaskRelationshipRegressor
from sklearn_mtl.inspection import TaskRelationDisplay

matplotlib.use("Agg")
import matplotlib.pyplot as plt

OUTPUT = Path(__file__).parent / "output"
GAMMAS = np.geomspace(0.003, 1.0, 6)

# %%
# Tasks whose covariance is known
# -------------------------------
# Twelve tasks have 60 rows and 40 features, far too few for one task alone. Their weights are drawn
# from a normal distribution with a covariance between tasks: the first four go along with each
# other and against the next four, the last four are related to nothing.

NAMES = [f"{family}{i}" for family in ("up", "down", "own") for i in range(1, 5)]


def true_covariance():
    """Return correlations of 0.9 within a family, -0.7 between the two, 0 with the others."""
    families = np.kron(np.array([[0.9, -0.7], [-0.7, 0.9]]), np.ones((4, 4)))
    covariance = np.eye(12)
    covariance[:8, :8] = families
    np.fill_diagonal(covariance, 1.0)
    return covariance


def draw_tasks(covariance, n=60, n_features=40, noise=4.0, seed=0):
    """Return rows, labels by name, and the weights behind them."""
    rng = np.random.default_rng(seed)
    W = np.linalg.cholesky(covariance) @ rng.normal(size=(len(covariance), n_features))
    X = rng.normal(size=(n, n_features))
    return X, X @ W.T + noise * rng.normal(size=(n, len(W))), W


def compare_on_drawn_tasks():
    """Fit what knows nothing, what learns, and what knows; return correlations to be drawn."""
    covariance = true_covariance()
    X, Y, W = draw_tasks(covariance)
    alone = np.array([RidgeCV(np.geomspace(1, 1000, 15)).fit(X, y).coef_ for y in Y.T])
    learned = GridSearchCV(TaskRelationshipRegressor(), {"gamma": GAMMAS}, cv=5).fit(X, Y)
    # a prior of infinite strength is held as it is: what knowing the covariance would give
    known = GridSearchCV(
        TaskRelationshipRegressor(prior_covariance=covariance, prior_strength=np.inf),
        {"gamma": GAMMAS},
        cv=5,
    ).fit(X, Y)
    model = learned.best_estimator_
    print(
        "Twelve tasks of known covariance: squared error of the weights, as a share of their size"
    )
    for name, coef in {
        "one ridge a task": alone,
        f"covariance learned (gamma {model.gamma:.3g})": model.coef_,
        "covariance known": known.best_estimator_.coef_,
    }.items():
        print(f"  {name:34s} {np.square(coef - W).sum() / np.square(W).sum():.2f}")
    print(f"  rank {model.rank_}, gap {model.dual_gap_:.1e}, {model.n_iter_} iterations")
    return {
        "true": covariance,
        "learned with the weights": model.task_correlation_,
        "weights of one ridge a task": np.corrcoef(alone),
    }


# %%
# At the solution, the covariance is the square root of W W', scaled to trace 1. A square root pulls
# correlations towards 0: they are milder than those of the weights themselves, with the same signs
# and groups.
#
# Schools
# -------


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


def draw_school(n_schools=45, n_features=15, seed=0):
    """Return schools of three kinds, in any order; each kind has weights of its own."""
    rng = np.random.default_rng(seed)
    school = np.repeat(np.arange(n_schools), rng.integers(30, 120, size=n_schools))
    kinds = 4.0 * rng.normal(size=(3, n_features))
    W = kinds[rng.integers(3, size=n_schools)] + 1.5 * rng.normal(size=(n_schools, n_features))
    X = rng.normal(size=(len(school), n_features))
    return X, (X * W[school]).sum(axis=1) + 20.0 * rng.normal(size=len(school)), school


def fit_schools(X, y, school, share=0.75):
    """Return the model with gamma chosen by cross-validation; print what it explains."""
    rng = np.random.default_rng(0)
    training = rng.random(len(y)) < share
    rows = np.column_stack([school, StandardScaler().fit(X[training]).transform(X)])
    search = GridSearchCV(
        TaskRelationshipRegressor(task_feature=0),
        {"gamma": GAMMAS},
        # over all pupils: a school's own R² is noise where a fold holds out five of them
        scoring="neg_mean_squared_error",
        cv=MultiTaskKFold(5, task_feature=0, shuffle=True, random_state=0),
    )
    models = {
        "covariance learned, as it comes": TaskRelationshipRegressor(task_feature=0),
        "covariance learned, gamma searched": search,
        "mean-regularised, searched": MeanRegularizedRegressorCV(task_feature=0),
    }
    print(f"{len(y)} pupils of {school.max() + 1} schools, {share:.0%} of them for training")
    for name, model in models.items():
        begin = perf_counter()
        model.fit(rows[training], y[training])
        seconds = perf_counter() - begin
        explained = explained_variance_score(y[~training], model.predict(rows[~training]))
        print(f"  {name:36s} explains {explained:.1%} of the rest; {seconds:.1f} s")
    best = search.best_estimator_
    print(f"  gamma {best.gamma:.3g}, rank {best.rank_}, gap {best.dual_gap_:.1e}")
    return best


# %%
# The picture
# -----------
# Purple tasks go along, brown ones against each other. ``TaskRelationDisplay`` puts schools in the
# order of a hierarchical clustering of their correlations, as their numbers mean nothing.


def draw(panels, schools, title):
    """Draw correlations of known tasks, and of schools in clustered order."""
    figure, axes = plt.subplots(2, 2, figsize=(11, 9.5), layout="constrained")
    for axis, (name, correlation) in zip(axes.ravel(), panels.items(), strict=False):
        image = axis.imshow(correlation, cmap="PuOr", vmin=-1, vmax=1, aspect="auto")
        axis.set_title(f"correlation of tasks: {name}")
        axis.set_xticks(range(12), NAMES, rotation=90)
        axis.set_yticks(range(12), NAMES)
        figure.colorbar(image, ax=axis)
    TaskRelationDisplay.from_estimator(schools, ax=axes[1, 1]).ax_.set_title(title)
    OUTPUT.mkdir(exist_ok=True)
    figure.savefig(OUTPUT / "task_relationships.png", dpi=110)


def main(arguments):
    """Fit both parts, on the file given or on drawn schools, and draw them."""
    panels = compare_on_drawn_tasks()
    print()
    if arguments:
        X, y, school = read_school(arguments[0])
        title = f"{school.max() + 1} ILEA schools"
    else:
        print("No path to school.mat given: these schools are drawn at random.")
        X, y, school = draw_school()
        title = f"{school.max() + 1} drawn schools of three kinds"
    draw(panels, fit_schools(X, y, school), title)


if __name__ == "__main__":
    main(sys.argv[1:])
