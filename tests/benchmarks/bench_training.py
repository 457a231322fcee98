"""Time `fit` and `predict` of the networks against peers doing the same work.

Run it as

    python tests/benchmarks/bench_training.py

It prints a table of ratios: our time over the peer's, both sides alternating in one process, the
median over the pairs. Ratios, since machines differ and drift.
"""

import argparse
import gc
import warnings
from time import perf_counter

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from torch import nn

from sklearn_mtl import MultiTaskRegressor

warnings.simplefilter("ignore", ConvergenceWarning)

N_ROWS, N_FEATURES, WIDTH, BATCH, EPOCHS, LR = 20_000, 50, 128, 256, 5, 1e-3


def make_data(n_tasks, rng):
    """Regression tasks that share a smooth function of the features."""
    X = rng.standard_normal((N_ROWS, N_FEATURES))
    shared = np.tanh(X @ rng.standard_normal((N_FEATURES, 20)) / 7)
    y = shared @ rng.standard_normal((20, n_tasks)) + 0.1 * rng.standard_normal((N_ROWS, n_tasks))
    return X, y


def hand_written(X, y, *, epochs=EPOCHS):
    """Whole-tensor batches, one matrix for all heads, fused AdamW; standardised on both sides."""
    torch.manual_seed(0)
    inputs = torch.as_tensor((X - X.mean(0)) / X.std(0), dtype=torch.float32)
    labels = torch.as_tensor((y - y.mean(0)) / y.std(0), dtype=torch.float32)
    net = nn.Sequential(
        nn.Linear(N_FEATURES, WIDTH), nn.ReLU(),
        nn.Linear(WIDTH, WIDTH), nn.ReLU(),
        nn.Linear(WIDTH, y.shape[1]),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(net.parameters(), lr=LR, fused=True)
    for _ in range(epochs):
        order = torch.randperm(len(inputs))
        shuffled_inputs, shuffled_labels = inputs[order], labels[order]
        for start in range(0, len(inputs), BATCH):
            optimizer.zero_grad()
            outputs = net(shuffled_inputs[start : start + BATCH])
            loss = nn.functional.mse_loss(outputs, shuffled_labels[start : start + BATCH])
            loss.backward()
            optimizer.step()
    return net


def ours(**parameters):
    """Return our estimator of the same shape, batches and epochs."""
    return MultiTaskRegressor(
        **{
            "hidden_layer_sizes": (WIDTH, WIDTH),
            "batch_size": BATCH,
            "max_epochs": EPOCHS,
            "lr": LR,
            "lr_schedule": "constant",
            "early_stopping": False,
            "dropout": 0.0,
            "input_dropout": 0.0,
            "numeric_embedding": None,
            "input_scaling": "standard",
            "n_estimators": 1,
            "random_state": 0,
            **parameters,
        }
    )


def scikit_learn():
    """Return scikit-learn's network of the same shape, batches and epochs."""
    return MLPRegressor(
        hidden_layer_sizes=(WIDTH, WIDTH),
        batch_size=BATCH,
        max_iter=EPOCHS,
        n_iter_no_change=EPOCHS,
        learning_rate_init=LR,
        random_state=0,
    )


def skorch_net(X, y):
    """Fit skorch's regressor as it comes."""
    from skorch import NeuralNetRegressor

    net = NeuralNetRegressor(
        nn.Sequential(
            nn.Linear(N_FEATURES, WIDTH), nn.ReLU(),
            nn.Linear(WIDTH, WIDTH), nn.ReLU(),
            nn.Linear(WIDTH, y.shape[1]),
        ),
        optimizer=torch.optim.AdamW, lr=LR, batch_size=BATCH, max_epochs=EPOCHS,
        train_split=None, iterator_train__shuffle=True, verbose=0,
    )  # fmt: skip
    return net.fit(X.astype(np.float32), y.astype(np.float32))


def seconds(function, repeat=1):
    """Return the wall time of one call, the mean over `repeat` calls."""
    gc.collect()
    start = perf_counter()
    for _ in range(repeat):
        function()
    return (perf_counter() - start) / repeat


def compare(name, one, other, pairs, repeat=1):
    """Time both sides in turn and print the median of the pairwise ratios."""
    one(), other()  # warm up
    times = [(seconds(one, repeat), seconds(other, repeat)) for _ in range(pairs)]
    mine, theirs = np.median(times, axis=0)
    ratios = np.array([a / b for a, b in times])
    low, middle, high = np.quantile(ratios, [0.1, 0.5, 0.9])
    print(f"{name:<66} {mine:10.5f} {theirs:10.5f} {middle:7.2f}   [{low:.2f}, {high:.2f}]")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=7, help="pairs of runs a row")
    pairs = parser.parse_args().pairs
    rng = np.random.default_rng(0)
    X, y = make_data(8, rng)
    _, wide = make_data(1000, rng)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {pairs} pairs a row")
    print(f"{'ours / peer':<66} {'ours s':>10} {'peer s':>10} {'ratio':>7}   [10 %, 90 %]")
    compare(
        "fit, 8 tasks / hand-written fused loop",
        lambda: ours().fit(X, y), lambda: hand_written(X, y), pairs,
    )  # fmt: skip
    compare(
        "fit, 8 tasks / scikit-learn MLPRegressor",
        lambda: ours().fit(X, y), lambda: scikit_learn().fit(X, y), pairs,
    )  # fmt: skip
    compare(
        "fit, 8 tasks / skorch NeuralNetRegressor",
        lambda: ours().fit(X, y), lambda: skorch_net(X, y), max(3, pairs // 2),
    )  # fmt: skip
    compare(
        "fit, 1000 tasks / hand-written loop, one head of 1000 columns",
        lambda: ours().fit(X, wide), lambda: hand_written(X, wide), max(3, pairs // 2),
    )  # fmt: skip
    with_validation, part = ours(early_stopping=True, patience=EPOCHS), slice(0, N_ROWS * 9 // 10)
    compare(
        "fit, 8 tasks, early stopping on a tenth / fit of the other nine tenths",
        lambda: with_validation.fit(X, y), lambda: ours().fit(X[part], y[part]), pairs,
    )  # fmt: skip
    holes = np.where(rng.random(y.shape) < 0.5, np.nan, y)
    compare(
        "fit, 8 tasks, half the labels missing / complete",
        lambda: ours().fit(X, holes), lambda: ours().fit(X, y), pairs,
    )  # fmt: skip
    for n_rows in (500, 2000, N_ROWS):
        few, labels = X[:n_rows], y[:n_rows]
        parameters = {
            "batch_size": "auto",  # what users have: 32, 32 and 256
            "dropout": 0.2,
            "max_epochs": max(1, 20 * 500 // n_rows),
        }
        compare(
            f"fit, eight members as one, {n_rows} rows / eight fits in a row",
            lambda few=few, labels=labels, p=parameters: ours(n_estimators=8, **p).fit(few, labels),
            lambda few=few, labels=labels, p=parameters: [
                ours(**{**p, "random_state": m}).fit(few, labels) for m in range(8)
            ],
            max(3, pairs // 2),
        )
    mine, theirs, row = ours().fit(X, y), scikit_learn().fit(X, y), X[:1]
    compare(
        "predict, 1 row / scikit-learn MLPRegressor",
        lambda: mine.predict(row), lambda: theirs.predict(row), pairs, 200,
    )  # fmt: skip
    compare(
        "predict, 20000 rows / scikit-learn MLPRegressor",
        lambda: mine.predict(X), lambda: theirs.predict(X), pairs, 3,
    )  # fmt: skip


if __name__ == "__main__":
    main()
