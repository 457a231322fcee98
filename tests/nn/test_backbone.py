"""A module of the user's is made as often as asked, left alone, and held to (B, h)."""

import pytest
import torch
from torch import nn

from sklearn_mtl.nn.trunks import Backbone, Copies, TrunkFactory


class Net(nn.Module):
    """A small network for images, with every kind of layer that is hard to probe."""

    made = 0

    def __init__(self, width=3):
        super().__init__()
        type(self).made += 1
        self.layers = nn.Sequential(
            nn.LazyConv2d(width, 3),
            nn.BatchNorm2d(width),
            nn.Dropout(0.5),
            nn.Flatten(),
            nn.LazyLinear(4),
            nn.BatchNorm1d(4),
        )

    def forward(self, x):
        return self.layers(x)


class Gives(nn.Module):
    """Gives what a function gives."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def factory(module, module_params=None, shape=(2, 5, 5), dtype=torch.float32):
    return TrunkFactory(
        shape, hidden_layer_sizes=(), activation="relu", dropout=0.0, input_dropout=0.0,
        embedding=None, module=module, module_params=module_params, dtype=dtype,
        owner="MultiTaskRegressor",
    )  # fmt: skip


def images(n=6, dtype=torch.float32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, 2, 5, 5, generator=generator, dtype=dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_lazy_layers_take_shape_and_dtype_without_moving_running_statistics(dtype):
    trunk = factory(Net, {"width": 2}, dtype=dtype)()
    assert trunk.n_outputs == 4
    assert trunk.training
    for norm in (trunk.module.layers[1], trunk.module.layers[5]):
        assert norm.num_batches_tracked == 0
        assert (norm.running_mean == 0).all()
        assert (norm.running_var == 1).all()
    assert trunk(images(dtype=dtype)).dtype == dtype


def test_a_class_is_called_once_a_trunk():
    Net.made = 0
    make_trunk = factory(Net)
    make_trunk(3), make_trunk()
    assert Net.made == 4


def test_copies_of_a_class_start_apart_and_of_an_instance_equal():
    def first_layer(backbone):
        return backbone.module.layers[0].weight

    one, other = factory(Net)(2).members
    assert not torch.equal(first_layer(one), first_layer(other))
    instance = one.module
    one, other = factory(instance)(2).members
    assert torch.equal(first_layer(one), first_layer(other))
    pointers = {
        tensor.layers[0].weight.data_ptr() for tensor in (instance, one.module, other.module)
    }
    assert len(pointers) == 3


def test_lazy_layers_of_an_instance_take_their_shape_in_the_copy_alone():
    instance = Net()
    factory(instance)()
    assert isinstance(instance.layers[0].weight, nn.UninitializedParameter)


@pytest.mark.parametrize("give", ["factory", "params"])
def test_an_object_of_the_callers_is_not_trained_through_a_factory(give):
    kept = nn.Sequential(nn.Flatten(), nn.Linear(50, 3))

    class Around(nn.Module):
        def __init__(self, body):
            super().__init__()
            self.body = body

        def forward(self, x):
            return self.body(x)

    make_trunk = factory(lambda: kept) if give == "factory" else factory(Around, {"body": kept})
    ours = {id(parameter) for parameter in kept.parameters()}
    trunks = make_trunk(2)
    pointers = [parameter.data_ptr() for parameter in trunks.parameters()]
    assert len(set(pointers)) == 4
    assert not ours & {id(parameter) for parameter in trunks.parameters()}


def test_copies_read_one_input_or_one_each():
    copies = factory(Net)(3).eval()
    assert isinstance(copies, Copies)
    x = images()
    for together, member in zip(copies(x), copies.members, strict=True):
        assert torch.equal(together, member(x))
    own = torch.stack([images(seed=k) for k in range(3)])
    for k, member in enumerate(copies.members):
        assert torch.equal(copies(own)[k], member(own[k]))


def test_copies_of_a_sequence_model_are_not_confused_by_its_shape():
    copies = factory(nn.Flatten, shape=(2, 3))(2)
    assert copies(torch.zeros(2, 2, 3)).shape == (2, 2, 6)  # a batch of two for both
    assert copies(torch.zeros(2, 5, 2, 3)).shape == (2, 5, 6)  # a batch of five each


def test_a_batch_of_one_row_trains_with_running_statistics():
    trunk = factory(Net)()
    before = trunk.module.layers[5].running_mean.clone()
    out = trunk(images(1))
    out.sum().backward()
    assert torch.isfinite(out).all()
    assert torch.equal(trunk.module.layers[5].running_mean, before)
    trunk(images(2))
    assert not torch.equal(trunk.module.layers[5].running_mean, before)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: x, r"gives shape \(2, 2, 5, 5\) for a batch of shape \(2, 2, 5, 5\).*Flatten"),
        (lambda x: x.flatten(), r"gives shape \(100,\)"),
        (lambda x: x.sum(), r"gives shape \(\)"),
        (lambda x: x.flatten(1)[:1], r"gives shape \(1, 50\)"),
        (lambda x: x.flatten(1)[:, :0], r"gives shape \(2, 0\)"),
        (lambda x: x.flatten(1) @ x.flatten(1).T, r"\(2, 2\) for 2 rows and \(3, 3\) for 3"),
        (lambda x: x @ torch.zeros(7, 7), r"fails on a batch of shape .*RuntimeError.*\(2, 5, 5\)"),
    ],
)
def test_an_output_of_another_shape_is_refused_by_the_modules_name(function, message):
    with pytest.raises(ValueError, match=r"module=Gives of MultiTaskRegressor .*" + message):
        factory(Gives(function))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: (x, x), "gives a tuple of 2; it must give one tensor"),
        (lambda x: {"out": x}, "gives a dict; it must give one tensor"),
        (lambda x: x.flatten(1).double(), "gives torch.float64 for torch.float32"),
        (lambda x: x.flatten(1).long(), "gives torch.int64 for torch.float32"),
    ],
)
def test_an_output_of_another_type_is_refused_by_the_modules_name(function, message):
    with pytest.raises(TypeError, match="module=Gives of MultiTaskRegressor " + message):
        factory(Gives(function))


def test_a_module_that_gives_something_else_in_training_is_refused_there():
    class TwoInTraining(nn.Module):
        def forward(self, x):
            x = x.flatten(1)
            return (x, x) if self.training else x

    trunk = factory(TwoInTraining)()
    with pytest.raises(TypeError, match=r"module=TwoInTraining .* gives a tuple of 2"):
        trunk(images())


@pytest.mark.parametrize(
    ("module", "params", "error", "message"),
    [
        (dict, None, TypeError, "got the class dict, which is no torch.nn.Module"),
        (lambda: 3, None, TypeError, "must return a torch.nn.Module; it returned an int"),
        (Net(), {"width": 2}, ValueError, "the module .* is an instance of Net, .* made already"),
        (Net, {"widht": 2}, TypeError, r"cannot call module=Net with .*'widht'"),
    ],
)
def test_a_module_that_cannot_be_made_is_refused(module, params, error, message):
    with pytest.raises(error, match=message):
        factory(module, params)


def test_a_backbone_adds_no_parameters():
    module = nn.Sequential(nn.Flatten(), nn.Linear(50, 3))
    backbone = Backbone(module, (2, 5, 5), torch.float32, "MultiTaskRegressor")
    assert [*backbone.parameters()] == [*module.parameters()]
    assert torch.equal(backbone(images()), module(images()))
