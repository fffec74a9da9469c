"""Values as they stand in columns: structured ones as JSON, lines compressed."""

from __future__ import annotations

import zlib
from typing import TypeVar

import msgspec

from kapelle.model.access import Scope
from kapelle.model.errors import StoreError
from kapelle.model.values import StoredValue

T = TypeVar("T")

_encoder = msgspec.json.Encoder()
_decoders: dict[object, msgspec.json.Decoder[object]] = {}

COMPRESSION_LEVEL = 1
"""Level 6 saves a tenth of the bytes and takes twice the time; in whole pages the tenth is nearly lost again."""


def pack(value: object) -> bytes:
    """A structured value as the bytes of a column."""
    try:
        return _encoder.encode(value)
    except UnicodeError as error:
        raise StoreError("a text cannot be stored", cause=str(error), hint="it holds half a character") from error


def pack_or_null(value: object | None) -> bytes | None:
    """The same, None staying NULL."""
    return None if value is None else pack(value)


def unpack(data: bytes, kind: type[T]) -> T:
    """The value of a column. `kind` may be any annotation that msgspec decodes."""
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind)
    return decoder.decode(data)  # type: ignore[return-value]


def unpack_or_none(data: bytes | None, kind: type[T]) -> T | None:
    """The same, NULL staying None."""
    return None if data is None else unpack(data, kind)


class _ValueForm(msgspec.Struct, array_like=True):
    """A stored value with its JSON text as a text."""

    codec: str
    inline: str
    packed: bytes
    digest: str
    size: int


def pack_value(value: StoredValue) -> bytes:
    """A stored value as the bytes of a column."""
    return pack(_ValueForm(value.codec, bytes(value.inline).decode(), value.packed, value.digest, value.size))


def unpack_value(data: bytes) -> StoredValue:
    """The stored value of a column."""
    form = unpack(data, _ValueForm)
    return StoredValue(form.codec, msgspec.Raw(form.inline.encode()), form.packed, form.digest, form.size)


def compress(lines: bytes) -> bytes:
    """Lines as a chunk. Releases the interpreter lock."""
    return zlib.compress(lines, COMPRESSION_LEVEL)


def expand(chunk: bytes) -> bytes:
    """The lines of a chunk."""
    return zlib.decompress(chunk)


def projects_of(scope: Scope) -> str | None:
    """The parameter `:projects`: a JSON list, or NULL for all."""
    return None if scope.projects is None else pack(sorted(scope.projects)).decode()
