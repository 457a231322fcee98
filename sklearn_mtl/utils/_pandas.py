from typing import Any

from sklearn_mtl.exceptions import MissingBackendError


def require_pandas(caller: str) -> Any:
    """Return pandas, or raise a MissingBackendError, which is an ImportError.

    Parameters
    ----------
    caller : str
        The class and method that make a frame, for the message.
    """
    try:
        import pandas
    except ImportError as error:
        raise MissingBackendError(
            f"{caller} needs pandas, which is not installed: pip install pandas"
        ) from error
    return pandas
