"""Canonical encodings of text and of the built-in containers.

Containers of plain scalars are written in one piece. A container is noted while it is walked, so that one which
contains itself is found.
"""

from __future__ import annotations

from collections.abc import Iterable
from marshal import dumps
from typing import Any

from kapelle.engine.values.canonical import (
    BUFFER_BYTES,
    FOLD_BYTES,
    TAG_BYTES_DIGEST,
    TAG_DICT,
    TAG_FROZENSET,
    TAG_LIST,
    TAG_PLAIN_DICT,
    TAG_SET,
    TAG_TEXT_DICT,
    TAG_TUPLE,
    Walk,
    are_plain,
    count,
    only_text,
    put,
    put_buffer,
    register,
    special,
)


def _put_text(value: Any, out: bytearray, walk: Walk) -> None:
    if len(value) <= BUFFER_BYTES:
        out += dumps(value, 2)
        return
    out += TAG_BYTES_DIGEST
    out += b"s" if type(value) is str else b"b"
    put_buffer(value.encode("utf-8", "surrogatepass") if type(value) is str else value, out, walk)


def _put_bytearray(value: bytearray, out: bytearray, walk: Walk) -> None:
    walk.immutable = False
    out += special("bytearray")
    put_buffer(value, out, walk)


def _put_list(value: list[Any], out: bytearray, walk: Walk) -> None:
    walk.immutable = False
    if len(value) <= FOLD_BYTES and are_plain(value):
        out += dumps(value, 2)
    else:
        _put_items(TAG_LIST, value, out, walk)


def _put_tuple(value: tuple[Any, ...], out: bytearray, walk: Walk) -> None:
    if len(value) <= FOLD_BYTES and are_plain(value):
        out += dumps(value, 2)
    else:
        _put_items(TAG_TUPLE, value, out, walk)


def _put_items(tag: bytes, value: Any, out: bytearray, walk: Walk) -> None:
    start = len(out)
    folded = walk.enter(value)
    if folded is not None:
        out += folded
        return
    out += tag
    out += count(len(value))
    if are_plain(value):  # long: the items alone, in one piece
        out += TAG_LIST
        out += dumps(list(value), 2)
    else:
        out += TAG_TUPLE
        for item in value:
            put(item, out, walk)
    walk.leave(value, out, start)


def sorted_parts(values: Iterable[Any], walk: Walk) -> list[bytes]:
    """The encodings of unordered things, in an order that every process agrees on."""
    parts = []
    for value in values:
        part = bytearray()
        put(value, part, walk)
        parts.append(bytes(part))
    parts.sort()
    return parts


def _put_set(value: set[Any], out: bytearray, walk: Walk) -> None:
    walk.immutable = False
    _put_unordered(TAG_SET, value, out, walk)


def _put_frozenset(value: frozenset[Any], out: bytearray, walk: Walk) -> None:
    _put_unordered(TAG_FROZENSET, value, out, walk)


def _put_unordered(tag: bytes, value: Any, out: bytearray, walk: Walk) -> None:
    start = len(out)
    folded = walk.enter(value)
    if folded is not None:
        out += folded
        return
    out += tag
    out += count(len(value))
    out += b"".join(sorted_parts(value, walk))
    walk.leave(value, out, start)


def _put_dict(value: dict[Any, Any], out: bytearray, walk: Walk) -> None:
    walk.immutable = False
    keys: list[Any] = []
    contents: list[Any] = []
    if only_text(map(type, value)):  # text sorts by itself
        keys = sorted(value)
        contents = [value[key] for key in keys]
        if len(keys) <= FOLD_BYTES and are_plain(contents):
            out += TAG_PLAIN_DICT
            out += dumps((keys, contents), 2)
            return
    start = len(out)
    folded = walk.enter(value)
    if folded is not None:
        out += folded
        return
    if keys:
        out += TAG_TEXT_DICT
        out += dumps(keys, 2)
        for content in contents:
            put(content, out, walk)
    else:
        out += TAG_DICT
        out += count(len(value))
        for encoded, content in _encoded_keys(value, walk):
            out += encoded
            put(content, out, walk)
    walk.leave(value, out, start)


def _encoded_keys(value: dict[Any, Any], walk: Walk) -> list[tuple[bytes, Any]]:
    pairs = []
    for key, content in value.items():
        part = bytearray()
        put(key, part, walk)
        pairs.append((bytes(part), content))
    pairs.sort(key=_first)
    return pairs


def _first(pair: tuple[bytes, Any]) -> bytes:
    return pair[0]


register(
    {
        str: _put_text,
        bytes: _put_text,
        bytearray: _put_bytearray,
        list: _put_list,
        tuple: _put_tuple,
        set: _put_set,
        frozenset: _put_frozenset,
        dict: _put_dict,
    }
)
