"""Time `fit` under each sharing scheme against a hand-written network of the same arithmetic.

Run it as

    python tests/benchmarks/bench_sharing.py

The hand-written networks are what one would write for 8 regression tasks and nothing else: batched
matrix products, slices of whole tensors, fused AdamW. It prints ratios: our time over theirs, both
sides alternating in one process, the median over the pairs.
"""

import argparse
from itertools import pairwise

import numpy as np
import torch
from bench_training import BATCH, EPOCHS, LR, N_FEATURES, WIDTH, compare, make_data, ours
from torch import nn
from torch.nn import functional

from sklearn_mtl.neural_network import (
    CGC,
    PLE,
    Cascade,
    CrossStitch,
    MMoE,
    SeparateNetworks,
    SoftSharing,
)

TASKS, EXPERTS, SHARED, SPECIFIC, UNITS, STRENGTH = 8, 4, 2, 1, 32, 1e-3


class Layers(nn.Module):
    """n linear layers as one product, each followed by a ReLU."""

    def __init__(self, n, sizes):
        super().__init__()
        pairs = list(pairwise(sizes))
        self.weights = nn.ParameterList(
            [nn.Parameter(torch.randn(n, a, b) * (2 / a) ** 0.5) for a, b in pairs]
        )
        self.biases = nn.ParameterList([nn.Parameter(torch.zeros(n, 1, b)) for _, b in pairs])

    def forward(self, x):
        if x.ndim == 2:
            x = x.expand(len(self.weights[0]), *x.shape)
        for weight, bias in zip(self.weights, self.biases, strict=True):
            x = torch.baddbmm(bias, x, weight).relu()
        return x


