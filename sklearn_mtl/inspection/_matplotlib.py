from sklearn_mtl.exceptions import MissingBackendError


def require_matplotlib(caller: str) -> None:
    """Raise a MissingBackendError, which is an ImportError, unless matplotlib is installed.

    Parameters
    ----------
    caller : str
        The class and method that draw, for the message.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MissingBackendError(
            f"{caller} requires matplotlib; install it with: pip install 'sklearn_mtl[plot]'"
        ) from error
