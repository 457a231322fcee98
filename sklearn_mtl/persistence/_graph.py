from typing import Any

import numpy as np

DOUBLE = np.dtype(np.float64)
SINGLE = np.dtype(np.float32)


class Graph:
    """A graph of ONNX that grows a node at a time; values go by their names.

    Parameters
    ----------
    prefix : str, default="/"
        Of the names of values inside, of which no output's name may begin with it.

    Attributes
    ----------
    nodes : list of onnx.NodeProto
    constants : list of onnx.TensorProto
    outputs : list of onnx.ValueInfoProto
    """

    def __init__(self, prefix: str = "/") -> None:
        self.prefix = prefix
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.outputs: list[Any] = []

    def apply(self, operator: str, *inputs: str | np.ndarray, **attributes: Any) -> str:
        """Add a node with one output, and return its name.

        Parameters
        ----------
        operator : str
            Of ONNX's own.
        *inputs : str or ndarray
            Names of values, or constants.
        **attributes
            Of the node.
        """
        from onnx import helper

        names = [value if isinstance(value, str) else self.constant(value) for value in inputs]
        output = f"{self.prefix}{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, names, [output], **attributes))
        return output

    def constant(self, values: np.ndarray) -> str:
        """Add a constant, text included, and return its name."""
        from onnx import TensorProto, helper, numpy_helper

        name = f"{self.prefix}constant_{len(self.constants)}"
        if values.dtype == object:
            encoded = [text.encode() for text in values]
            tensor = helper.make_tensor(name, TensorProto.STRING, values.shape, encoded)
        else:
            tensor = numpy_helper.from_array(np.asarray(values, order="C"), name)
        self.constants.append(tensor)
        return name

    def cast(self, value: str, dtype: np.dtype) -> str:
        """Return the value in another type of number."""
        from onnx import helper

        return self.apply("Cast", value, to=helper.np_dtype_to_tensor_dtype(dtype))

    def append(self, other: Any, part: str, *inputs: str) -> list[str]:
        """Add the nodes of another graph, and return the names of its outputs.

        Parameters
        ----------
        other : onnx.GraphProto
        part : str
            What it is, for the names of its values.
        *inputs : str
            What is given for each of its inputs.
        """
        from onnx import compose, helper

        renamed = compose.add_prefix_graph(other, f"{self.prefix}{part}/")
        for taken, value in zip(renamed.input, inputs, strict=True):
            self.nodes.append(helper.make_node("Identity", [value], [taken.name]))
        self.nodes.extend(renamed.node)
        self.constants.extend(renamed.initializer)
        return [output.name for output in renamed.output]

    def output(self, value: str, name: str, dtype: np.dtype, *shape: str | int) -> None:
        """Declare a value an output of the graph, under a name of its own."""
        from onnx import TensorProto, helper

        number = dtype.kind != "O"
        kind = helper.np_dtype_to_tensor_dtype(dtype) if number else TensorProto.STRING
        self.nodes.append(helper.make_node("Identity", [value], [name]))
        self.outputs.append(helper.make_tensor_value_info(name, kind, shape))
