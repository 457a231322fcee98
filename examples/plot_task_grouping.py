"""
Which tasks should learn together?
==================================

You will learn how to measure how much each task helps each other one (``task_affinity``), by pairs
and by the gradients of one network; how ``TaskGrouping`` finds groups of tasks, and their number,
and fits a model a group; and what that is worth against one model for all tasks and one for each.

The data are drawn, so that the truth is known: the sales of nine shops, 60 days each, which depend
on 15 features. Three shops are at the sea, three in the mountains, and three in towns: within a
family the same features matter, between families they do not.
"""

from pathlib import Path
from time import perf_counter

import matplotlib
import numpy as np
from sklearn.metrics import root_mean_squared_error

from sklearn_mtl import (
    IndependentTasks,
    MeanRegularizedRegressor,
    MultiTaskRegressor,
    TaskGrouping,
    task_affinity,
)
from sklearn_mtl.inspection import TaskRelationDisplay

matplotlib.use("Agg")
import matplotlib.pyplot as plt

OUTPUT = Path(__file__).parent / "output"
N_DAYS, N_FEATURES, NOISE = 60, 15, 2.0

# %%
# The data
# --------

rng = np.random.default_rng(1)
weights = {}
for family in ("sea", "mountain", "town"):
    common = rng.normal(size=N_FEATURES)
    for number in (1, 2, 3):
        weights[f"{family} {number}"] = common + 0.3 * rng.normal(size=N_FEATURES)
order = rng.permutation(list(weights))  # the order tells nothing
weights = {str(name): weights[name] for name in order}


def draw_days(n_days):
    """Return X, the same days for all shops, and sales by shop."""
    X = rng.normal(size=(n_days, N_FEATURES))
    return X, {name: X @ w + NOISE * rng.normal(size=n_days) for name, w in weights.items()}


X, y = draw_days(N_DAYS)
X_new, y_new = draw_days(2000)

# %%
# How much does each shop help each other one?
# --------------------------------------------
# "pairwise" learns every pair, and each shop alone, by cross-validation: 45 of them. "gradient"
# asks, while one network learns all shops, how far a step for one lowers the loss of another.

started = perf_counter()
model = MeanRegularizedRegressor(alpha_shared=0.01, alpha_specific=1.0)
pairwise = task_affinity(model, X, y, method="pairwise", random_state=0)
network = MultiTaskRegressor(numeric_embedding=None, n_estimators=1, max_epochs=60, random_state=0)
gradient = task_affinity(network, X, y, method="gradient")

# %%
# Groups
# ------

grouping = TaskGrouping(model, affinity=pairwise, random_state=0).fit(X, y)
for group in grouping.groups_:
    print("learn together:", ", ".join(sorted(group)))


def error(fitted):
    """Return the mean over shops of the root mean squared error on new days."""
    predicted = fitted.predict(X_new)
    return np.mean([root_mean_squared_error(y_new[name], predicted[name]) for name in weights])


errors = {
    "one model for all": error(model.fit(X, y)),
    "one a shop": error(IndependentTasks(model).fit(X, y)),
    "one a group": error(grouping),
}
for name, value in errors.items():
    print(f"{name:18} error {value:.3f} (the noise alone: {NOISE:.3f})")
print(f"{perf_counter() - started:.0f} s")

# %%
# The picture
# -----------
# Rows help columns. The order of the shops is found, not given.

figure, panels = plt.subplots(1, 2, figsize=(13, 5.5), layout="constrained")
for affinity, panel, title in zip(
    (pairwise, gradient),
    panels,
    ("pairs, cross-validated", "gradients of one network"),
    strict=True,
):
    TaskRelationDisplay.from_affinity(affinity, ax=panel).ax_.set_title(title)
OUTPUT.mkdir(exist_ok=True)
figure.savefig(OUTPUT / "task_grouping.png", dpi=110)
print(f"picture: {OUTPUT / 'task_grouping.png'}")
