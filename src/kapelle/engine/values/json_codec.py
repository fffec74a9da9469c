"""The codec "json": one line of typed JSON, readable by people and by every other program."""

from __future__ import annotations

from typing import Any

import msgspec

from kapelle.engine.values import json_records
from kapelle.engine.values.json_forms import FormWalk, Refused, form_of, only_text, plain_scalars, restore
from kapelle.engine.values.refusals import NotExact, refusal
from kapelle.model.errors import ValueRefused

NAME = "json"

__all__ = ["NAME", "decode", "encode", "json_records", "write"]

write = msgspec.json.Encoder().encode
_read = msgspec.json.Decoder().decode


def encode(value: Any) -> bytes:
    """JSON text of a value that JSON brings back exactly; `NotExact` for others, `ValueRefused` for the hopeless."""
    kind = type(value)
    try:
        if kind is list:
            if plain_scalars(value):
                return write(value)
        elif kind is dict and only_text(map(type, value)) and "$" not in value and plain_scalars(value.values()):
            return write(value)
        try:
            return write(form_of(value, FormWalk()))
        except UnicodeEncodeError:  # somewhere is a text with surrogates
            return write(form_of(value, FormWalk(careful=True)))
    except UnicodeEncodeError:
        return write(form_of(value, FormWalk(careful=True)))
    except Refused as found:
        raise refusal(value, found.culprit) from None
    except RecursionError:
        raise NotExact("nested too deeply") from None


def decode(data: bytes) -> Any:
    """The value of a JSON text that `encode` wrote."""
    try:
        plain = _read(data)
        return restore(plain) if b'"$"' in data else plain
    except ValueRefused:
        raise
    except Exception as error:
        raise ValueRefused(
            "a stored JSON value does not decode",
            cause=f"{type(error).__name__}: {error}",
            hint="its bytes are damaged, or a newer Kapelle wrote them",
        ) from error
