"""What can never be stored, and how to tell the author where it is and what to do instead.

`NotExact` is what one codec says to the next: "not me". A `ValueRefused` is what the author reads.
"""

from __future__ import annotations

import io
import types
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

from kapelle.engine.values.naming import type_label
from kapelle.model.errors import ValueRefused
from kapelle.model.secret import Secret


class NotExact(Exception):
    """This codec would not bring back the same value."""


_ITERATOR_MODULES = frozenset({"builtins", "itertools", "_csv", "_io", "os", "posix"})


def advice_against(value: object) -> str | None:
    """What to do instead of storing this, or None if it is no such thing."""
    if isinstance(value, Secret):
        return "return what you made with the secret, and fetch it again where it is needed"
    if isinstance(value, Coroutine):
        return "await it and return its result"
    if isinstance(value, types.GeneratorType):
        return "return a list: `return list(...)`"
    if isinstance(value, AsyncIterator):
        return "return a list: `return [item async for item in ...]`"
    if isinstance(value, io.IOBase):
        return "return the path of the file, or what was read from it"
    if isinstance(value, types.ModuleType):
        return "import the module where it is used"
    kind = type(value)
    if kind.__module__ in ("_thread", "threading"):
        return "make locks and threads where they are used"
    if kind.__module__ in ("socket", "_socket", "ssl", "_ssl"):
        return "open connections where they are used, and return what came through them"
    if kind.__module__ in _ITERATOR_MODULES and isinstance(value, Iterator):
        return "return a list: `return list(...)`"
    return None


def refusal(root: object, culprit: object, cause: str = "") -> ValueRefused:
    """The error that names the culprit, its place inside the result, and the way out."""
    place = find(root, lambda part: part is culprit) or "something inside result"
    return ValueRefused(
        f"{place} is a {_common_name(culprit)}, which cannot be stored",
        cause=cause,
        hint=advice_against(culprit) or "return plain data, or give the class a `__reduce__`",
    )


def _common_name(value: object) -> str:
    if isinstance(value, io.IOBase):
        return f"file ({type_label(type(value))})"
    if isinstance(value, Iterator) and not isinstance(value, types.GeneratorType):
        return f"iterator ({type_label(type(value))})"
    return type_label(type(value))


def find(root: object, wanted: Callable[[Any], bool]) -> str | None:
    """The place of the first part that is wanted: "result['rows'][3].source"."""
    seen: set[int] = set()
    stack: list[tuple[str, Any]] = [("result", root)]
    while stack:
        place, value = stack.pop()
        if wanted(value):
            return place
        if id(value) in seen or len(seen) > 100_000:
            continue
        seen.add(id(value))
        stack.extend(reversed(_children(place, value)))
    return None


def _children(place: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        values = [(f"{place}[{_short(key)}]", content) for key, content in value.items()]
        return values + [(f"a key of {place}", key) for key in value if not isinstance(key, str)]
    if isinstance(value, (list, tuple)):
        return [(f"{place}[{index}]", content) for index, content in enumerate(value)]
    if isinstance(value, (set, frozenset)):
        return [(f"an element of {place}", content) for content in value]
    if isinstance(value, (type, types.ModuleType)):
        return []
    if isinstance(value, types.FunctionType):
        cells = zip(value.__code__.co_freevars, value.__closure__ or (), strict=False)
        return [(f"the variable {name!r} of {place}", _content(cell)) for name, cell in cells]
    attributes = getattr(value, "__dict__", {})
    found = [(f"{place}.{name}", content) for name, content in attributes.items()]
    names = [*getattr(value, "__dataclass_fields__", ()), *getattr(value, "__struct_fields__", ())]
    slots = [name for name in names if hasattr(value, name)]
    return found + [(f"{place}.{name}", getattr(value, name)) for name in slots if name not in attributes]


def _content(cell: types.CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # an empty cell
        return None


def _short(key: object) -> str:
    text = repr(key)
    return text if len(text) <= 60 else text[:57] + "…"


def changed_class(name: str, cause: str) -> ValueRefused:
    """The error for a stored value whose class has other fields or members by now."""
    return ValueRefused(
        f"a stored value is a {name}, and that class is another one now",
        cause=cause,
        hint="run this again under the version that stored the value, or let the call run anew",
    )
