"""
A model that travels: files for others, and for small devices
=============================================================

You will learn three ways to hand on a fitted model: a pickle, for yourself; a file of skops, which
others can load without running what is in it; and an ONNX file, which runs on phones and small
devices without Python. What each weighs, how long one row takes, and that all predict the same.

The data are scikit-learn's diabetes: 442 patients, the progression of their disease a year later,
and whether a doctor called it severe, which was asked of three patients in four.
"""

from pathlib import Path
from time import perf_counter

import joblib
import matplotlib
import numpy as np
import onnxruntime
import skops.io
from sklearn.datasets import load_diabetes

from sklearn_mtl import MultiTaskEstimator, MultiTaskTarget, skops_trusted_types, to_onnx

matplotlib.use("Agg")
import matplotlib.pyplot as plt

OUTPUT = Path(__file__).parent / "output"

# %%
# The model
# ---------

started = perf_counter()
X, progression = load_diabetes(return_X_y=True)
severe = np.where(progression > 140, "yes", "no").astype(object)
severe[::4] = None
y = MultiTaskTarget({"progression": progression, "severe": severe})
model = MultiTaskEstimator(numeric_embedding=None, random_state=0).fit(X, y)
expected, probabilities = model.predict(X), model.predict_proba(X)["severe"]

# %%
# The files
# ---------
# ``trim`` drops what only further training needs. A file of skops is loaded with a list of types
# that may be in it; here those of this package. A type that is not in the list is an error.

OUTPUT.mkdir(exist_ok=True)
paths = {
    "pickle": OUTPUT / "diabetes.joblib",
    "pickle, trimmed": OUTPUT / "diabetes_trimmed.joblib",
    "skops, trimmed": OUTPUT / "diabetes.skops",
    "ONNX": OUTPUT / "diabetes.onnx",
}
joblib.dump(model, paths["pickle"])
model.trim()
joblib.dump(model, paths["pickle, trimmed"])
skops.io.dump(model, paths["skops, trimmed"])
to_onnx(model, paths["ONNX"])
sizes = {name: path.stat().st_size / 1024 for name, path in paths.items()}

again = skops.io.load(paths["skops, trimmed"], trusted=skops_trusted_types()).predict(X)
print(
    f"skops: the same predictions: {np.array_equal(again['progression'], expected['progression'])}"
)

# %%
# Without Python
# --------------
# One input, and an output for each task. This part needs numpy and onnxruntime alone; the same file
# runs from C++, Java, Swift or a browser.

session = onnxruntime.InferenceSession(str(paths["ONNX"]))
names = [output.name for output in session.get_outputs()]
outputs = dict(zip(names, session.run(None, {"X": X.astype(np.float32)}), strict=True))
print(f"ONNX: input {session.get_inputs()[0].shape}, outputs {names}")
error = np.abs(outputs["progression"] - expected["progression"]).max() / progression.std()
print(f"ONNX: progression differs by {error:.0e} of its spread at most")
print(f"ONNX: the same classes: {list(outputs['severe']) == list(expected['severe'])}")


def milliseconds(predict, n_times=200):
    """Return the median time of a call."""
    times = []
    for _ in range(n_times):
        began = perf_counter()
        predict()
        times.append(1e3 * (perf_counter() - began))
    return float(np.median(times))


row = X[:1].astype(np.float32)
times = {
    "predict, Python": milliseconds(lambda: model.predict(row)),
    "ONNX": milliseconds(lambda: session.run(None, {"X": row})),
}
for name, size in sizes.items():
    print(f"{name:16} {size:6.0f} KiB")
for name, time in times.items():
    print(f"{name:16} {time:6.2f} ms a row")
print(f"{perf_counter() - started:.0f} s")

# %%
# The picture
# -----------

figure, panels = plt.subplots(1, 2, figsize=(9, 2.8), layout="constrained")
for panel, measured, label in zip(panels, (sizes, times), ("KiB", "ms for one row"), strict=True):
    bars = panel.barh(list(measured), list(measured.values()), color="#0072B2")
    panel.bar_label(bars, fmt="%.3g", padding=3)
    panel.set(xlabel=label)
    panel.margins(x=0.15)
    panel.invert_yaxis()
    panel.spines[["top", "right"]].set_visible(False)
figure.savefig(OUTPUT / "deployment.png", dpi=120)
print(f"picture: {OUTPUT / 'deployment.png'}")
