"""The codec "pickle": whatever no other codec takes, by cloudpickle. The last one, for reading it runs code.

Classes and functions of the script itself (`__main__`) are written by the name under which the project knows it,
when that name has been declared, so that they are the same classes in the next process.
"""

from __future__ import annotations

import io
import pickle
import types
from typing import Any

from kapelle.engine.values.extras import required
from kapelle.engine.values.naming import importable_name, resolve
from kapelle.engine.values.refusals import advice_against, find, refusal
from kapelle.model.errors import ValueRefused

NAME = "pickle"
CHECK_BYTES_MAX = 1 << 20
PROTOCOL = 5

_hopeless: dict[type, bool] = {}
_pickler: Any = None


class _Found(Exception):
    def __init__(self, culprit: object) -> None:
        super().__init__()
        self.culprit = culprit


def _is_hopeless(value: object) -> bool:
    kind = type(value)
    known = _hopeless.get(kind)
    if known is None:
        # modules stand in the globals of functions, where they are written by name
        known = kind is not types.ModuleType and advice_against(value) is not None
        if len(_hopeless) > 5000:
            _hopeless.clear()
        _hopeless[kind] = known
    return known


def _make_pickler() -> Any:
    base: Any = required("cloudpickle").CloudPickler

    class Pickler(base):  # type: ignore[misc]
        """cloudpickle that refuses what has no content, and names `__main__` by its real name."""

        def reducer_override(self, value: Any) -> Any:
            if _is_hopeless(value):
                raise _Found(value)
            if isinstance(value, (type, types.FunctionType)) and value.__module__ == "__main__":
                name = importable_name(value)
                if name is not None:
                    return resolve, (name,)
            return super().reducer_override(value)

    return Pickler


def dump(value: Any) -> bytes:
    """The pickle of a value; whatever goes wrong comes out as it is."""
    global _pickler
    if _pickler is None:
        _pickler = _make_pickler()
    sink = io.BytesIO()
    _pickler(sink, protocol=PROTOCOL).dump(value)
    return sink.getvalue()


def encode(value: Any) -> bytes:
    """The pickle of a value, or `ValueRefused` with the part that stands in the way."""
    if isinstance(value, types.ModuleType):
        raise refusal(value, value)
    try:
        data = dump(value)
    except _Found as found:
        raise refusal(value, found.culprit) from None
    except ValueRefused as error:  # from the `__reduce__` of a part of ours
        culprit = _first_unpicklable(value)
        raise refusal(value, culprit, str(error)) from None
    except Exception as error:
        raise refusal(value, _first_unpicklable(value), f"{type(error).__name__}: {error}") from error
    if len(data) <= CHECK_BYTES_MAX:
        _check(value, data)
    return data


def _check(value: Any, data: bytes) -> None:
    try:
        back = pickle.loads(data)
    except Exception as error:
        raise refusal(value, value, f"it was written, but not read: {type(error).__name__}: {error}") from error
    if type(back) is not type(value):
        raise refusal(value, value, f"what is read is a {type(back).__qualname__}")


def _first_unpicklable(root: Any) -> Any:
    """The innermost part that does not pickle: none of its own parts is to blame."""
    found = [root]

    def is_worse(part: Any) -> bool:
        if part is found[-1] or _pickles(part):
            return False
        found.append(part)
        return True

    while find(found[-1], is_worse) is not None and len(found) < 50:
        pass
    return found[-1]


def _pickles(value: Any) -> bool:
    try:
        dump(value)
    except Exception:
        return False
    return True


def decode(data: bytes) -> Any:
    """The value of a pickle. Runs code of the project: only where the project's own code runs anyway."""
    required("cloudpickle")
    try:
        return pickle.loads(data)
    except ValueRefused:
        raise
    except Exception as error:
        raise ValueRefused(
            "a stored value does not decode",
            cause=f"{type(error).__name__}: {error}",
            hint="a class or function that it needs is gone or was renamed, or its bytes are damaged",
        ) from error
