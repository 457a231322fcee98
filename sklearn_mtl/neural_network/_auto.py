"""What "auto" stands for: rules chosen by measurement on small tables, wine and school.

The sets were Mulan's andro, edm, slump, scpf and osales, 49 to 1,137 rows; the README has figures.
"""

from typing import Any

import numpy as np

# Below this many labelled rows a held-out tenth says too little to stop by: of the sets tried, one
# of 511 training rows did better without, one of 909 with it.
EARLY_STOPPING_ROWS = 700
# Without held-out rows, what small sets can take before they are learned by heart.
STEPS = 400
# Beyond these several networks, and several numbers for each feature, cost more than they gain.
ENSEMBLE_ROWS = 10_000
EMBEDDED_FEATURES = 500


def early_stopping(value: Any, n_rows: int) -> bool:
    """Return whether to hold rows out: "auto" does from 700 labelled rows."""
    return n_rows >= EARLY_STOPPING_ROWS if isinstance(value, str) else bool(value)


def batch_size(value: Any, n_rows: int) -> int:
    """Return the most rows in a step: "auto" makes about 50 steps an epoch, within 32 and 256."""
    if value != "auto":
        return int(value)
    # within what is neither noisy nor slow
    return int(np.clip(2 ** round(np.log2(max(n_rows, 1) / 50)), 32, 256))


def max_epochs(value: Any, n_rows: int, rows_a_step: int, *, held_out: bool) -> int:
    """Return the epochs: "auto" is 100 with held-out rows, else 400 steps, at least 20 epochs."""
    if value != "auto":
        return int(value)
    if held_out:
        return 100
    steps = -(-n_rows // rows_a_step)
    return max(20, round(STEPS / max(steps, 1)))


def n_estimators(value: Any, n_rows: int, module: Any, *, compiled: bool) -> int:
    """Return the number of networks: "auto" is 4 up to 10,000 rows, and 1 beyond.

    A module of the caller's own is one too, and so is what torch.compile translates, which is no
    ensemble.
    """
    if value != "auto":
        return int(value)
    return 4 if module is None and not compiled and n_rows <= ENSEMBLE_ROWS else 1


def numeric_embedding(value: Any, n_features: int, module: Any) -> Any:
    """Return the embedding: "auto" is "periodic" up to 500 features, none with a module."""
    if not (isinstance(value, str) and value == "auto"):
        return value
    return "periodic" if module is None and n_features <= EMBEDDED_FEATURES else None
