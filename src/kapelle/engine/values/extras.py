"""The optional packages whose values we know, without importing any of them.

A value of such a package can only exist when the package is already imported, so encoding looks it up in
`sys.modules`. Decoding may come first in a process and imports it then.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from kapelle.model.errors import ValueRefused


def loaded(name: str) -> Any | None:
    """The module if something has imported it already, else None. Never imports."""
    return sys.modules.get(name)


def required(name: str) -> Any:
    """The module, imported now if need be."""
    module = sys.modules.get(name)
    if module is not None:
        return module
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ValueRefused(
            f"a stored value needs the package {name.partition('.')[0]}, which is not installed",
            cause=str(error),
            hint=f"add {name.partition('.')[0]} to the dependencies of the project",
        ) from error
