"""
Every picture, for 2 tasks, for 14 and for 139
==============================================

You will learn which pictures the package draws, with which call, and how each changes when tasks
become many: from a panel a task to one panel that names the extremes.

The tasks are drawn: numbers and classes whose weights on ten features are mixtures of three
directions, of which some tasks have few labels.
"""

from pathlib import Path
from time import perf_counter

import matplotlib
import numpy as np
from joblib import Parallel, delayed
from sklearn.linear_model import RidgeCV

from sklearn_mtl import (
    IndependentTasks,
    LowRankRegressorCV,
    MeanRegularizedRegressorCV,
    MultiTaskClassifier,
    MultiTaskRegressor,
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
N_ROWS, N_TRAIN, N_FEATURES, N_DIRECTIONS = 160, 110, 10, 3

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
# One call each, from a fitted model or from predictions.


def draw_all(n_tasks, rng):
    """Return the displays for that many tasks, by name."""
    X, numbers, classes = draw_tasks(n_tasks, rng)
    X, X_new = X[:N_TRAIN], X[N_TRAIN:]
    new = {name: values[N_TRAIN:] for name, values in numbers.items()}
    numbers = {name: values[:N_TRAIN] for name, values in numbers.items()}
    classes = {name: values[:N_TRAIN] for name, values in classes.items()}
    net = MultiTaskRegressor(max_epochs=15, early_stopping=True, n_estimators=1, random_state=0)
    net.fit(X, numbers)
    classifier = MultiTaskClassifier(max_epochs=5, n_estimators=1, random_state=0).fit(X, classes)
    low_rank = LowRankRegressorCV(alphas=6, cv=3).fit(X, numbers)
    mean = MeanRegularizedRegressorCV(alphas_shared=3, alphas_specific=4, cv=3).fit(X, numbers)
    apart = IndependentTasks(RidgeCV()).fit(X, numbers)
    return {
        "prediction error": PredictionErrorDisplay.from_estimator(net, X, numbers),
        "loss history": LossHistoryDisplay.from_estimator(net),
        "confusion matrix": ConfusionMatrixDisplay.from_estimator(classifier, X, classes),
        "ROC curve": RocCurveDisplay.from_estimator(classifier, X, classes),
        "coefficients": CoefficientDisplay.from_estimator(mean),
        "task relation": TaskRelationDisplay.from_estimator(low_rank),
        "regularization path": RegularizationPathDisplay.from_estimator(mean),
        "transfer gain": TransferGainDisplay.from_predictions(
            new, low_rank.predict(X_new), apart.predict(X_new)
        ),
    }


def save_all(n_tasks):
    """Draw and save the pictures for that many tasks."""
    for name, display in draw_all(n_tasks, np.random.default_rng(0)).items():
        display.figure_.savefig(OUTPUT / f"{name.replace(' ', '_')}_{n_tasks}.png", dpi=70)
        plt.close(display.figure_)
    return n_tasks


started = perf_counter()
OUTPUT.mkdir(exist_ok=True)
for n_tasks in Parallel(n_jobs=2, return_as="generator_unordered")(
    delayed(save_all)(n_tasks) for n_tasks in (139, 14, 2)
):
    print(f"{n_tasks} tasks, {perf_counter() - started:.0f} s")
print(f"pictures: {OUTPUT}")
