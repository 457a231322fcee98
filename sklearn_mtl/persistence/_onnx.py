import json
import os
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_mtl.exceptions import MissingBackendError
from sklearn_mtl.persistence._decode import (
    PROBABILITIES,
    class_labels,
    decode,
    inner_prefix,
    output_names,
)
from sklearn_mtl.persistence._graph import DOUBLE, Graph
from sklearn_mtl.persistence._steps import unwrap, write_step
from sklearn_mtl.persistence._values import values_of
from sklearn_mtl.tasks._exported import Exportable, Exported, NetworkOutputs
from sklearn_mtl.tasks._layout import LONG
from sklearn_mtl.utils._validation import check_option

OPSETS = range(18, 21)  # 18: reductions take axes as inputs; 20: the newest that was tested


def to_onnx(
    estimator: Any, path: str | os.PathLike[str], *, dtype: str = "float32", opset: int = 20
) -> Path:
    """Write a fitted model to an ONNX file, which other programs run without Python.

    The file has one input, ``X``, of as many rows n as come, and outputs for each task of that
    task's name: predicted numbers (n,) in the units of the labels, or predicted labels (n,) with
    ``<task>_probabilities`` (n, n_classes) in the order of the task's classes. The standardisation
    of features and labels is in it. Task names that are not text are written as text.

    Predictions are those of the estimator to 1e-5 of their scale, for X in the file's `dtype`.

    Parameters
    ----------
    estimator : fitted estimator
        A network or a linear model of this package; a search over one; or a Pipeline that ends
        with one, after StandardScaler, MinMaxScaler or SimpleImputer.
    path : str or path
        The file. One that exists is replaced when the new one is whole.
    dtype : {"float32", "float64"}, default="float32"
        Of X, of predicted numbers and of probabilities.
    opset : int, default=20
        Version of ONNX's operators, 18 to 20: what the program that reads the file must know.

    Returns
    -------
    path : pathlib.Path

    Raises
    ------
    NotFittedError
        An estimator without ``fit``.
    TypeError, ValueError
        A model that cannot be exported: meta-estimators, kernels, a Bayesian classifier of three
        classes or more, a module that torch cannot translate, other steps of a pipeline, labels
        that are neither numbers nor text, task names that are equal as text. Nothing is written.
    OSError
        A path that cannot be written.
    MissingBackendError
        Without the packages of ``pip install "sklearn_mtl[onnx]"``.

    Notes
    -----
    Of a model in long form, or of tasks with rows of their own, the file takes the features without
    the column that says each row's task, and gives the outputs of all tasks for every row: read
    that of the row's task. Tasks that ``fit`` never saw are not in the file.

    The metadata of the file (``metadata_props``) hold the version of the package, the class of the
    estimator and, as JSON, the tasks with their kinds and classes, and the names of the features.

    Features are centred, and linear models are computed, in double precision, so that features with
    large means lose no digits; so are labels made. Weights of networks are those of `dtype`. The
    average of a Bayesian classifier takes the error function in single precision.

    Examples
    --------
    >>> import numpy as np
    >>> import onnxruntime
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn_mtl import LowRankRegressor, to_onnx
    >>> X = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    >>> model = LowRankRegressor().fit(X, {"price": X @ [1, 2, 0], "weight": X @ [2, 4, 1]})
    >>> with TemporaryDirectory() as folder:
    ...     path = to_onnx(model, folder + "/model.onnx")
    ...     session = onnxruntime.InferenceSession(path)
    >>> price, weight = session.run(["price", "weight"], {"X": X})
    >>> np.allclose(price, model.predict(X)["price"], atol=1e-5)
    True
    """
    check_option(dtype, ("float32", "float64"), parameter="dtype", owner="to_onnx")
    if opset not in OPSETS:
        raise ValueError(f"opset must be {OPSETS.start} to {OPSETS.stop - 1}, got {opset!r}.")
    check_is_fitted(estimator)
    steps, model = unwrap(estimator)
    check_is_fitted(model)
    if not isinstance(model, Exportable):
        raise TypeError(
            f"to_onnx exports the networks and the linear models of sklearn_mtl, found "
            f"{type(model).__name__}; export the estimators that it is made of, where these are "
            "such, or keep the model with skops."
        )
    exported = model._exported()
    if steps and exported.layout.rows == LONG:
        raise ValueError(
            "The pipeline has steps before a model in long form, which see the column that says "
            "each row's task; the exported model takes X without it. Export the model alone, and "
            "apply the steps to X before."
        )
    output_names(exported)
    for task in exported.layout.tasks:
        class_labels(task)
    _check_packages(exported)
    proto = _model(exported, steps, model, np.dtype(dtype), opset)
    return _write(proto, Path(path))


def _check_packages(exported: Exported) -> None:
    try:
        import onnx  # noqa: F401

        if isinstance(exported.outputs, NetworkOutputs):
            import onnxscript  # noqa: F401
    except ImportError as error:
        raise MissingBackendError(
            f"to_onnx needs packages that are not installed ({error}); install them with: "
            'pip install "sklearn_mtl[onnx]"'
        ) from error


def _model(
    exported: Exported, steps: Sequence[Any], estimator: Any, dtype: np.dtype, opset: int
) -> Any:
    """Return the model, checked, as onnx.ModelProto."""
    from onnx import checker, helper

    graph, rows = Graph(inner_prefix(output_names(exported))), "X"
    if steps:
        rows = graph.cast(rows, DOUBLE)
        for step in steps:
            rows = write_step(graph, rows, step)
        rows = graph.cast(rows, dtype)
    decode(graph, values_of(graph, rows, exported, dtype, opset), exported, dtype)
    kind = helper.np_dtype_to_tensor_dtype(dtype)
    given = helper.make_tensor_value_info("X", kind, ["n", *exported.input_shape])
    body = helper.make_graph(
        graph.nodes, type(estimator).__name__, [given], graph.outputs, graph.constants
    )
    opsets = [helper.make_opsetid("", opset)]
    proto = helper.make_model(
        body,
        opset_imports=opsets,
        ir_version=helper.find_min_ir_version_for(opsets),
        producer_name="sklearn_mtl",
        producer_version=version("sklearn_mtl"),
    )
    helper.set_model_props(proto, _metadata(exported, estimator))
    checker.check_model(proto, full_check=True)
    return proto


def _metadata(exported: Exported, estimator: Any) -> dict[str, str]:
    tasks = []
    for task, name in zip(exported.layout.tasks, output_names(exported), strict=True):
        entry: dict[str, Any] = {"name": name, "kind": task.kind}
        labels = class_labels(task)
        if labels is not None:
            entry |= {"classes": labels.tolist(), "probabilities": name + PROBABILITIES}
        tasks.append(entry)
    return {
        "sklearn_mtl_version": version("sklearn_mtl"),
        "estimator": type(estimator).__name__,
        "tasks": json.dumps(tasks),
        "feature_names": json.dumps(exported.feature_names),
    }


def _write(proto: Any, path: Path) -> Path:
    """Write beside the file, and put the result in its place when it is whole."""
    content = proto.SerializeToString()
    beside = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        try:
            beside.write_bytes(content)
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        # the path that the caller knows, not that of the file beside it
        raise OSError(error.errno, error.strerror, str(path)) from None
    return path
