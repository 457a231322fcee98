from sklearn_mtl.exceptions import MissingBackendError, TaskLayoutError

# the first that fits: errors of this package are ValueErrors and ImportErrors, those of
# scikit-learn's parameters both ValueErrors and TypeErrors
_FAMILIES = (TaskLayoutError, MissingBackendError, ValueError, TypeError)


def told_of(what: str, error: Exception, advice: str = "") -> Exception:
    """Return an error of the same family that says what failed; to be raised from the first.

    Parameters
    ----------
    what : str
        Such as "Task 'price': Ridge.fit".
    error : Exception
        What is no TypeError, ValueError or error of this package becomes a RuntimeError.
    advice : str, default=""
        What to do, after the error's own text.
    """
    family = next((kind for kind in _FAMILIES if isinstance(error, kind)), RuntimeError)
    # a KeyError's own text is the bare key
    found = str(error) if family is not RuntimeError else f"{type(error).__name__}: {error}"
    return family(f"{what} failed: {found}{advice}")
