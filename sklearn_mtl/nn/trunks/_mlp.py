import math
from collections.abc import Sequence

from torch import Tensor, nn

from sklearn_mtl.nn.trunks._dropout import Dropout
from sklearn_mtl.nn.trunks._stacked_linear import StackedLinear

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
    "elu": nn.ELU,
    "identity": nn.Identity,
}


class MLP(nn.Module):
    """Fully connected layers, each ``activation(x @ W.T + b)``, then dropout.

    Weights start at N(0, g²/fan_in), g the activation's gain (He et al., "Delving Deep into
    Rectifiers", 2015, eq. 14, kept for smooth activations too), biases at 0.

    Parameters
    ----------
    n_features : int
    hidden_layer_sizes : sequence of int
        Width of each layer; empty for a linear model.
    activation : {"relu", "silu", "gelu", "tanh", "elu", "identity"}
    dropout : float in [0, 1)
        Of each layer's output.
    input_dropout : float in [0, 1), default=0
        Of the first layer's input, after the embedding.
    embedding : nn.Module, default=None
        What reads the inputs before the first layer, with attribute ``n_outputs``.
    copies : int, default=None
        None: one network, (B, p) to (B, h). An int n: n networks with weights of their own, as
        batched matrix products, (B, p) or (n, B, p) to (n, B, h).

    Attributes
    ----------
    n_outputs : int
        h.
    stages : nn.ModuleList
        The layers, each with its activation and dropout; the first also with the embedding.
    """

    def __init__(
        self,
        n_features: int,
        hidden_layer_sizes: Sequence[int] = (128, 128),
        activation: str = "relu",
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        embedding: nn.Module | None = None,
        copies: int | None = None,
    ) -> None:
        super().__init__()
        parts: list[nn.Module] = []  # of the stage at hand
        stages: list[nn.Module] = []
        width = n_features
        if embedding is not None:
            parts.append(embedding)
            width = int(embedding.n_outputs)  # type: ignore[arg-type]
        if input_dropout > 0:
            parts.append(Dropout(input_dropout))
        for size in hidden_layer_sizes:
            linear = (
                nn.Linear(width, size) if copies is None else StackedLinear(copies, width, size)
            )
            nn.init.normal_(linear.weight, std=_gain(activation) / math.sqrt(width))
            nn.init.zeros_(linear.bias)
            parts += [linear, ACTIVATIONS[activation]()]
            if dropout > 0:
                parts.append(Dropout(dropout))
            stages.append(nn.Sequential(*parts))
            parts, width = [], size
        if parts:  # no layer: the embedding is all
            stages.append(nn.Sequential(*parts))
        self.stages = nn.ModuleList(stages)
        self.copies = copies
        self.n_outputs = width

    def forward(self, x: Tensor) -> Tensor:
        """Return the representation, shape (B, h), or (n, B, h) for n copies."""
        for stage in self.stages:
            x = stage(x)
        if self.copies is not None and x.ndim == 2:  # no layer that would have made copies
            x = x.expand(self.copies, *x.shape)
        return x


def _gain(activation: str) -> float:
    return {"tanh": 5 / 3, "identity": 1.0}.get(activation, math.sqrt(2.0))
