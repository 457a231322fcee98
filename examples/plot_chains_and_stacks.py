"""
One task reads another: chains and stacks
=========================================

You will learn how the estimators of different tasks can read one another's answers, with any
scikit-learn estimator and with labels missing: ``StackedTasks`` fits every task twice,
``TaskChain`` fits one task after another, and an ensemble of chains averages over orders. And what
each is good for. Chains that read true labels while they are fitted get all labels of a row right
more often than tasks alone: 13 genes of 100 instead of 12, and 17 where they hand on classes.
Stacks and chains that read held-out predictions do not (11). For a single label all of them are 0.2
to 0.4 points better than tasks alone, but for the chain of classes, which is 0.4 points worse.

The data are the genes of a yeast cell (Elisseeff and Weston, "A kernel method for multi-labelled
classification", NIPS 2001; shipped with river): 2,417 genes, 103 measurements, and for each of 14
groups of functions whether a gene has it. Groups contain parts of one another. We train on 600
genes, of whose labels a tenth is hidden.
"""

import csv
import gzip
from importlib.resources import files
from pathlib import Path
from time import perf_counter

import matplotlib
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_mtl import IndependentTasks, MultiTaskTarget, StackedTasks, TaskChain

matplotlib.use("Agg")
import matplotlib.pyplot as plt

OUTPUT = Path(__file__).parent / "output"
N_TRAIN, N_SPLITS = 600, 5

# %%
# The data
# --------
# A ``MultiTaskTarget`` holds a column of labels a task. None is a label that nobody observed.


def read_yeast():
    """Return X (2417, 103), whether each gene has each function (2417, 14), and their names."""
    with gzip.open(files("river.datasets") / "yeast.csv.gz", "rt") as text:
        rows = list(csv.DictReader(text))
    names = [name for name in rows[0] if name.startswith("Class")]
    X = np.array([[float(row[name]) for name in row if name not in names] for row in rows])
    return X, np.array([[row[name] == "1" for name in names] for row in rows]), names


def with_holes(Y, names, rng):
    """Return labels by name, a tenth of them None."""
    labels = Y.astype(object)
    labels[rng.random(Y.shape) < 0.1] = None
    return MultiTaskTarget(dict(zip(names, labels.T, strict=True)))


# %%
# The models
# ----------
# What do later tasks read of an earlier one while the chain is fitted? ``cv=3``: what is predicted
# for rows held out, with all its errors, so that they learn how far to trust it. ``cv=None``: the
# true label (predicted where it is missing), so that they learn how labels go together.
# ``chain_method="predict"`` hands on classes rather than probabilities.

alone = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
MODELS = {
    "each task alone": IndependentTasks(alone),
    "StackedTasks": StackedTasks(alone, cv=3),
    "TaskChain, out-of-fold": TaskChain(alone, cv=3),
    "10 chains, true labels": TaskChain(
        alone, cv=None, order="random", n_chains=10, random_state=0
    ),
    "TaskChain, true labels": TaskChain(alone, cv=None),
    "TaskChain, true classes": TaskChain(alone, cv=None, chain_method="predict"),
}

# %%
# The comparison
# --------------
# The same splits for all, so that differences are taken split by split.

started = perf_counter()
X, Y, names = read_yeast()
single = np.empty((len(MODELS), N_SPLITS))
joint = np.empty((len(MODELS), N_SPLITS))
splits = ShuffleSplit(N_SPLITS, train_size=N_TRAIN, random_state=0)
for k, (train, test) in enumerate(splits.split(X)):
    y = with_holes(Y[train], names, np.random.default_rng(k))
    for m, model in enumerate(MODELS.values()):
        predicted = model.fit(X[train], y).predict(X[test])
        right = np.column_stack([predicted[name] for name in names]).astype(bool) == Y[test]
        single[m, k], joint[m, k] = 100 * right.mean(), 100 * right.all(axis=1).mean()

print(f"{'':24} {'one label right':>16} {'all 14 right':>14}   (mean and deviation, per cent)")
for m, name in enumerate(MODELS):
    print(
        f"{name:24} {single[m].mean():10.1f} ({single[m].std(ddof=1):.1f})"
        f" {joint[m].mean():9.1f} ({joint[m].std(ddof=1):.1f})"
    )
print(f"{perf_counter() - started:.0f} s")

# %%
# The picture
# -----------
# Each dot is a split: what a model gains over tasks alone, in points. In the right panel those that
# read true labels gain, and no others.

figure, panels = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
for axis, scores, title in zip(
    panels, (single, joint), ("one label", "all 14 labels of a gene"), strict=True
):
    gains = scores[1:] - scores[0]
    axis.axvline(0, color="0.5", linewidth=1)
    for m, gain in enumerate(gains):
        axis.plot(gain, np.full(N_SPLITS, m), "o", color="#0072B2", alpha=0.5, markersize=5)
        axis.plot(gain.mean(), m, "|", color="black", markersize=18, markeredgewidth=2)
    axis.set(title=title, xlabel="points gained over each task alone")
panels[0].set_yticks(range(len(gains)), list(MODELS)[1:])
panels[0].invert_yaxis()
OUTPUT.mkdir(exist_ok=True)
figure.savefig(OUTPUT / "chains_and_stacks.png", dpi=150)
print(f"picture: {OUTPUT / 'chains_and_stacks.png'}")
