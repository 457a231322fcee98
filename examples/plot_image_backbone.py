"""
Three tasks from one image: a backbone of your own
==================================================

You will learn how to put any ``torch.nn.Module`` in place of the built-in layers, so that inputs
may be images; how labels of several kinds, some of them missing, train it together; how the
backbone gets a learning rate of its own and stays frozen at first; and how to compare the result
with one network a task.

The data are scikit-learn's digits, 1,797 handwritten numerals of 8 x 8 grey pixels. The tasks are
which digit it is, whether it is even, and how much ink it took. Every training image says whether
it is even and how much ink it has, but only one in ten says which digit it is: the digit has to be
learned from few labels, and from what the other tasks teach the backbone.

    python examples/plot_image_backbone.py --resnet

puts torchvision's ResNet-18 in the place of the small network below (it needs torchvision, and a
few minutes).
"""

import argparse
from pathlib import Path
from time import perf_counter

import matplotlib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, r2_score
from torch import nn

from sklearn_mtl import MultiTaskEstimator, MultiTaskTarget

matplotlib.use("Agg")
import matplotlib.pyplot as plt

OUTPUT = Path(__file__).parent / "output"

# %%
# The data
# --------
# X has shape (n, 1, 8, 8): rows, channels, height, width, as torch's convolutions read it. None
# marks a label that nobody gave.


def load_tasks():
    """Return the images (1797, 1, 8, 8), and which digit each shows."""
    digits = load_digits()
    return digits.images[:, None].astype(np.float32), digits.target


def make_labels(X, digit, known):
    """Return the three tasks; of the digit only the rows `known`."""
    return MultiTaskTarget(
        {
            "digit": np.where(known, digit.astype(str), None),
            "parity": np.where(digit % 2 == 0, "even", "odd"),
            "ink": X.sum(axis=(1, 2, 3)).astype(float) / 16,  # in black pixels
        }
    )


# %%
# The backbone
# ------------
# Any module that maps (B, ...) to (B, h) will do: the heads of the tasks are put on top of its h
# outputs. Lazily shaped layers, BatchNorm and Dropout may be in it.


class Residual(nn.Module):
    """x + f(x), f two convolutions (He et al., "Deep Residual Learning for Image Recognition")."""

    def __init__(self, width):
        super().__init__()
        self.change = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, x):
        return (x + self.change(x)).relu()


class SmallResidualNetwork(nn.Module):
    """Two residual blocks, at 8 x 8 and 4 x 4 pixels, averaged over what is left of the image."""

    def __init__(self, width=12):
        super().__init__()
        self.layers = nn.Sequential(
            nn.LazyConv2d(width, 3, padding=1),
            Residual(width),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
            Residual(2 * width),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
        )

    def forward(self, x):
        return self.layers(x)


def torchvision_resnet(weights=None):
    """Return torchvision's ResNet-18 for small grey images, without its own last layer.

    ``weights="IMAGENET1K_V1"`` downloads what it learned on ImageNet; what is replaced here starts
    anew.
    """
    from torchvision.models import resnet18

    network = resnet18(weights=weights)
    network.conv1 = nn.Conv2d(1, 64, 3, padding=1, bias=False)  # one channel, and no stride
    network.maxpool = nn.Identity()
    network.fc = nn.Identity()  # 512 outputs for the heads
    return network


# %%
# The models
# ----------
# ``module=`` takes a class with ``module_params=``, a function that returns a module, or an
# instance, whose weights are where training starts. The backbone has its own learning rate,
# ``module_lr``, and stays as it is for ``freeze_epochs``: that is for pretrained ones, which the
# first steps of untrained heads would only harm.

SMALL = {"module": SmallResidualNetwork, "module_params": {"width": 12}, "lr": 1e-2}
RESNET = {"module": torchvision_resnet, "lr": 3e-3, "module_lr": 1e-3}
PRETRAINED = {
    **RESNET, "module_params": {"weights": "IMAGENET1K_V1"}, "module_lr": 1e-4, "freeze_epochs": 3,
}  # fmt: skip

TOGETHER, APART, CONSTANT = "one network for all", "one network a task", "majority or mean"


def fit_together(settings, X, y, seed):
    """Return a function that predicts every task with one network."""
    return MultiTaskEstimator(**settings, random_state=seed).fit(X, y).predict


def fit_apart(settings, X, y, seed):
    """Return a function that predicts each task with a network of its own."""
    alone = {}
    for name in y:
        # rows without a label are left out of an epoch: more epochs make as many steps
        share = np.mean([value is not None for value in y[name]])
        equal = {**settings, "max_epochs": round(settings["max_epochs"] / share)}
        alone[name] = fit_together(equal, X, MultiTaskTarget({name: y[name]}), seed)
    return lambda rows: {name: predict(rows)[name] for name, predict in alone.items()}


