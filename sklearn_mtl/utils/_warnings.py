import sys


def level_of_caller() -> int:
    """Return the ``stacklevel`` with which a warning points at the code that called the package."""
    # from Python 3.12 on, warnings.warn has skip_file_prefixes
    package = __name__.partition(".")[0]
    level, frame = 1, sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        level, frame = level + 1, frame.f_back
    return level
