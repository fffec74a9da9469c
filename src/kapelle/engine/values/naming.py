"""Names of classes and functions that mean the same in every process: "module:qualified.name".

The module that runs as a script is called `__main__` in that process only. Whoever runs it says with `declare_main`
under which name the rest of the project imports it; that name is then written down instead, and found again by it.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from kapelle.model.errors import ValueRefused

_main_name = "__main__"


def declare_main(name: str) -> None:
    """Say under which module path `__main__` is known to the project ("flows.daily")."""
    global _main_name
    _main_name = name or "__main__"


def module_name(module: str) -> str:
    """The name of a module that holds in every process, as far as it is known."""
    return _main_name if module == "__main__" else module


def name_of(thing: Any) -> str:
    """ "module:qualname" of a class or function."""
    return f"{module_name(thing.__module__ or '')}:{thing.__qualname__}"


def importable_name(thing: Any) -> str | None:
    """The name of a class or function if it leads back to exactly that object, in other processes too."""
    module, qualname = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(qualname, str) or "<" in qualname:
        return None
    if module == "__main__" and _main_name == "__main__":
        return None
    found: Any = sys.modules.get(module)
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return f"{module_name(module)}:{qualname}" if found is thing else None


def resolve(name: str) -> Any:
    """The class or function of a name written by `importable_name`."""
    module_path, _, qualname = name.partition(":")
    try:
        if module_path == _main_name:
            found: Any = sys.modules["__main__"]
        else:
            found = sys.modules.get(module_path) or importlib.import_module(module_path)
    except Exception as error:
        raise ValueRefused(
            f"a stored value is a {name}, but its module does not import",
            cause=f"{type(error).__name__}: {error}",
            hint="keep the class where it was, or run this again under the version that stored the value",
        ) from error
    for part in qualname.split("."):
        found = getattr(found, part, None)
        if found is None:
            raise ValueRefused(
                f"a stored value is a {name}, which is not there any more",
                cause="the class was renamed, moved or removed since the value was stored",
                hint="keep the old name as an alias, or run this again under the version that stored the value",
            )
    return found


def type_label(kind: type) -> str:
    """A class as people write it: "list", "sqlite3.Connection"."""
    module = kind.__module__
    return kind.__qualname__ if module in ("builtins", "__main__") else f"{module}.{kind.__qualname__}"
