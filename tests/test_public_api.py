"""What the package shows: names, docstrings that list every parameter, plain constructors."""

import inspect
import pickle
import re
from importlib import import_module
from pathlib import Path

import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.utils._param_validation import InvalidParameterError

import sklearn_mtl
from sklearn_mtl import convex, neural_network
from sklearn_mtl.neural_network.balancing import BALANCING
from sklearn_mtl.neural_network.numeric_embedding import NUMERIC_EMBEDDINGS
from sklearn_mtl.neural_network.sharing import SHARING

PUBLIC = {name: getattr(sklearn_mtl, name) for name in sklearn_mtl.__all__}
ERRORS = {
    name: obj
    for name, obj in PUBLIC.items()
    if isinstance(obj, type) and issubclass(obj, Exception)
}
CALLED = {name: obj for name, obj in PUBLIC.items() if name not in ERRORS}
ESTIMATORS = {
    name: obj
    for name, obj in PUBLIC.items()
    if isinstance(obj, type) and issubclass(obj, BaseEstimator)
}
NETWORKS = [name for name in ESTIMATORS if "neural_network" in ESTIMATORS[name].__module__]
LINEAR = [name for name in ESTIMATORS if "linear_model" in ESTIMATORS[name].__module__]
# whose prior is learned: they have neither penalties nor what solves for them
BAYESIAN = [name for name in LINEAR if name.startswith("Bayesian")]
PENALISED = [name for name in LINEAR if name not in BAYESIAN]
# public in their own module: names such as Ridge would hide scikit-learn's at the top
ENGINE = {name: getattr(convex, name) for name in convex.__all__}
# what parameters of the networks take: sharing schemes, balancing methods, embeddings
PARTS = {name: getattr(neural_network, name) for name in neural_network.__all__}
DOCUMENTED = {**CALLED, **ENGINE, **PARTS}
README = Path(__file__).parents[1] / "README.md"


def sections(docstring):
    """Return {title: text} of a numpydoc docstring."""
    parts = re.split(r"^(\S[^\n]*)\n-{3,}\n", inspect.cleandoc(docstring), flags=re.M)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def listed(section):
    """Return the names that a Parameters, Attributes or Methods section lists."""
    heads = re.findall(r"^([\w*][^\n]*?)(?: : [^\n]*)?$", section, flags=re.M)
    return [name.strip() for head in heads for name in head.split(",")]


def parameters(obj):
    return list(inspect.signature(obj).parameters)


def test_the_parser_reads_numpydoc():
    doc = """Summary.

    Parameters
    ----------
    X, y : array
        Text: of a kind.
    seed : int, default=None
    """
    assert listed(sections(doc)["Parameters"]) == ["X", "y", "seed"]


def test_every_public_name_is_listed_once_and_can_be_imported():
    assert sklearn_mtl.__all__ == sorted(set(sklearn_mtl.__all__))
    assert set(sklearn_mtl.__all__) <= set(dir(sklearn_mtl))
    for name, obj in PUBLIC.items():
        assert obj.__name__ == name
        assert obj.__module__.startswith("sklearn_mtl.")


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'MultiTaskRegresor'"):
        sklearn_mtl.MultiTaskRegresor  # noqa: B018


@pytest.mark.parametrize(
    "module",
    [
        "compose",
        "convex",
        "inspection",
        "linear_model",
        "metrics",
        "model_selection",
        "neural_network",
        "persistence",
        "tasks",
        "nn",
    ],
)
def test_every_name_of_a_public_module_is_there_and_documented(module):
    module = import_module(f"sklearn_mtl.{module}")
    assert len(module.__all__) == len(set(module.__all__))
    for name in module.__all__:
        obj = getattr(module, name)
        assert not callable(obj) or inspect.getdoc(obj), name


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_a_docstring_that_begins_with_one_sentence(name):
    summary = inspect.getdoc(PUBLIC[name]).split("\n\n")[0]
    assert summary.endswith(".")
    assert len(summary) < 120


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_parameter_is_in_the_docstring_in_the_order_of_the_signature(name):
    found = sections(DOCUMENTED[name].__doc__)
    documented = listed(found.get("Parameters", found.get("Attributes", "")))
    asked = parameters(DOCUMENTED[name])
    assert [entry for entry in documented if entry in asked] == asked
    if "Parameters" in found:
        assert documented == asked


@pytest.mark.parametrize("name", DOCUMENTED)
def test_defaults_in_the_docstring_are_those_of_the_signature(name):
    text = sections(DOCUMENTED[name].__doc__).get("Parameters", "")
    for parameter in inspect.signature(DOCUMENTED[name]).parameters.values():
        line = re.search(rf"^(?:.*, )?{parameter.name}(?:,.*)? : (.*)$", text, flags=re.M)
        if line is None or "default=" not in line[1]:
            continue
        told = line[1].split("default=")[1].strip("\"'")
        words = isinstance(parameter.default, str) or not re.fullmatch(r"[-\d.e]+", told)
        if told in ("None", "True", "False") or words:
            assert told == str(parameter.default)
        else:
            assert float(told) == parameter.default


