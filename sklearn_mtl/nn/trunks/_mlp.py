import math
from collections.abc import Sequence

from torch import Tensor, nn

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
    """

    def __init__(
        self,
        n_features: int,
        hidden_layer_sizes: Sequence[int] = (128, 128),
        activation: str = "relu",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width = n_features
        for size in hidden_layer_sizes:
            linear = nn.Linear(width, size)
            nn.init.normal_(linear.weight, std=_gain(activation) / math.sqrt(width))
            nn.init.zeros_(linear.bias)
            layers += [linear, ACTIVATIONS[activation]()]
            if dropout > 0:
                layers.append(nn.Dropout(dropout))
            width = size
        self.layers = nn.Sequential(*layers)
        self.n_outputs = width

    def forward(self, x: Tensor) -> Tensor:
        """Return the representation, shape (B, last width)."""
        return self.layers(x)


def _gain(activation: str) -> float:
    return {"tanh": 5 / 3, "identity": 1.0}.get(activation, math.sqrt(2.0))
