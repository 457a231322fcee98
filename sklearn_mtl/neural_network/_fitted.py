import warnings
from contextlib import AbstractContextManager, nullcontext
from threading import RLock
from typing import Any

from sklearn_mtl.neural_network._backend import backend


class FittedNetwork:
    """A trained net, held so that it travels.

    Pickled and copied it is numpy arrays and plain Python, without torch objects and without a
    device; the net is built again when it is first needed.

    Parameters
    ----------
    settings : dict
        Arguments of ``nn.build_net``.
    made_with : dict
        The estimator's parameters that training on may not change.

    Attributes
    ----------
    is_trimmed : bool
        Whether it is weights alone, which cannot be trained on.
    """

    def __init__(self, settings: dict[str, Any], made_with: dict[str, Any]) -> None:
        self.settings = settings
        self.made_with = made_with
        self._net: Any = backend().build_net(**settings)
        self._state: dict[str, Any] | None = None
        self.is_trimmed = False
        self._set_turn()

    def _set_turn(self) -> None:
        # members run in the place of one module, where a thread would see another's tensors
        several = self.settings["n_estimators"] > 1
        self.turn: AbstractContextManager[Any] = RLock() if several else nullcontext()

    @property
    def net(self) -> Any:
        """The skorch net, on the device it was fitted on if that is present, else on the CPU."""
        state = self._state  # before _net: another thread may be setting both, _net first
        if self._net is None:
            nn = backend()
            settings = {**self.settings, "device": self._present_device(nn)}
            net = nn.build_net(**settings)
            nn.import_state(net, state)
            self._net = net
            self._state = None
        return self._net

    def _present_device(self, nn: Any) -> str:
        device = self.settings["device"]
        if device == "auto" or device in nn.present_devices():
            return device
        warnings.warn(
            f"This estimator was fitted with device={device!r}, which is not present here; it "
            "predicts on the CPU.",
            stacklevel=4,
        )
        return "cpu"

    @property
    def history(self) -> list[dict[str, Any]]:
        """What skorch recorded, an entry an epoch."""
        state = self._state
        return state["history"] if self._net is None else self._net.history  # type: ignore[index]

    def apply(self, settings: dict[str, Any]) -> None:
        """Change arguments that training on may change: rate, decay, batch size, epochs."""
        self.settings.update(settings)
        rates = ("lr", "weight_decay", "module_lr", "module_weight_decay")
        backend().set_rates(self.net, **{name: settings[name] for name in rates})

    def set_task_weight(self, task_weight: Any) -> None:
        """Let the objective weigh tasks anew."""
        self.settings["task_weight"] = task_weight
        buffer = self.net.criterion_.balancer.task_weight
        buffer.copy_(buffer.new_tensor(task_weight))

    def move(self, device: str) -> None:
        """Take the net to another device; one that is absent is a ValueError."""
        nn = backend()
        nn.resolve_device(device)
        state = nn.export_state(self.net)
        self.settings["device"] = device
        self._state, self._net = state, None

    def trim(self) -> None:
        """Forget the optimiser's and the balancer's state, and the history."""
        weights = {"module": self.__getstate__()["state"]["module"]}
        self._state, self._net, self.is_trimmed = weights, None, True

    def snapshot(self) -> "FittedNetwork":
        """Return a copy that further training leaves alone; what made the network is not copied."""
        copy = object.__new__(FittedNetwork)
        copy.__setstate__({**self.__getstate__(), "settings": dict(self.settings)})
        return copy

    def __getstate__(self) -> dict[str, Any]:
        state = self._state
        if self._net is not None:
            state = backend().export_state(self._net)
        return {
            "settings": self.settings,
            "made_with": self.made_with,
            "is_trimmed": self.is_trimmed,
            "state": state,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.settings = state["settings"]
        self.made_with = state["made_with"]
        self.is_trimmed = state["is_trimmed"]
        self._net = None
        self._state = state["state"]
        self._set_turn()
