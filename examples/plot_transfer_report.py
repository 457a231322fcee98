"""
Does sharing help, and whom does it hurt?
=========================================

You will learn how to ask that of your own tasks with ``transfer_report``: the multi-task model and
its single-task counterpart on the same folds, from the same seeds, with the same budget; for each
task the gain with an interval that knows that training folds overlap; and what to make of the
answer "undecided".

The tasks are drawn, so that the truth is known: twelve clinics with 20 to 160 patients each. In ten
of them the same features matter; in the last two everything is the other way round. Or ask it of
the 139 schools that come with MALSAR (not shipped here):

    python examples/plot_transfer_report.py path/to/school.mat
"""

import sys
from pathlib import Path
from time import perf_counter

import matplotlib
import numpy as np
from scipy.io import loadmat
from sklearn.linear_model import RidgeCV

from sklearn_mtl import IndependentTasks, MeanRegularizedRegressorCV, transfer_report

matplotlib.use("Agg")

OUTPUT = Path(__file__).parent / "output"
N_FEATURES, NOISE = 20, 2.0

# %%
# The data
# --------
# Tasks with rows of their own: X and y are dicts with the same keys.


def draw_rows(weights, n_rows, rng):
    """Return patients of each clinic and what is measured on them."""
    X = {name: rng.normal(size=(n_rows[name], N_FEATURES)) for name in weights}
    y = {name: X[name] @ w + NOISE * rng.normal(size=len(X[name])) for name, w in weights.items()}
    return X, y


def draw_clinics(rng):
    """Return the weights of twelve clinics, two of which go against the others."""
    shared = rng.normal(size=N_FEATURES)
    names = [f"clinic {letter}" for letter in "ABCDEFGHIJ"] + ["odd one", "odd two"]
    return {
        name: (-1 if name.startswith("odd") else 1) * shared + 0.3 * rng.normal(size=N_FEATURES)
        for name in names
    }


def read_schools(path):
    """Return X and y by school, without the constant feature."""
    if path.endswith(".mat"):
        cells = loadmat(path)
        parts = [
            (own, scores.ravel())
            for own, scores in zip(cells["X"].ravel(), cells["Y"].ravel(), strict=True)
        ]
    else:
        with np.load(path) as arrays:
            school = arrays["school"]
            parts = [
                (arrays["X"][school == s], arrays["y"][school == s]) for s in np.unique(school)
            ]
    names = [f"school {number}" for number in range(len(parts))]
    X = {name: own[:, :-1].astype(float) for name, (own, _) in zip(names, parts, strict=True)}
    return X, {name: own.astype(float) for name, (_, own) in zip(names, parts, strict=True)}


# %%
# The report
# ----------
# The baseline is what one would do without multi-task learning: a ridge a clinic, tuned. Both sides
# choose their strengths inside the training folds.

rng = np.random.default_rng(5)
path = sys.argv[1] if len(sys.argv) > 1 else None
if path is None:
    weights = draw_clinics(rng)
    sizes = dict(zip(weights, [20, 25, 32, 32, 40, 50, 63, 80, 100, 160, 40, 100], strict=True))
    X, y = draw_rows(weights, sizes, rng)
else:
    X, y = read_schools(path)

together = MeanRegularizedRegressorCV()
apart = IndependentTasks(RidgeCV(alphas=np.logspace(-2, 3, 20)))
started = perf_counter()
report = transfer_report(together, X, y, baseline=apart, random_state=0)
print(report)

# %%
# What to make of it
# ------------------
# "Undecided" is no verdict: the interval says which gains are still possible. The mean over tasks
# is known better than any task's. A task that is hurt can be left to itself, or ``TaskGrouping``
# asked which tasks should learn together.

print(f"{perf_counter() - started:.0f} s")

# %%
# The picture
# -----------
# Tasks from few labels to many. The crosses are what one cannot see with real data: the gain of the
# same two models, fitted on all rows, on 2,000 new patients of each clinic. A flag can be wrong:
# one clinic that is said to be helped is not.

display = report.plot()
if path is None:
    X_new, y_new = draw_rows(weights, dict.fromkeys(weights, 2000), rng)
    errors = [
        {name: np.sqrt(np.mean((predicted[name] - y_new[name]) ** 2)) for name in weights}
        for predicted in (model.fit(X, y).predict(X_new) for model in (apart, together))
    ]
    gain = np.array([1 - errors[1][name] / errors[0][name] for name in weights])
    n_held = int(((report.low <= gain) & (gain <= report.high)).sum())
    print(f"The gain on new patients is in the interval of {n_held} of {len(gain)} clinics.")
    display.ax_.plot(
        gain[display.order_], range(len(gain)), "x", color="black", label="new patients"
    )
    display.ax_.legend(fontsize="small")
OUTPUT.mkdir(exist_ok=True)
display.figure_.savefig(OUTPUT / "transfer_report.png", dpi=150)
print(f"picture: {OUTPUT / 'transfer_report.png'}")
