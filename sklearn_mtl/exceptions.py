class TaskLayoutError(ValueError):
    """The tasks that X and y describe are inconsistent, or differ from those seen in ``fit``.

    The message names the task, what was found and what to do.
    """


class MissingBackendError(ImportError):
    """An optional package that the call needs is not installed.

    The message names the package and the command that installs it.
    """
