import torch


def present_devices() -> list[str]:
    """Return the names of the devices that this machine has, fastest last."""
    devices = ["cpu"]
    if torch.backends.mps.is_available():
        devices.append("mps")
    if torch.cuda.is_available():
        devices += ["cuda", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    return devices


def resolve_device(device: str | torch.device) -> torch.device:
    """Return the torch device that a ``device`` parameter names.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda", "cuda:0", …, "mps"} or torch.device
        "auto" takes CUDA, else Apple's MPS, else the CPU.

    Raises
    ------
    ValueError
        The device is not present; the message lists those that are.
    """
    present = present_devices()
    if device == "auto":
        first = next((name for name in ("cuda", "mps") if name in present), "cpu")
        return torch.device(first)
    if str(device) not in present:
        raise ValueError(
            f"device={str(device)!r} is not present; this machine has {', '.join(present)}. Pass "
            "one of those, or 'auto'."
        )
    return torch.device(device)
