"""Imports point downward, torch lives in `nn`, and public names cost nothing until used."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sklearn_mtl

ROOT = Path(sklearn_mtl.__file__).parent

LAYERS = {
    "exceptions": 0,
    "utils": 0,
    "tasks": 1,
    "convex": 2,
    "bayes": 2,
    "nn": 2,
    "linear_model": 3,
    "neural_network": 3,
    "compose": 3,
    "metrics": 3,
    "model_selection": 3,
    "inspection": 3,
    "persistence": 3,
    "": 4,  # sklearn_mtl/__init__.py
}
ESTIMATORS = {"linear_model", "neural_network", "compose"}
ASK_NO_ESTIMATOR = {"metrics", "inspection", "persistence", "model_selection"}
# comparisons wrap what they are given, a task at a time; wrappers never import comparisons
MAY_WRAP = {"model_selection"}
TORCH = {"torch", "skorch", "torchjd"}


class Imports(ast.NodeVisitor):
    """Collects (module, line, lazy) for every import; lazy ones run inside a function."""

    def __init__(self, package):
        self.package = package
        self.found = []
        self._depth = 0

    def _function(self, node):
        self._depth += 1
        self.generic_visit(node)
        self._depth -= 1

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = _function

    def visit_If(self, node):
        # what stands under TYPE_CHECKING is never run
        if not (isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
            self.generic_visit(node)
        else:
            for part in node.orelse:
                self.visit(part)

    def visit_Import(self, node):
        self._add(node, [alias.name for alias in node.names])

    def visit_ImportFrom(self, node):
        module = node.module or ""
        if node.level:
            parts = self.package[: len(self.package) - node.level + 1]
            module = ".".join([*parts, *([module] if module else [])])
        self._add(node, [f"{module}.{alias.name}" for alias in node.names])

    def visit_Call(self, node):
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        first = node.args[0] if node.args else None
        if name in ("import_module", "__import__") and isinstance(first, ast.Constant):
            self._add(node, [first.value])
        self.generic_visit(node)

    def _add(self, node, modules):
        self.found += [(module, node.lineno, self._depth > 0) for module in modules]


def part_of(module):
    """Return the part of the package that a module is in, None for other packages."""
    names = module.split(".")
    if names[0] != "sklearn_mtl":
        return None
    return names[1] if len(names) > 1 and names[1] in LAYERS else ""


def forbidden(part, module, lazy):
    """Return why code in `part` may not import `module`, or None."""
    top, other = module.split(".")[0], part_of(module)
    if top in TORCH and part != "nn":
        return f"only nn names {top}"
    if other is None or other == part:
        return None
    if "nn" in (part, other) and {part, other} & {"convex", "bayes"}:
        return "nn and what is fitted without torch never import each other"
    if (part, other) == ("convex", "bayes"):
        return "bayes builds on the statistics of convex"
    if LAYERS[other] > LAYERS[part]:
        # names in sklearn_mtl itself: its version and public names belong to whoever is above
        return "imports point downward"
    if part == "compose" and other in MAY_WRAP:
        return f"{other} builds on compose"
    if part in MAY_WRAP and other == "compose":
        return None
    if part in ASK_NO_ESTIMATOR and other in ESTIMATORS:
        return f"{part} uses public attributes of estimators, it never imports them"
    if other == "nn" and not lazy:
        return "nn is imported inside functions, so that torch loads when a network is fitted"
    return None


def imports_of(source, relative):
    parts = ("sklearn_mtl", *relative.with_suffix("").parts)
    visitor = Imports(parts[:-1])
    visitor.visit(ast.parse(source))
    return visitor.found


FILES = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.py"))


@pytest.mark.parametrize("relative", FILES, ids=str)
def test_imports_point_downward(relative):
    part = relative.parts[0].removesuffix(".py").replace("__init__", "")
    assert part in LAYERS, f"sklearn_mtl/{part} has no layer; add it to LAYERS"
    source = (ROOT / relative).read_text(encoding="utf-8")
    bad = [
        f"sklearn_mtl/{relative}:{line} imports {module}: {reason}"
        for module, line, lazy in imports_of(source, relative)
        if (reason := forbidden(part, module, lazy))
    ]
    assert not bad, "\n".join(bad)


@pytest.mark.parametrize(
    ("source", "where", "allowed"),
    [
        ("from sklearn_mtl.tasks import TaskData", "utils/_x.py", False),
        ("from sklearn_mtl.nn import build", "tasks/_x.py", False),
        ("from sklearn_mtl import nn", "convex/_x.py", False),
        ("from ..convex import _stats", "nn/_x.py", False),
        ("from sklearn_mtl.bayes import learn", "convex/_x.py", False),
        ("from sklearn_mtl import bayes", "nn/_x.py", False),
        ("from sklearn_mtl.convex import GramStats", "bayes/_x.py", True),
        ("def f():\n    from sklearn_mtl.convex import GramStats", "nn/sharing/_x.py", False),
        ("from sklearn_mtl.neural_network import MultiTaskRegressor", "metrics/_x.py", False),
        ("from sklearn_mtl import MultiTaskRegressor", "metrics/_x.py", False),
        ("from sklearn_mtl.linear_model import LowRankRegressor", "model_selection/_x.py", False),
        ("from sklearn_mtl.model_selection import MultiTaskKFold", "compose/_x.py", False),
        ("from sklearn_mtl.compose import IndependentTasks", "model_selection/_x.py", True),
        ("from sklearn_mtl.compose import IndependentTasks", "inspection/_x.py", False),
        ("from sklearn_mtl.neural_network import MultiTaskRegressor", "persistence/_x.py", False),
        ("import torch", "tasks/_x.py", False),
        ("def f():\n    import torch", "neural_network/_x.py", False),
        ("from skorch.callbacks import EarlyStopping", "linear_model/_x.py", False),
        ("from sklearn_mtl.nn import build", "neural_network/_x.py", False),
        ("from importlib import import_module\nimport_module('torch')", "compose/_x.py", False),
        ("def f():\n    from sklearn_mtl.nn import build", "neural_network/_x.py", True),
        ("import torch\nfrom sklearn_mtl.tasks import TaskSpec", "nn/_x.py", True),
        ("from . import _y\nfrom .._z import y", "nn/sharing/_x.py", True),
        ("from sklearn_mtl.metrics import score_per_task", "compose/_x.py", True),
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch",
            "neural_network/_x.py",
            True,
        ),
    ],
)
def test_the_walk_sees_a_forbidden_import(source, where, allowed):
    relative = Path(where)
    found = imports_of(source, relative)
    reasons = [forbidden(relative.parts[0], module, lazy) for module, _, lazy in found]
    assert any(reasons) is not allowed


def in_a_fresh_process(code):
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_public_names_need_no_optional_package_and_load_no_torch():
    in_a_fresh_process("""