def fit_constant(settings, X, y, seed):
    """Return a function that predicts the commonest class, or the mean."""

    def best(values):
        known = np.array([value for value in values if value is not None])
        if known.dtype.kind == "f":
            return known.mean()
        classes, counts = np.unique(known, return_counts=True)
        return classes[counts.argmax()]

    constant = {name: best(y[name]) for name in y}
    return lambda rows: {name: np.full(len(rows), value) for name, value in constant.items()}


FITS = {TOGETHER: fit_together, APART: fit_apart, CONSTANT: fit_constant}
SCORES = {"digit": accuracy_score, "parity": accuracy_score, "ink": r2_score}


def compare(settings, n_splits):
    """Return the scores (models, tasks, splits), seconds a model, and a look at the last split."""
    X, digit = load_tasks()
    scores, seconds = np.empty((len(FITS), len(SCORES), n_splits)), np.zeros(len(FITS))
    for seed in range(n_splits):
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(X))
        training, test = order[:1200], order[1200:]
        known = rng.random(len(X)) < 0.1
        y = make_labels(X, digit, known)[training]
        true = make_labels(X, digit, np.ones(len(X), bool))[test]
        for m, fit in enumerate(FITS.values()):
            begin = perf_counter()
            predicted = fit(settings, X[training], y, seed)(X[test])
            seconds[m] += (perf_counter() - begin) / n_splits
            for t, (name, score) in enumerate(SCORES.items()):
                scores[m, t, seed] = score(true[name], predicted[name])
            if m == 0:
                look = (X[test], true, predicted)
    return scores, seconds, look


# %%
# The picture
# -----------


def draw(scores, look):
    """Draw the scores of all models, and images with what one network says of them."""
    figure = plt.figure(figsize=(12, 4.5), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=[1, 1.1])
    axis = left.subplots()
    for m, name in enumerate(FITS):
        height = np.arange(len(SCORES)) + 0.22 * (m - 1)
        missed = 1 - scores[m]
        axis.plot(missed, height, "o", color=f"C{m}", alpha=0.4)
        axis.plot(missed.mean(axis=1), height, "|", color=f"C{m}", ms=16, mew=3, label=name)
    words = [
        f"{name}\n({'R²' if score is r2_score else 'accuracy'})" for name, score in SCORES.items()
    ]
    axis.set(yticks=np.arange(len(SCORES)), yticklabels=words, xscale="log")
    axis.set(xlabel="1 - score on the test images", title="dots: splits; bars: their mean")
    axis.invert_yaxis()
    axis.grid(axis="x", alpha=0.3)
    axis.legend(loc="upper left")
    X, true, predicted = look
    wrong = np.flatnonzero(true["digit"] != predicted["digit"])
    right_ones = np.flatnonzero(true["digit"] == predicted["digit"])
    shown = [*right_ones[: 15 - min(len(wrong), 5)], *wrong[:5]]
    right.suptitle("what one network says, and in red where it is wrong about the digit")
    for cell, row in zip(right.subplots(3, 5).flat, shown, strict=True):
        cell.imshow(X[row, 0], cmap="gray_r")
        cell.set(xticks=[], yticks=[])
        said = predicted["digit"][row]
        color = "k" if said == true["digit"][row] else "C3"
        ink, truth = predicted["ink"][row], true["ink"][row]
        cell.set_title(f"{said}, {predicted['parity'][row]}", fontsize=9, color=color)
        cell.set_xlabel(f"ink {ink:.1f} ({truth:.1f})", fontsize=8)
    OUTPUT.mkdir(exist_ok=True)
    figure.savefig(OUTPUT / "image_backbone.png", dpi=110)


def main():
    """Compare on digits, with the small backbone or a larger one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--resnet", action="store_true", help="torchvision's ResNet-18")
    parser.add_argument("--pretrained", action="store_true", help="that, trained on ImageNet")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--splits", type=int, default=2)
    given = parser.parse_args()
    backbone = PRETRAINED if given.pretrained else RESNET if given.resnet else SMALL
    settings = {**backbone, "max_epochs": given.epochs, "batch_size": 64, "early_stopping": False}
    scores, seconds, look = compare(settings, given.splits)
    print(f"{'':22s}" + "".join(f"{name:>16s}" for name in SCORES) + f"{'seconds':>10s}")
    for m, name in enumerate(FITS):
        cells = zip(scores[m].mean(axis=1), scores[m].std(axis=1), strict=True)
        row = "".join(f"{mean:9.3f} ({spread:.3f})" for mean, spread in cells)
        print(f"{name:22s}{row}{seconds[m]:10.1f}")
    gain = scores[0] - scores[1]
    print(
        f"\nOne network for all takes {seconds[0] / seconds[1]:.0%} of the time of one a task; its "
        f"scores differ by (mean and least of {given.splits} split(s)):"
    )
    for t, name in enumerate(SCORES):
        print(f"  {name:8s}{gain[t].mean():+.3f} {gain[t].min():+.3f}")
    draw(scores, look)


if __name__ == "__main__":
    main()
