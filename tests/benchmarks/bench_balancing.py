"""Time training steps with balancing against plain ones, and against torchjd's own loop.

Run it as

    python tests/benchmarks/bench_balancing.py

It prints three tables of ratios, both sides alternating in one process, the median over the pairs:
each word against "equal", gradients compared at the representation; the same compared exactly; and
the exact ones against a hand-written loop around torchjd's ``mtl_backward`` and aggregators.
"""

import argparse
from functools import partial

import numpy as np
import torch
import torchjd.aggregation as torchjd
from bench_training import BATCH, LR, N_FEATURES, WIDTH, compare, make_data, ours
from torch import nn
from torchjd.autojac import jac_to_grad, mtl_backward

from sklearn_mtl.neural_network.balancing import BALANCING, GradientBalancing
from sklearn_mtl.nn import NNLSProjector

N_ROWS = 5_000
EPOCHS = 5

# torchjd's Nash-MTL needs ecos, and its UPGrad and DualProj quadprog, both under the GPL: those two
# have our projector
AGGREGATORS = {
    "mgda": torchjd.MGDA,
    "pcgrad": torchjd.PCGrad,
    "gradvac": torchjd.GradVac,
    "graddrop": torchjd.GradDrop,
    "cagrad": lambda: torchjd.CAGrad(c=0.5),
    "imtl_g": torchjd.IMTLG,
    "aligned_mtl": torchjd.AlignedMTL,
    "fairgrad": lambda: torchjd.FairGrad(alpha=1.0),
    "config": torchjd.ConFIG,
    "upgrad": lambda: torchjd.UPGrad(projector=NNLSProjector()),
    "dualproj": lambda: torchjd.DualProj(projector=NNLSProjector()),
}


def torchjd_loop(X, y, make_aggregator):
    """Whole-tensor batches and a head a task, as torchjd's documentation writes it."""
    torch.manual_seed(0)
    inputs = torch.as_tensor((X - X.mean(0)) / X.std(0), dtype=torch.float32)
    labels = torch.as_tensor((y - y.mean(0)) / y.std(0), dtype=torch.float32)
    trunk = nn.Sequential(
        nn.Linear(N_FEATURES, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU()
    )  # fmt: skip
    heads = nn.ModuleList([nn.Linear(WIDTH, 1) for _ in range(y.shape[1])])
    shared = list(trunk.parameters())
    aggregator = make_aggregator()
    optimizer = torch.optim.AdamW([*shared, *heads.parameters()], lr=LR, fused=True)
    for _ in range(EPOCHS):
        order = torch.randperm(len(inputs))
        for rows in order.split(BATCH):
            optimizer.zero_grad()
            features = trunk(inputs[rows])
            losses = [
                nn.functional.mse_loss(head(features)[:, 0], labels[rows, t])
                for t, head in enumerate(heads)
            ]
            mtl_backward(losses, features=features)
            jac_to_grad(shared, aggregator)
            optimizer.step()


def fit(X, y, balancing):
    """Fit our estimator of the same shape, batches and epochs."""
    ours(balancing=balancing, max_epochs=EPOCHS).fit(X, y)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=7, help="pairs of runs a row")
    parser.add_argument("--tasks", type=int, default=8)
    parser.add_argument("--words", nargs="*", default=list(BALANCING), choices=list(BALANCING))
    options = parser.parse_args()
    pairs, words = options.pairs, options.words
    X, y = make_data(options.tasks, np.random.default_rng(0))
    X, y = X[:N_ROWS], y[:N_ROWS]
    gradient = [word for word in words if issubclass(BALANCING[word], GradientBalancing)]
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {pairs} pairs a row")
    print(f"{'ours / peer':<66} {'ours s':>10} {'peer s':>10} {'ratio':>7}   [10 %, 90 %]")
    equal = partial(fit, X, y, "equal")
    for word in words:
        compare(f"{word} / equal", partial(fit, X, y, word), equal, pairs)
    exact = {word: partial(fit, X, y, BALANCING[word](gradients="exact")) for word in gradient}
    for word in gradient:
        compare(f"{word}, exact / equal", exact[word], equal, pairs)
    for word in filter(AGGREGATORS.__contains__, gradient):
        peer = partial(torchjd_loop, X, y, AGGREGATORS[word])
        compare(f"{word}, exact / torchjd's mtl_backward and aggregator", exact[word], peer, pairs)


if __name__ == "__main__":
    main()
