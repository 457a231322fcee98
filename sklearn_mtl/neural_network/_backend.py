from types import ModuleType

from sklearn_mtl.exceptions import MissingBackendError


def backend() -> ModuleType:
    """Import the torch parts, on first use."""
    try:
        from sklearn_mtl import nn
    except ImportError as error:
        raise MissingBackendError(
            f"The networks need torch, skorch and torchjd, and importing them failed ({error}); "
            "install them with: pip install torch skorch torchjd"
        ) from error
    return nn