import sys
# scikit-learn loads pandas where it finds it; where it finds none, nothing of ours may miss it
for package in ("matplotlib", "pandas", "polars", "pyarrow"):
    sys.modules[package] = None
import sklearn_mtl
assert sorted(sklearn_mtl.__all__) == sklearn_mtl.__all__
assert set(sklearn_mtl.__all__) <= set(dir(sklearn_mtl))
for name in sklearn_mtl.__all__:
    getattr(sklearn_mtl, name)
loaded = {name.split(".")[0] for name in sys.modules} & {"torch", "skorch", "torchjd"}
assert not loaded, f"imported: {loaded}"
""")


def test_the_package_itself_imports_nothing_heavy():
    in_a_fresh_process("""
import sys
import sklearn_mtl
for package in ("numpy", "scipy", "sklearn", "torch"):
    assert package not in sys.modules, package
""")


def test_estimators_are_made_cloned_and_printed_without_torch():
    printed = in_a_fresh_process("""
import inspect, sys
import sklearn_mtl
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LinearRegression
from sklearn.utils import estimator_html_repr

for name in sklearn_mtl.__all__:
    public = getattr(sklearn_mtl, name)
    if not (inspect.isclass(public) and issubclass(public, BaseEstimator)):
        continue
    required = [
        p.name
        for p in inspect.signature(public).parameters.values()
        if p.default is p.empty and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    ]
    assert required in ([], ["estimator"], ["estimators"]), f"{name} requires {required}"
    given = {"estimator": LinearRegression(), "estimators": [("ols", LinearRegression())]}
    estimator = public(*[given[parameter] for parameter in required])
    assert repr(clone(estimator)) == repr(estimator)
    estimator_html_repr(estimator)
    estimator.get_params()
    print(name)
    assert "torch" not in sys.modules, f"{name} imported torch"
""")
    assert "MultiTaskRegressor" in printed.split()


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'MultiTaskRegresor'"):
        _ = sklearn_mtl.MultiTaskRegresor
