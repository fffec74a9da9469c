"""Canonical encodings of instances: of enums, records, models, and plain classes of the project.

The encoder of a class is made once, when the first value of the class is met.
"""

from __future__ import annotations

from enum import Enum
from marshal import dumps
from operator import attrgetter
from typing import Any

import msgspec

from kapelle.engine.values.canonical import (
    TAG_OBJECT,
    Encoder,
    Unprintable,
    Walk,
    are_plain,
    count,
    put,
)
from kapelle.engine.values.extras import loaded
from kapelle.engine.values.naming import name_of, type_label
from kapelle.engine.values.project import defined_in_project


def head_of(kind: type, what: str) -> bytes:
    """What the encodings of a class begin with."""
    return TAG_OBJECT + dumps((what, name_of(kind)), 2)


def classify_object(value: Any) -> Encoder | None:
    """The encoder of an instance by what its class is."""
    kind = type(value)
    if hasattr(kind, "__kapelle_key__"):
        return _by_key(kind)
    if isinstance(value, Enum):
        return _enum(kind)
    if "__dataclass_fields__" in kind.__dict__ or hasattr(kind, "__dataclass_fields__"):
        frozen = bool(kind.__dataclass_params__.frozen)
        return _record(kind, tuple(kind.__dataclass_fields__), frozen)
    if isinstance(value, msgspec.Struct):
        return _record(kind, value.__struct_fields__, bool(value.__struct_config__.frozen))
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return _named_tuple(kind)
    if hasattr(kind, "__attrs_attrs__"):
        return _record(kind, tuple(field.name for field in kind.__attrs_attrs__), frozen=False)
    pydantic = loaded("pydantic")
    if pydantic is not None and isinstance(value, pydantic.BaseModel):
        return _model(kind)
    return _plain_object(kind) if _is_plain(kind) else None


def _by_key(kind: type) -> Encoder:
    head = head_of(kind, "key")

    def encode(value: Any, out: bytearray, walk: Walk) -> None:
        start = len(out)
        out += walk.enter(value) or b""
        if len(out) > start:
            return
        walk.immutable = False
        out += head
        put(value.__kapelle_key__(), out, walk)
        walk.leave(value, out, start)

    return encode


def _enum(kind: type) -> Encoder:
    head = head_of(kind, "enum")

    def encode(value: Any, out: bytearray, walk: Walk) -> None:
        out += head
        put(value.name or value.value, out, walk)  # a combination of flags may have no name

    return encode


def _record(kind: type, names: tuple[str, ...], frozen: bool) -> Encoder:
    """Classes that list their fields: dataclasses, structs, attrs."""
    head = head_of(kind, "record") + dumps(names, 2)
    several = len(names) > 1
    read: Any = attrgetter(*names) if names else lambda value: ()

    def encode(value: Any, out: bytearray, walk: Walk) -> None:
        if not frozen:
            walk.immutable = False
        try:
            parts = read(value) if several or not names else (read(value),)
        except AttributeError as error:
            raise Unprintable(f"{type_label(kind)} without its field {error.name}") from None
        if are_plain(parts):
            out += head
            out += dumps(parts, 2)
            return
        put_parts(head, value, parts, out, walk)

    return encode


def put_parts(head: bytes, value: Any, parts: Any, out: bytearray, walk: Walk) -> None:
    """Append an object that is given by its class and its parts."""
    start = len(out)
    folded = walk.enter(value)
    if folded is not None:
        out += folded
        return
    out += head
    out += count(len(parts))
    for part in parts:
        put(part, out, walk)
    walk.leave(value, out, start)


def _named_tuple(kind: type) -> Encoder:
    head = head_of(kind, "tuple")

    def encode(value: Any, out: bytearray, walk: Walk) -> None:
        put_parts(head, value, (tuple(value), getattr(value, "__dict__", None)), out, walk)

    return encode


def _model(kind: Any) -> Encoder:
    """pydantic: type, fields, and what was given beside them."""
    head = head_of(kind, "model")
    frozen = bool(kind.model_config.get("frozen"))

    def encode(value: Any, out: bytearray, walk: Walk) -> None:
        if not frozen:
            walk.immutable = False
        fields = value.__dict__
        parts = tuple([fields.get(name) for name in kind.model_fields])
        extra = value.__pydantic_extra__ if kind.model_config.get("extra") == "allow" else None
        put_parts(head, value, (*parts, extra or None), out, walk)

    return encode


_STATE_HOOKS = ("__getstate__", "__setstate__", "__reduce__", "__reduce_ex__", "__del__", "__next__", "__await__")


def _is_plain(kind: type) -> bool:
    """True for a class of the project whose instances are nothing but their attributes."""
    if not kind.__flags__ & (1 << 9) or not defined_in_project(kind):  # Py_TPFLAGS_HEAPTYPE
        return False
    if getattr(kind, "__new__", None) is not object.__new__:
        return False
    return all(getattr(kind, hook, None) is getattr(object, hook, None) for hook in _STATE_HOOKS)


def slots_of(kind: type) -> tuple[str, ...]:
    """Names of the slots of a class and its bases, in the form in which they are attributes."""
    names = []
    for base in kind.__mro__:
        slots = base.__dict__.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            if slot in ("__dict__", "__weakref__"):
                continue
            private = slot.startswith("__") and not slot.endswith("__")
            names.append(f"_{base.__name__.lstrip('_')}{slot}" if private else slot)
    return tuple(names)


def _plain_object(kind: type) -> Encoder:
    head = head_of(kind, "object")
    slots = slots_of(kind)
    missing = object()

    def encode(value: Any, out: bytearray, walk: Walk) -> None:
        walk.immutable = False
        state = dict(getattr(value, "__dict__", ()))
        for slot in slots:
            content = getattr(value, slot, missing)
            if content is not missing:
                state[slot] = content
        put_parts(head, value, (state,), out, walk)

    return encode
