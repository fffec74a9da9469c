"""Canonical encodings: bytes that are a function of a value alone.

Two values have the same encoding exactly if they have the same type and the same content. How the value came about
plays no part: not the process and its hash seed, not what shares memory with what, not the order in which a dict
was filled. Pickle fails on all of these (measurement M6 of the design review).

*Prefix-free.* Every encoding says where it ends, so encodings stand one behind the other without separators. Plain
values are written by `marshal` in its format 2, which is frozen, has no back references and does not look at
interning; its type bytes are ASCII. Everything else begins with one of the tags below, all of them above 0x80.

*Bounded.* What one container writes beyond a few kilobytes is replaced by its digest, and the digest of an object
is remembered for the walk: deep sharing costs no more than the distinct objects do.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from marshal import dumps
from operator import ne
from typing import Any

TAG_NAN = b"\x80"
TAG_LIST = b"\x81"
TAG_TUPLE = b"\x82"
TAG_SET = b"\x83"
TAG_FROZENSET = b"\x84"
TAG_DICT = b"\x85"
TAG_PLAIN_DICT = b"\x86"
TAG_DIGEST = b"\x87"
TAG_BYTES_DIGEST = b"\x88"
TAG_SPECIAL = b"\x89"
TAG_OBJECT = b"\x8a"
TAG_TEXT_DICT = b"\x8b"

FOLD_BYTES = 4096
"""A container that writes more than this is replaced by the digest of what it writes."""

BUFFER_BYTES = 1 << 16
"""Strings and buffers longer than this are digested where they lie instead of being copied."""

DEPTH_MAX = 120
"""Containers nested deeper than this have no fingerprint. A fixed number, so that the answer does not depend on
how deep the caller's stack happens to be."""

Encoder = Callable[[Any, bytearray, "Walk"], None]
Classifier = Callable[[Any], Encoder | None]


class Unprintable(Exception):
    """Some part of a value has no canonical encoding. The message names the part."""


REFUSALS = (Unprintable, RecursionError, ValueError, TypeError, AttributeError, OverflowError, MemoryError)
"""What a walk may end with when a value, or the user's code inside it, does not play along."""


class Walk:
    """What one walk over the arguments of one call has seen. Most walks meet no container; they pay for none."""

    immutable = True
    sampled = False
    """True when a large buffer is only to be looked at here and there."""
    unseeded = False
    """True inside a model that was trained without a seed: generators in there have no content of their own."""
    path: dict[int, None] | None = None
    folded: dict[int, tuple[object, bytes]] | None = None

    def enter(self, value: object) -> bytes | None:
        """Begin a container. Gives the digest of one that was folded before; refuses a cycle."""
        key = id(value)
        path = self.path
        if path is None:
            self.path = {key: None}
            return None
        if self.folded is not None and key in self.folded:
            return self.folded[key][1]
        if key in path:
            raise Unprintable("contains itself")
        if len(path) >= DEPTH_MAX:
            raise Unprintable("is nested too deeply")
        path[key] = None
        return None

    def leave(self, value: object, out: bytearray, start: int) -> None:
        """End a container that began to write at `start`."""
        key = id(value)
        if self.path is not None:
            self.path.pop(key, None)
        if len(out) - start > FOLD_BYTES:
            with memoryview(out)[start:] as written:
                digest = TAG_DIGEST + blake2b(written, digest_size=16).digest()
            del out[start:]
            out += digest
            if self.folded is None:
                self.folded = {}
            self.folded[key] = (value, digest)


MARSHALLED = frozenset({type(None), bool, int, str, bytes})
"""Types whose `marshal` encoding is canonical."""

NUMERIC = MARSHALLED | {float}
"""The same with floats, of which NaN alone has more than one encoding."""

only_marshalled = MARSHALLED.issuperset
only_numeric = NUMERIC.issuperset
only_text = frozenset({str}).issuperset

ENCODERS: dict[type, Encoder] = {}
"""The encoder of each exact type. The built-in ones stand here for good, classes are added when they are met."""

CLASSIFIERS: list[Classifier] = []
"""Asked in turn for the encoder of a class that is met for the first time."""

_CLASSES_MAX = 5000
_builtin_encoders: dict[type, Encoder] = {}


def are_plain(values: Any) -> bool:
    """True if `marshal` writes this collection canonically: plain scalars only, and no NaN."""
    if only_marshalled(map(type, values)):
        return True
    return only_numeric(map(type, values)) and True not in map(ne, values, values)


def put(value: Any, out: bytearray, walk: Walk) -> None:
    """Append the encoding of any value, or raise `Unprintable`."""
    (ENCODERS.get(type(value)) or encoder_for(value))(value, out, walk)


def register(encoders: dict[type, Encoder]) -> None:
    """Add encoders that are known from the start."""
    _builtin_encoders.update(encoders)
    ENCODERS.update(encoders)


def encoder_for(value: Any) -> Encoder:
    """Find and remember the encoder of a class."""
    for classify in CLASSIFIERS:
        encoder = classify(value)
        if encoder is not None:
            break
    else:
        encoder = refuse
    if len(ENCODERS) > _CLASSES_MAX:  # a program that makes classes without end must not fill the memory
        for kind in ENCODERS.keys() - _builtin_encoders.keys():  # other threads read on meanwhile
            ENCODERS.pop(kind, None)
    ENCODERS[type(value)] = encoder
    return encoder


def refuse(value: Any, out: bytearray, walk: Walk) -> None:
    """The encoder of everything that has no content of its own: files, sockets, locks, generators, …"""
    kind = type(value)
    module = "" if kind.__module__ in ("builtins", "__main__") else kind.__module__ + "."
    raise Unprintable(f"{module}{kind.__qualname__}")  # the same words as `naming.type_label`


def special(name: str, *parts: object) -> bytes:
    """The encoding of something that is given by its type and a few plain parts."""
    return TAG_SPECIAL + dumps((name, *parts), 2)  # type: ignore[arg-type]


def count(number: int) -> bytes:
    """A length, of fixed width."""
    return number.to_bytes(8, "little")


SAMPLED_BYTES_MIN = 1 << 20
SAMPLES = 64
SAMPLE_BYTES = 1024


def put_buffer(view: Any, out: bytearray, walk: Walk) -> None:
    """Append a C-contiguous buffer: short ones as they are, long ones by their digest, or that of a sample."""
    with memoryview(view) as buffer:
        size = buffer.nbytes
        out += count(size)
        if not size:
            return
        with buffer.cast("B") as octets:
            if size <= BUFFER_BYTES:
                out += octets
            elif walk.sampled and size > SAMPLED_BYTES_MIN:
                state = blake2b(octets[size - SAMPLE_BYTES :], digest_size=16)
                for start in range(0, size, size // SAMPLES):
                    state.update(octets[start : start + SAMPLE_BYTES])
                out += state.digest()
            else:
                out += blake2b(octets, digest_size=16).digest()