@pytest.mark.parametrize("name", {**CALLED, **PARTS})
def test_every_public_name_has_an_example_that_runs_as_a_doctest(name):
    assert ">>> " in sections(DOCUMENTED[name].__doc__)["Examples"]


@pytest.mark.parametrize("registry", [SHARING, BALANCING, NUMERIC_EMBEDDINGS])
def test_every_word_of_a_parameter_is_an_object_that_says_so(registry):
    for word, option in registry.items():
        assert f'="{word}"``' in inspect.getdoc(option).split("\n\n")[0]
        assert option.__name__ in neural_network.__all__
        assert f'`"{word}"`' in README.read_text(encoding="utf-8"), word


@pytest.mark.parametrize("name", ESTIMATORS)
def test_constructors_take_no_bags_of_arguments(name):
    kinds = {
        parameter.kind for parameter in inspect.signature(ESTIMATORS[name]).parameters.values()
    }
    assert kinds <= {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_public_methods_are_documented_with_every_parameter(name):
    for method, function in inspect.getmembers(ESTIMATORS[name], inspect.isfunction):
        if method.startswith("_") or not function.__module__.startswith("sklearn_mtl"):
            continue
        found = sections(function.__doc__)
        asked = [p for p in parameters(function) if p != "self"]
        documented = [entry.lstrip("*") for entry in listed(found.get("Parameters", ""))]
        assert set(asked) == set(documented), (name, method)
        assert "Returns" in found, (name, method)


def made(name):
    """An estimator whose parameters are all objects of their own, valid or not."""
    estimator = ESTIMATORS[name]
    return estimator(**{parameter: Marker(parameter) for parameter in parameters(estimator)})


class Marker:
    """A parameter value that knows where it belongs."""

    def __init__(self, name):
        self.name = name

    def __eq__(self, other):
        return isinstance(other, Marker) and other.name == self.name

    __hash__ = object.__hash__


@pytest.mark.parametrize("name", ESTIMATORS)
def test_constructors_store_what_they_are_given(name):
    model = made(name)
    for parameter in parameters(ESTIMATORS[name]):
        assert getattr(model, parameter) == Marker(parameter)
    assert set(vars(model)) == set(parameters(ESTIMATORS[name]))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_clones_and_pickles_keep_every_parameter(name):
    model = made(name)
    for copy in (clone(model), pickle.loads(pickle.dumps(model))):
        assert copy.get_params(deep=False) == model.get_params(deep=False)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_parameter_of_a_network_is_checked(name):
    network = ESTIMATORS[name]
    assert set(network._parameter_constraints) == set(parameters(network))
    for parameter in parameters(network):
        with pytest.raises(InvalidParameterError, match=f"'{parameter}' parameter of {name}"):
            network(**{parameter: object()}).fit([[0.0], [1.0]], [0, 1])


@pytest.mark.parametrize("name", LINEAR)
def test_every_parameter_of_a_linear_estimator_is_checked(name):
    estimator = ESTIMATORS[name]
    for parameter in parameters(estimator):
        # a graph has many forms, and cv too: what reads them refuses the others
        errors = (ValueError, TypeError)
        with pytest.raises(errors, match=f"\\b{parameter}\\b"):
            estimator(**{parameter: object()}).fit([[0.0], [1.0], [2.0]] * 4, [0, 1, 1] * 4)


@pytest.mark.parametrize(
    "family", [NETWORKS, PENALISED, BAYESIAN], ids=["networks", "penalised", "bayesian"]
)
def test_a_family_shares_parameters_defaults_and_words(family):
    # strengths have their own default where the loss has another scale; a search takes lists
    own = {"alpha", "gamma", "alpha_shared", "alpha_specific", "penalty", "alphas", "l1_ratio"}
    signatures = [inspect.signature(ESTIMATORS[name]).parameters for name in family]
    texts = [ESTIMATORS[name].__doc__ for name in family]
    for parameter in {name for signature in signatures for name in signature} - own:
        defaults = {
            repr(signature[parameter].default) for signature in signatures if parameter in signature
        }
        entry = rf"^    {parameter} : .*\n(?:        .*\n)*"
        found = {match[0] for text in texts if (match := re.search(entry, text, flags=re.M))}
        assert len(defaults) == len(found) == 1, parameter


@pytest.mark.parametrize("name", PUBLIC)
def test_the_readme_mentions_every_public_name(name):
    assert name in README.read_text(encoding="utf-8")
