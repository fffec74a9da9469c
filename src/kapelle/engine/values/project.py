"""Which files belong to the user's project, as opposed to installed packages, the standard library and ourselves."""

from __future__ import annotations

import os
import sys
from functools import cache

_STANDARD = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_OURS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


def is_ours(filename: str) -> bool:
    """True for the files of the kapelle package."""
    return os.path.abspath(filename).startswith(_OURS)


@cache
def is_project_file(filename: str) -> bool:
    """True for a file that the user's project may have written. Files that do not exist ("<stdin>") count."""
    if filename.startswith("<frozen "):
        return False
    path = os.path.abspath(filename)
    if path.startswith((_STANDARD, _OURS)):
        return False
    return not any(folder in path for folder in _INSTALLED)


def defined_in_project(thing: object) -> bool:
    """True for a class or function of a module of the project."""
    module = sys.modules.get(getattr(thing, "__module__", None) or "")
    if module is None or module.__name__ == "__main__":
        return module is not None
    filename = getattr(module, "__file__", None)
    return filename is not None and is_project_file(filename)
