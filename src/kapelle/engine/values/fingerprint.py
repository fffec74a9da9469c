"""Fingerprints: which inputs did a call have?

A fingerprint is part of the identity of a call, so it must come out the same in every process and at every time in
which the inputs are the same (see `canonical`). What cannot be told apart by content (a connection, a lock, an open
file) is left out and named; what the author must not see written down (`Secret`) is left out silently.
"""

from __future__ import annotations

from collections.abc import Collection
from hashlib import blake2b
from marshal import dumps
from typing import NamedTuple

from kapelle.engine.values import canonical_catalog
from kapelle.engine.values.canonical import (
    ENCODERS,
    FOLD_BYTES,
    MARSHALLED,
    REFUSALS,
    Unprintable,
    Walk,
    are_plain,
    encoder_for,
    put,
)
from kapelle.engine.values.naming import type_label
from kapelle.model.secret import Secret

FINGERPRINT_VERSION = 1
"""Stands in the journal beside what was computed with it. A change of any encoding is a new version."""


class Fingerprint(NamedTuple):
    """What the arguments of a call came to.

    digest      16 bytes, of everything that has a canonical encoding
    immutable   True when nothing in the arguments can change, so that nobody needs to look at them again
    left_out    names of the arguments that cannot be fingerprinted, with the reason: "session (sqlite3.Connection)"
    """

    digest: bytes
    immutable: bool
    left_out: tuple[str, ...]


canonical_catalog.load()
begin = blake2b(b"kapelle fingerprint %d" % FINGERPRINT_VERSION, digest_size=16).copy
"""A fresh hash that has already taken the version in."""
_new = tuple.__new__
_NOTHING: frozenset[str] = frozenset()


def fingerprint_arguments(
    names: tuple[str, ...], values: tuple[object, ...], ignore: frozenset[str] = _NOTHING
) -> Fingerprint:
    """The fingerprint of one call's arguments, without those in `ignore`."""
    immutable = True
    if len(values) == 1:
        value = values[0]
        kind = type(value)
        if kind in MARSHALLED:
            plain = True
        elif kind is list:
            plain = len(value) <= FOLD_BYTES and are_plain(value)  # type: ignore[arg-type]
            immutable = False
        else:
            plain = kind is float and value == value
    else:
        plain = are_plain(values)
    if plain and not ignore:
        try:
            state = begin()
            state.update(dumps((names, values), 2))  # type: ignore[arg-type]
            return _new(Fingerprint, (state.digest(), immutable, ()))
        except ValueError:
            pass  # a text of more than two gigabytes
    return _walk_arguments(names, values, ignore)


def _walk_arguments(names: tuple[str, ...], values: tuple[object, ...], ignore: frozenset[str]) -> Fingerprint:
    if ignore and not ignore.isdisjoint(names):
        return _without(ignore, names, values)
    walk = Walk()
    out = bytearray(dumps(names, 2))
    try:
        for value in values:
            kind = type(value)
            if kind is Secret:
                secrets = [name for name, value in zip(names, values, strict=True) if type(value) is Secret]
                return _without(secrets, names, values)
            (ENCODERS.get(kind) or encoder_for(value))(value, out, walk)
    except REFUSALS:
        return _sort_out(names, values)
    state = begin()
    state.update(out)
    return _new(Fingerprint, (state.digest(), walk.immutable, ()))


def _without(dropped: Collection[str], names: tuple[str, ...], values: tuple[object, ...]) -> Fingerprint:
    """The fingerprint that the other arguments have by themselves."""
    rest = [pair for pair in zip(names, values, strict=True) if pair[0] not in dropped]
    return fingerprint_arguments(tuple([pair[0] for pair in rest]), tuple([pair[1] for pair in rest]))


def _sort_out(names: tuple[str, ...], values: tuple[object, ...]) -> Fingerprint:
    """Some argument has no encoding: find out which, and why."""
    refused: dict[str, str] = {}
    out = bytearray(dumps(names, 2))
    for name, value in zip(names, values, strict=True):
        try:
            put(value, out, Walk())
        except REFUSALS as refusal:
            refused[name] = f"{name} ({_reason(value, refusal)})"
    if not refused:  # the user's code in it has thought better of it
        state = begin()
        state.update(out)
        return _new(Fingerprint, (state.digest(), False, ()))
    found = _without(refused, names, values)
    return _new(Fingerprint, (found.digest, found.immutable, (*refused.values(), *found.left_out)))


def _reason(value: object, refusal: Exception) -> str:
    label = type_label(type(value))
    part = str(refusal) if isinstance(refusal, Unprintable) else type(refusal).__name__
    if part == label:
        return label
    return f"{label} that {part}" if part.startswith(("contains", "is ")) else f"{label}, because of {part}"


def fingerprint_value(value: object) -> bytes | None:
    """The digest of one value, or None if it has no canonical encoding."""
    out = bytearray()
    try:
        put(value, out, Walk())
    except REFUSALS:
        return None
    state = begin()
    state.update(out)
    return state.digest()
