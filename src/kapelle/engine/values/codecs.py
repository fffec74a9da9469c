"""Codecs: values to bytes and back, exactly.

What `decode(*encode(value))` gives has the same type and the same content as the value; a codec that cannot promise
this says so, and the next one is tried.

    bytes    long byte strings, as they are
    json     typed JSON: scalars, containers, dates, records. Readable, inline in the journal
    array    numpy arrays as their buffers
    frame    tables of pandas, pyarrow and polars by Arrow, if they come back equal
    pickle   everything else. Opened only in run processes of the same project, for it runs code
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any, NamedTuple

from kapelle.engine.values import array_codec, bytes_codec, frame_codec, json_codec, pickle_codec
from kapelle.engine.values.json_forms import INT_MAX, INT_MIN
from kapelle.engine.values.refusals import NotExact
from kapelle.model.errors import ValueRefused


class Encoded(NamedTuple):
    """What became of a value: the name of the codec, and its bytes. For "json" they are JSON text on one line."""

    codec: str
    data: bytes


_IN_ORDER: tuple[tuple[str, Callable[[Any], bytes]], ...] = (
    (json_codec.NAME, json_codec.encode),
    (array_codec.NAME, array_codec.encode),
    (frame_codec.NAME, frame_codec.encode),
)

_DECODERS: dict[str, Callable[[bytes], Any]] = {
    bytes_codec.NAME: bytes_codec.decode,
    json_codec.NAME: json_codec.decode,
    array_codec.NAME: array_codec.decode,
    frame_codec.NAME: frame_codec.decode,
    pickle_codec.NAME: pickle_codec.decode,
}

_write = json_codec.write
_new = tuple.__new__
_NONE = Encoded("json", b"null")
_TRUE = Encoded("json", b"true")
_FALSE = Encoded("json", b"false")


def encode(value: object) -> Encoded:
    """Make bytes of a value with the first codec that brings it back exactly, or raise `ValueRefused`."""
    if value is None:
        return _NONE
    kind = type(value)
    if kind is int:
        if INT_MIN <= value <= INT_MAX:  # type: ignore[operator]
            return _new(Encoded, ("json", _write(value)))
    elif kind is str:
        try:
            return _new(Encoded, ("json", _write(value)))
        except UnicodeEncodeError:
            pass  # surrogates
    elif kind is float:
        if isfinite(value):  # type: ignore[arg-type]
            return _new(Encoded, ("json", _write(value)))
    elif kind is bool:
        return _TRUE if value else _FALSE
    elif kind is bytes and len(value) >= bytes_codec.LENGTH_MIN:  # type: ignore[arg-type]
        return _new(Encoded, (bytes_codec.NAME, value))
    for name, write in _IN_ORDER:
        try:
            return _new(Encoded, (name, write(value)))
        except NotExact:
            continue
    return _new(Encoded, (pickle_codec.NAME, pickle_codec.encode(value)))


def decode(codec: str, data: bytes) -> object:
    """The value of what `encode` made, or `ValueRefused` when it cannot be had any more."""
    decoder = _DECODERS.get(codec)
    if decoder is None:
        raise ValueRefused(
            f"a stored value needs the codec {codec!r}, which is not known here",
            cause="a newer Kapelle wrote it",
            hint="upgrade Kapelle",
        )
    return decoder(data)
