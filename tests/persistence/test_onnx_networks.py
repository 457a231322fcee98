"""Networks in files compute what they predict here, whatever their scheme and backbone."""

import logging
import warnings

import numpy as np
import pytest
import torch
from persistence._onnx import SMALL, assert_exports, mixed
from torch import nn

from sklearn_mtl import MultiTaskClassifier, MultiTaskEstimator, MultiTaskRegressor, to_onnx
from sklearn_mtl.neural_network.numeric_embedding import NUMERIC_EMBEDDINGS
from sklearn_mtl.neural_network.sharing import SHARING
from sklearn_mtl.persistence._values import ACTIVATED
from sklearn_mtl.tasks._activations import ACTIVATIONS


# of each kind one: a step of "cascade" less than tasks, since the exporter takes its time for each
@pytest.mark.parametrize("sharing", ["mmoe", "cascade"])
def test_networks_of_mixed_tasks(sharing, path):
    X, y = mixed()
    del y["price"]
    model = MultiTaskEstimator(**SMALL, sharing=sharing).fit(X, y)
    assert_exports(model, X, path, ["float32"])


def test_ensembles_embeddings_and_smoothly_clipped_inputs(path):
    X, y = mixed()
    params = {
        "n_estimators": 2, "numeric_embedding": "piecewise_linear", "input_scaling": "smooth_clip"
    }  # fmt: skip
    model = MultiTaskEstimator(**{**SMALL, **params}).fit(X, y)
    # members in turn, each rounded to float32 in its own way
    assert_exports(model, X, path, ["float64"])


@pytest.mark.parametrize(
    "params",
    [{"sharing": sharing} for sharing in SHARING]
    + [{"numeric_embedding": embedding} for embedding in NUMERIC_EMBEDDINGS],
    ids=lambda params: "-".join(params.values()),
)
def test_every_scheme_and_embedding_is_traced_for_any_number_of_rows(params):
    X, y = mixed()
    net = MultiTaskEstimator(**{**SMALL, **params}).fit(X, y).net_
    module = net.inference_module(torch.float32)
    rows = torch.tensor(X, dtype=torch.float32)
    free = ({0: torch.export.Dim("n")},)
    # what to_onnx begins with; it takes ten times as long to write the operators of what is traced
    program = torch.export.export(module, (rows[:3],), dynamic_shapes=free, strict=False).module()
    for part in (rows, rows[:1]):
        # operators are the same, but sums of one row and of many may be in another order
        torch.testing.assert_close(program(part), module(part), rtol=1e-5, atol=1e-5)


class Images(nn.Module):
    """A backbone with batch normalisation, for images of any size."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )

    def forward(self, x):
        return self.layers(x)


def test_an_ensemble_with_batch_normalisation_reads_images(path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2, 5, 5)).astype(np.float32)
    y = {"sum": X.sum((1, 2, 3)), "sign": np.where(X[:, 0].sum((1, 2)) > 0, 7, -7)}
    model = MultiTaskEstimator(
        module=Images, **{**SMALL, "n_estimators": 2, "numeric_embedding": None}
    ).fit(X, y)
    assert_exports(model, X, path, ["float32"])


def test_output_activations(path):
    X, _ = mixed()
    labels = np.random.default_rng(0).uniform(size=(len(ACTIVATIONS), len(X)))
    model = MultiTaskRegressor(**SMALL, output_activation={name: name for name in ACTIVATIONS})
    model.fit(X, dict(zip(ACTIVATIONS, labels, strict=True)))
    assert_exports(model, X, path, ["float32"])


def test_every_activation_has_a_form_in_the_graph():
    assert ACTIVATED.keys() == ACTIVATIONS.keys()


def test_exporting_leaves_the_model_and_the_process_as_they_were(path, capfd):
    X, y = mixed()
    model = MultiTaskClassifier(**SMALL).fit(X, {"good": y["good"]})
    before, state = model.predict_proba(X)["good"], torch.random.get_rng_state()
    level, filters = logging.root.manager.disable, list(warnings.filters)
    to_onnx(model, path)
    assert np.array_equal(model.predict_proba(X)["good"], before)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert logging.root.manager.disable == level
    assert warnings.filters == filters
    assert tuple(capfd.readouterr()) == ("", "")
