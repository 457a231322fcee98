"""
What did the model learn, and from which features?
==================================================

You will learn how to look into a fitted multi-task model: how its losses went, where each task
errs, and, with ``task_permutation_importance``, which features matter for which task. That differs
by task, although one network serves them all.

The data are scikit-learn's 1,797 handwritten digits of 8 x 8 pixels. The tasks: which digit it is,
whether it is even, and how far its ink leans to the right. A fifth of the answers is missing.
"""

from pathlib import Path
from time import perf_counter

import matplotlib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sklearn_mtl import MultiTaskEstimator, MultiTaskTarget, task_permutation_importance
from sklearn_mtl.inspection import (
    ConfusionMatrixDisplay,
    LossHistoryDisplay,
    PredictionErrorDisplay,
)

matplotlib.use("Agg")
import matplotlib.pyplot as plt

OUTPUT = Path(__file__).parent / "output"

# %%
# The data
# --------

X, digit = load_digits(return_X_y=True)
centre = (X.reshape(-1, 8, 8).sum(axis=1) @ np.arange(8)) / X.sum(axis=1)
labels = {
    "digit": digit.astype(object),
    "even": np.where(digit % 2, "odd", "even").astype(object),
    "lean": centre - centre.mean(),
}
rng = np.random.default_rng(0)
for values in labels.values():
    values[rng.random(len(X)) < 0.2] = np.nan if values.dtype == float else None
X_train, X_test, y_train, y_test = train_test_split(X, MultiTaskTarget(labels), random_state=0)

# %%
# One network
# -----------

started = perf_counter()
model = MultiTaskEstimator(
    numeric_embedding=None,
    n_estimators=1,
    early_stopping=True,
    max_epochs=30,
    random_state=0,
).fit(X_train, y_train)
print(f"mean of accuracy and R² on the tasks: {model.score(X_test, y_test):.3f}")

# %%
# Which pixels matter for which task?
# -----------------------------------
# How much a task's score falls when a pixel is shuffled among the test digits.

found = task_permutation_importance(model, X_test, y_test, n_repeats=5, random_state=0)
for name, importances in zip(found.task_names, found.importances_mean, strict=True):
    columns = importances.reshape(8, 8).sum(axis=0)
    middle = columns[3:5].sum() / columns.sum()
    print(f"{name:6} the two columns in the middle have {100 * middle:.0f} % of the importance")

# %%
# The pictures
# ------------
# A column for each task: the pixels that it needs, and where it errs. Displays draw into the axes
# that they are given.

figure, panels = plt.subplots(2, 3, figsize=(10, 7), layout="constrained")
for panel, name, importances in zip(
    panels[0], found.task_names, found.importances_mean, strict=True
):
    image = panel.imshow(importances.reshape(8, 8), cmap="cividis")
    panel.set(title=f"{name}: loss of score", xticks=[], yticks=[])
    figure.colorbar(image, ax=panel, shrink=0.7)
ConfusionMatrixDisplay.from_estimator(
    model, X_test, y_test, ax=panels[1, :2], include_values=False, colorbar=False
)
PredictionErrorDisplay.from_estimator(model, X_test, y_test, ax=panels[1, 2])
OUTPUT.mkdir(exist_ok=True)
figure.savefig(OUTPUT / "what_was_learned.png", dpi=120)
losses = LossHistoryDisplay.from_estimator(model)
losses.figure_.savefig(OUTPUT / "what_was_learned_losses.png", dpi=120)
print(f"{perf_counter() - started:.0f} s; pictures: {OUTPUT}")