class OwnHeads(nn.Module):
    """One output a task, from a representation (T, B, h)."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(TASKS, WIDTH, 1))
        self.bias = nn.Parameter(torch.zeros(TASKS, 1, 1))

    def forward(self, values):
        return torch.baddbmm(self.bias, values, self.weight)[..., 0].T


class Separate(nn.Module):
    """A trunk for each task."""

    def __init__(self):
        super().__init__()
        self.trunks = Layers(TASKS, (N_FEATURES, WIDTH, WIDTH))
        self.heads = OwnHeads()

    def forward(self, x):
        return self.heads(self.trunks(x))


class SoftL2(Separate):
    """Trunks tied by their squared distance from the mean."""

    def penalty(self):
        return STRENGTH * sum(
            (weight - weight.mean(0)).square().sum() / TASKS for weight in self.trunks.parameters()
        )


class SoftTraceNorm(Separate):
    """Trunks tied by the trace norm of their stacked weights."""

    def penalty(self):
        return STRENGTH * sum(
            torch.linalg.matrix_norm(weight.flatten(1), "nuc") / TASKS**0.5
            for weight in self.trunks.parameters()
        )


class Stitched(nn.Module):
    """Two layers of trunks, a unit after each."""

    def __init__(self):
        super().__init__()
        self.first = Layers(TASKS, (N_FEATURES, WIDTH))
        self.second = Layers(TASKS, (WIDTH, WIDTH))
        self.units = nn.Parameter(torch.eye(TASKS).repeat(2, 1, 1))
        self.heads = OwnHeads()

    def forward(self, x):
        x = torch.einsum("st,tbh->sbh", self.units[0], self.first(x))
        x = torch.einsum("st,tbh->sbh", self.units[1], self.second(x))
        return self.heads(x)


class MixtureOfExperts(nn.Module):
    """Four experts, a gate for each task."""

    def __init__(self):
        super().__init__()
        self.experts = Layers(EXPERTS, (N_FEATURES, WIDTH, WIDTH))
        self.gates = nn.Linear(N_FEATURES, TASKS * EXPERTS, bias=False)
        self.heads = OwnHeads()

    def forward(self, x):
        weights = self.gates(x).view(-1, TASKS, EXPERTS).softmax(-1)
        return self.heads(torch.einsum("bte,ebh->tbh", weights, self.experts(x)))


class Extraction(nn.Module):
    """Shared and specific experts, in one level or two."""

    def __init__(self, n_levels):
        super().__init__()
        n_own = SHARED + SPECIFIC
        sizes = [(N_FEATURES, WIDTH, WIDTH), (WIDTH, WIDTH)][:n_levels]
        self.shared = nn.ModuleList(Layers(SHARED, size) for size in sizes)
        self.specific = nn.ModuleList(Layers(TASKS * SPECIFIC, size) for size in sizes)
        self.gates = nn.ParameterList(
            [nn.Parameter(torch.zeros(TASKS, size[0], n_own)) for size in sizes]
        )
        self.shared_gate = nn.Linear(N_FEATURES, SHARED + TASKS * SPECIFIC, bias=False)
        self.heads = OwnHeads()

    def forward(self, x):
        own = x.expand(TASKS, *x.shape)
        for level, (shared, specific) in enumerate(zip(self.shared, self.specific, strict=True)):
            common, special = shared(x), specific(own)
            weights = torch.bmm(own, self.gates[level]).softmax(-1)
            own = torch.einsum("tbe,ebh->tbh", weights[..., SPECIFIC:], common)
            own = own + weights[..., :SPECIFIC] * special
            if level + 1 < len(self.shared):
                mixture = self.shared_gate(x).softmax(-1)
                x = torch.einsum("be,ebh->bh", mixture, torch.cat([special, common]))
        return self.heads(own)


class Chain(nn.Module):
    """Each task reads the predictions of all before it."""

    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Linear(N_FEATURES, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU()
        )
        self.inner = nn.ModuleList(nn.Linear(WIDTH + t, UNITS) for t in range(1, TASKS))
        self.outer = nn.ModuleList(nn.Linear(UNITS, WIDTH, bias=False) for _ in range(1, TASKS))
        self.heads = nn.ModuleList(nn.Linear(WIDTH, 1) for _ in range(TASKS))

    def forward(self, x):
        z = self.trunk(x)
        said = [self.heads[0](z)]
        for inner, outer, head in zip(self.inner, self.outer, self.heads[1:], strict=True):
            said.append(head(z + outer(inner(torch.cat([z, *said], dim=1)).relu())))
        return torch.cat(said, dim=1)


class OneDependency(nn.Module):
    """The last four tasks read the predictions of the first four."""

    def __init__(self):
        super().__init__()
        half = TASKS // 2
        self.half = half
        self.trunk = nn.Sequential(
            nn.Linear(N_FEATURES, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU()
        )
        self.first = nn.Linear(WIDTH, half)
        self.inner = nn.Linear(WIDTH + half, half * UNITS)
        self.outer = nn.Parameter(torch.zeros(half, UNITS, WIDTH))
        self.weight = nn.Parameter(torch.zeros(half, WIDTH, 1))
        self.bias = nn.Parameter(torch.zeros(half, 1, 1))

    def forward(self, x):
        z = self.trunk(x)
        first = self.first(z)
        hidden = self.inner(torch.cat([z, first], dim=1)).relu().view(-1, self.half, UNITS)
        own = torch.baddbmm(z.expand(self.half, *z.shape), hidden.transpose(0, 1), self.outer)
        return torch.cat([first, torch.baddbmm(self.bias, own, self.weight)[..., 0].T], dim=1)


def train(make, X, y):
    """Train a hand-written network: the plain loop of bench_training."""
    torch.manual_seed(0)
    inputs = torch.as_tensor((X - X.mean(0)) / X.std(0), dtype=torch.float32)
    labels = torch.as_tensor((y - y.mean(0)) / y.std(0), dtype=torch.float32)
    net = make()
    penalty = getattr(net, "penalty", None)
    optimizer = torch.optim.AdamW(net.parameters(), lr=LR, fused=True)
    for _ in range(EPOCHS):
        order = torch.randperm(len(inputs))
        shuffled_inputs, shuffled_labels = inputs[order], labels[order]
        for start in range(0, len(inputs), BATCH):
            optimizer.zero_grad()
            outputs = net(shuffled_inputs[start : start + BATCH])
            loss = functional.mse_loss(outputs, shuffled_labels[start : start + BATCH])
            if penalty is not None:
                loss = loss + penalty()
            loss.backward()
            optimizer.step()
    return net


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=7, help="pairs of runs a row")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--only", default="", help="schemes whose name holds this")
    arguments = parser.parse_args()
    X, y = make_data(TASKS, np.random.default_rng(0))
    X, y = X[: arguments.rows], y[: arguments.rows]
    half = TASKS // 2
    halves = {f"task{t}": [f"task{s}" for s in range(half)] for t in range(half, TASKS)}
    cases = {
        "separate": (SeparateNetworks(), Separate),
        "soft, l2": (SoftSharing("l2", STRENGTH), SoftL2),
        "soft, trace norm": (SoftSharing("trace_norm", STRENGTH), SoftTraceNorm),
        "cross-stitch": (CrossStitch(), Stitched),
        "mmoe": (MMoE(EXPERTS), MixtureOfExperts),
        "cgc": (CGC(SHARED, SPECIFIC), lambda: Extraction(1)),
        "ple, two levels": (PLE(SHARED, SPECIFIC, 2), lambda: Extraction(2)),
        "cascade, a chain": (Cascade(width=UNITS), Chain),
        "cascade, two depths": (Cascade(halves, width=UNITS), OneDependency),
    }
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    print(f"{'ours / hand-written, 8 tasks':<66} {'ours s':>10} {'hand s':>10} {'ratio':>7}")
    for name, (sharing, make) in cases.items():
        if arguments.only in name:
            compare(
                f"fit, {name}",
                lambda sharing=sharing: ours(sharing=sharing).fit(X, y),
                lambda make=make: train(make, X, y),
                arguments.pairs,
            )
    if arguments.only in "long form":
        long_form(arguments.pairs)


def long_form(pairs):
    """Time 139 tasks of which each row has one, against one trunk for all."""
    rng = np.random.default_rng(0)
    tag = rng.integers(139, size=10_000)
    X = np.column_stack([rng.standard_normal((10_000, 20)), tag])
    y = X[:, 0] + rng.standard_normal(139)[tag]
    for name, sharing in {
        "separate": SeparateNetworks(), "soft, l2": SoftSharing(), "cgc": CGC(), "mmoe": MMoE(),
    }.items():  # fmt: skip
        compare(
            f"fit, {name}, 139 tasks in long form / hard sharing",
            lambda sharing=sharing: ours(sharing=sharing, task_feature=-1, max_epochs=2).fit(X, y),
            lambda: ours(task_feature=-1, max_epochs=2).fit(X, y),
            max(2, pairs // 3),
        )


if __name__ == "__main__":
    main()
