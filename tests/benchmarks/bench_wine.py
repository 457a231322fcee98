"""Red wine: the tuned two-task network of the example against scikit-learn, over five splits.

    python tests/benchmarks/bench_wine.py

For each of five random 80/20 splits the whole search of ``examples/plot_wine_quality.py`` is run on
the training part. Prints the test MSE of the grade and the accuracy of "good", mean and spread.
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
from plot_wine_quality import load_red_wine, make_search, make_tasks, peers, scores


def main():
    X, grades = load_red_wine()
    y = make_tasks(grades)
    results = {}
    for seed in range(5):
        X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=seed)
        search = make_search().fit(X_train, y_train)
        models = {"one network for both tasks, tuned": search}
        for name, peer in peers(search.best_estimator_).items():
            models[name] = peer.fit(X_train, y_train)
        for name, model in models.items():
            results.setdefault(name, []).append(scores(y_test, model.predict(X_test)))
        print(f"split {seed}: {search.best_params_}", flush=True)
    print(f"{'mean (standard deviation) over 5 splits':<44} {'MSE':>15} {'accuracy':>17}")
    for name, values in results.items():
        (mse, accuracy), (mse_sd, accuracy_sd) = np.mean(values, axis=0), np.std(values, axis=0)
        print(f"{name:<44} {mse:7.3f} ({mse_sd:.3f}) {accuracy:9.1%} ({accuracy_sd:.1%})")


if __name__ == "__main__":
    main()
