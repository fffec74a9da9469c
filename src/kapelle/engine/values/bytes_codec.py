"""The codec "bytes": long byte strings as they are. Short ones stand readably inside JSON."""

from __future__ import annotations

from typing import Any

from kapelle.engine.values.refusals import NotExact

NAME = "bytes"
LENGTH_MIN = 2048


def encode(value: Any) -> bytes:
    """The bytes themselves."""
    if type(value) is not bytes:
        raise NotExact("not bytes")
    return value


def decode(data: bytes) -> bytes:
    """The bytes themselves."""
    return bytes(data)
