"""
Every picture, for 2 tasks, for 14 and for 139
==============================================

You will learn which pictures the package draws, with which call, and how each changes when tasks
become many: from a panel a task to one panel that names the extremes.

The tasks are drawn: numbers and classes whose weights on twelve features are mixtures of three
directions, of which some tasks have few labels. Each picture is saved by itself, and all of them on
one sheet.
"""

from pathlib import Path
from time import perf_counter

import matplotlib
import numpy as np
from sklearn.linear_model import RidgeCV

from sklearn_mtl import (
    IndependentTasks,
    LowRankRegressorCV,
    MeanRegularizedRegressorCV,
    MultiTaskClassifier,
    MultiTaskRegressor,
    transfer_report,
)
from sklearn_mtl.inspection import (
    CoefficientDisplay,
    ConfusionMatrixDisplay,
    LossHistoryDisplay,
    PredictionErrorDisplay,
    RegularizationPathDisplay,
    RocCurveDisplay,
    TaskRelationDisplay,
    TransferGainDisplay,
)

matplotlib.use("Agg")
import matplotlib.pyplot as plt

OUTPUT = Path(__file__).parent / "output"
N_ROWS, N_FEATURES, N_DIRECTIONS = 160, 12, 3

# %%
# The data
# --------


def draw_tasks(n_tasks, rng):
    """Return X, numbers and classes of each task by name, with labels missing at random."""
    X = rng.normal(size=(N_ROWS, N_FEATURES))
    directions = rng.normal(size=(N_FEATURES, N_DIRECTIONS)) / np.sqrt(N_FEATURES)
    values = X @ directions @ rng.normal(size=(N_DIRECTIONS, n_tasks))
    values += rng.normal(size=values.shape)
    missing = rng.random(values.shape) < rng.uniform(0.0, 0.8, size=n_tasks)
    numbers, classes = {}, {}
    for t in range(n_tasks):
        name = f"task {t + 1}"
        numbers[name] = np.where(missing[:, t], np.nan, values[:, t])
        limits = [0.0] if t % 2 else [-1.0, 1.0]
        words = np.array(["low", "high"] if t % 2 else ["low", "mid", "high"], dtype=object)
        classes[name] = np.where(missing[:, t], None, words[np.digitize(values[:, t], limits)])
    return X, numbers, classes


# %%
# The pictures
# ------------
# One call each, from a fitted model or from a report.


def draw_all(n_tasks, rng):
    """Return the displays for that many tasks, by name."""
    X, numbers, classes = draw_tasks(n_tasks, rng)
    net = MultiTaskRegressor(max_epochs=30, early_stopping=True, n_estimators=1, random_state=0)
    net.fit(X, numbers)
    classifier = MultiTaskClassifier(max_epochs=10, n_estimators=1, random_state=0).fit(X, classes)
    low_rank = LowRankRegressorCV(alphas=20).fit(X, numbers)
    mean = MeanRegularizedRegressorCV(alphas_shared=3, alphas_specific=8).fit(X, numbers)
    small = LowRankRegressorCV(alphas=6, cv=3)
    report = transfer_report(
        small, X, numbers, baseline=IndependentTasks(RidgeCV()), n_repeats=1, random_state=0
    )
    return {
        "prediction error": PredictionErrorDisplay.from_estimator(net, X, numbers),
        "loss history": LossHistoryDisplay.from_estimator(net),
        "confusion matrix": ConfusionMatrixDisplay.from_estimator(classifier, X, classes),
        "ROC curve": RocCurveDisplay.from_estimator(classifier, X, classes),
        "coefficients": CoefficientDisplay.from_estimator(mean),
        "task relation": TaskRelationDisplay.from_estimator(low_rank),
        "regularization path": RegularizationPathDisplay.from_estimator(mean),
        "transfer gain": TransferGainDisplay.from_report(report),
    }


started = perf_counter()
OUTPUT.mkdir(exist_ok=True)
pictures = {}
for n_tasks in (2, 14, 139):
    for name, display in draw_all(n_tasks, np.random.default_rng(0)).items():
        path = OUTPUT / f"{name.replace(' ', '_')}_{n_tasks}.png"
        display.figure_.savefig(path, dpi=80)
        pictures[name, n_tasks] = plt.imread(path)
        plt.close(display.figure_)
    print(f"{n_tasks} tasks, {perf_counter() - started:.0f} s")

# %%
# The sheet
# ---------

names = list(dict.fromkeys(name for name, _ in pictures))
figure, panels = plt.subplots(3, len(names), figsize=(4 * len(names), 12), layout="constrained")
for (name, n_tasks), panel in zip(pictures, panels.ravel(), strict=True):
    panel.imshow(pictures[name, n_tasks])
    panel.set(title=f"{name}, {n_tasks} tasks", xticks=[], yticks=[])
figure.savefig(OUTPUT / "displays.png", dpi=40)
print(f"pictures: {OUTPUT}")
