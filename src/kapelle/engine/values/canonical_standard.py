"""Canonical encodings of secrets, of small classes of the standard library, and of subclasses of built-in types."""

from __future__ import annotations

from collections import deque
from typing import Any, Literal

from kapelle.engine.values.canonical import TAG_OBJECT, Encoder, Unprintable, Walk, register, special
from kapelle.engine.values.canonical_objects import head_of, put_parts
from kapelle.model.secret import Secret


def classify_standard(value: Any) -> Encoder | None:
    """The encoder of a value of a module that we do not import ourselves."""
    kind = type(value)
    package = kind.__module__.partition(".")[0]  # in 3.13 and later, paths come from "pathlib._local"
    return _standard(kind) if package in ("zoneinfo", "fractions", "array", "pathlib") else None


def _standard(kind: type) -> Encoder | None:
    """Small value classes of modules that we do not import ourselves."""
    name = kind.__qualname__

    def zone(value: Any, out: bytearray, walk: Walk) -> None:
        if value.key is None:
            raise Unprintable("zoneinfo.ZoneInfo without a key")
        out += special("ZoneInfo", value.key)

    def fraction(value: Any, out: bytearray, walk: Walk) -> None:
        out += special("Fraction", value.numerator, value.denominator)

    def array(value: Any, out: bytearray, walk: Walk) -> None:
        walk.immutable = False
        out += special("array", value.typecode, value.tobytes())

    def path(value: Any, out: bytearray, walk: Walk) -> None:
        out += special(name, str(value))

    return path if name.endswith("Path") else {"ZoneInfo": zone, "Fraction": fraction, "array": array}.get(name)


def _secret(value: Secret, out: bytearray, walk: Walk) -> None:
    out += special("Secret")  # the same for all: a secret is no part of what a call is


def classify_subclass(value: Any) -> Encoder | None:
    """The encoder of a subclass of a built-in type: its class, its built-in content, its attributes."""
    kind = type(value)
    for base, ordered in _BASES:
        if isinstance(value, base):
            return _subclass(kind, base, ordered)
    return None


_BASES: tuple[tuple[type, Literal["items", "same"]], ...] = (
    (int, "same"),
    (float, "same"),
    (complex, "same"),
    (str, "same"),
    (bytes, "same"),
    (bytearray, "same"),
    (list, "same"),
    (tuple, "same"),
    (set, "same"),
    (frozenset, "same"),
    (dict, "items"),
)


def _subclass(kind: type, base: Any, content: Literal["items", "same"]) -> Encoder:
    head = head_of(kind, "subclass")
    ordered = kind.__module__ == "collections" and kind.__qualname__ == "OrderedDict"

    def encode(value: Any, out: bytearray, walk: Walk) -> None:
        own = list(base.items(value)) if ordered else base(value) if content == "same" else dict(base.items(value))
        factory = getattr(value, "default_factory", None) if content == "items" else None
        attributes = dict(getattr(value, "__dict__", ()))
        if attributes:
            walk.immutable = False
        before = walk.immutable
        parts = (own, factory, attributes or None)
        put_parts(head, value, parts, out, walk)
        if content == "same" and base in (int, float, complex, str, bytes, frozenset):
            walk.immutable = before and not attributes

    return encode


def _deque(value: Any, out: bytearray, walk: Walk) -> None:
    walk.immutable = False
    put_parts(TAG_OBJECT + b"q", value, (list(value), value.maxlen), out, walk)


register({Secret: _secret, deque: _deque})
