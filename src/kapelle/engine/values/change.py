"""Whether a task changed its arguments in place.

A task that does is not what its record says: on replay it is not run again, and its argument stays as it was
(measurement M1 of the design review). So the engine takes a snapshot before the call and looks again after it.

Small values are looked at in full, large buffers and tables at 64 places of theirs, or in full with `strict`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kapelle.engine.values.canonical import NUMERIC, REFUSALS, Walk, are_plain, put
from kapelle.engine.values.fingerprint import Fingerprint, begin, fingerprint_arguments
from kapelle.model.secret import Secret

_NOTHING: frozenset[str] = frozenset()


class _Whole(NamedTuple):
    """One argument can change: the fingerprint of the call tells."""

    place: int
    digest: bytes
    ignore: frozenset[str]


class _Parts(NamedTuple):
    """Several can: each has a digest of its own."""

    entries: tuple[tuple[int, bytes | None], ...]
    strict: bool


def snapshot(
    names: tuple[str, ...],
    values: tuple[object, ...],
    fp: Fingerprint,
    strict: bool,
    ignore: frozenset[str] = _NOTHING,
) -> object:
    """What `changed` needs, or None when nothing can change. `ignore` as for the fingerprint, plus `mutates=`."""
    if fp.immutable and not ignore:
        return None
    unseen = {entry.partition(" ")[0] for entry in fp.left_out} | ignore if fp.left_out else ignore
    watched = [
        index
        for index, value in enumerate(values)
        if type(value) not in NUMERIC and type(value) is not Secret and names[index] not in unseen
    ]
    if not watched:
        return None
    if len(watched) == 1 and not ignore and _is_small(values[watched[0]]):
        return _Whole(watched[0], fp.digest, ignore)
    entries = []
    for index in watched:
        digest, immutable = _look(values[index], strict)
        if not immutable:
            entries.append((index, digest))
    return _Parts(tuple(entries), strict) if entries else None


def changed(snapshot: object, names: tuple[str, ...], values: tuple[object, ...]) -> tuple[str, ...]:
    """Names of the arguments that are not what they were when the snapshot was taken."""
    if snapshot is None:
        return ()
    if isinstance(snapshot, _Whole):
        same = fingerprint_arguments(names, values, snapshot.ignore).digest == snapshot.digest
        return () if same else (names[snapshot.place],)
    assert isinstance(snapshot, _Parts)
    return tuple(
        [names[index] for index, digest in snapshot.entries if _look(values[index], snapshot.strict)[0] != digest]
    )


def _is_small(value: Any) -> bool:
    kind = type(value)
    if kind is list:
        return len(value) < 1000 and are_plain(value)
    return kind is dict and len(value) < 1000 and are_plain(value.values())


def _look(value: object, strict: bool) -> tuple[bytes | None, bool]:
    """The digest of a value, and whether it is immutable."""
    walk = Walk()
    walk.sampled = not strict
    out = bytearray()
    try:
        put(value, out, walk)
    except REFUSALS:
        return None, False
    state = begin()
    state.update(out)
    return state.digest(), walk.immutable
