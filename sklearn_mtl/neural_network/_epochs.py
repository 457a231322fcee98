"""What happened in each epoch: told to callbacks, and shown as history."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np


class EpochReport:
    """Tells scikit-learn's callbacks of each epoch."""

    def __init__(self, estimator: Any, context: Any, report: dict[str, Any]) -> None:
        self.estimator = estimator
        self.context = context
        self.report = report
        self.n_epochs = 0

    def begin(self) -> None:
        """Announce an epoch."""
        self.epoch = self.context.subcontext(task_name="epoch")
        self.epoch.call_on_fit_task_begin(
            estimator=self.estimator, reconstruction_attributes=self._snapshot, **self.report
        )

    def end(self) -> bool:
        """Report it; True asks to stop."""
        self.n_epochs += 1
        return self.epoch.call_on_fit_task_end(
            estimator=self.estimator, reconstruction_attributes=self._snapshot, **self.report
        )

    def _snapshot(self) -> dict[str, Any]:
        # a copy: a callback may keep the estimator while training goes on
        return {"_network": self.estimator._network.snapshot()}


def task_history(names: Sequence[Hashable], epochs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what skorch recorded, an array over epochs for each task.

    Epochs without a held-out part have NaN for validation losses, which are left out where no epoch
    had one.
    """
    result: dict[str, Any] = {}
    for key, part in (("train", "train"), ("validation", "valid")):
        if not any(f"{part}_loss" in epoch for epoch in epochs):
            continue
        nothing = [np.nan] * len(names)
        table = np.array([epoch.get(f"{part}_task_losses", nothing) for epoch in epochs])
        result[key] = dict(zip(names, table.T, strict=True))
        result[f"{key}_loss"] = np.array([epoch.get(f"{part}_loss", np.nan) for epoch in epochs])
    weights = np.array([epoch.get("task_weights", [np.nan] * len(names)) for epoch in epochs])
    result["weight"] = dict(zip(names, weights.reshape(-1, len(names)).T, strict=True))
    for key in ("gradient_cosine", "task_affinity"):
        if any(key in epoch for epoch in epochs):
            unknown = np.full((len(names), len(names)), np.nan)
            result[key] = np.array([epoch.get(key, unknown) for epoch in epochs])
    result["lr"] = np.array([epoch["lr"] for epoch in epochs])
    if any("module_lr" in epoch for epoch in epochs):
        result["module_lr"] = np.array([epoch.get("module_lr", epoch["lr"]) for epoch in epochs])
    result["seconds"] = np.array([epoch["dur"] for epoch in epochs])
    return result
