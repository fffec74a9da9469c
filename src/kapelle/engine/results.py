"""Results: from a value to its stored form and back.

A result is encoded in the calling thread before anybody else sees it, so what is recorded is what was returned, however
the flow changes the object afterwards.
"""

from __future__ import annotations

from typing import Any

import msgspec

from kapelle.engine.values.codecs import decode, encode
from kapelle.model.errors import ValueRefused
from kapelle.model.values import INLINE_BYTES_MAX, PERSIST_BYTES_MAX, StoredValue
from kapelle.ports.supervisor import Keeper

_NONE = StoredValue("json", inline=msgspec.Raw(b"null"), size=4)


def store_value(keeper: Keeper, value: Any, *, keep_large: bool = False, bound: int = PERSIST_BYTES_MAX) -> StoredValue:
    """Encode a value and put it where it belongs by its size.

    A value above `bound` bytes is not kept unless `keep_large`; its stored form says so. Raises ValueRefused when no
    codec takes the value, StoreUnwritable when a large one finds no room.
    """
    if value is None:
        return _NONE
    codec, data = encode(value)
    size = len(data)
    if size <= INLINE_BYTES_MAX:
        if codec == "json":
            return StoredValue("json", inline=msgspec.Raw(data), size=size)
        return StoredValue(codec, packed=bytes(data), size=size)
    if size > bound and not keep_large:
        return StoredValue(codec, size=size)
    return StoredValue(codec, digest=keeper.put_blob(data), size=size)


def fetch_value(keeper: Keeper, stored: StoredValue) -> Any:
    """The value of a stored form. Raises ValueRefused when it was not kept or does not decode."""
    if stored.digest:
        return decode(stored.codec, keeper.get_blob(stored.digest))
    if stored.is_kept:
        return decode(stored.codec, bytes(stored.inline) if stored.codec == "json" else stored.packed)
    raise ValueRefused(
        f"the value ({stored.size:,} bytes) was too large to keep", hint='say results="keep" on the task'
    )


def restore_into(target: Any, source: Any) -> None:
    """Make `target` equal to `source` in place: what `mutates=` needs on replay.

    Raises ValueRefused for a type that cannot be overwritten in place.
    """
    if type(target) is not type(source):
        raise ValueRefused(f"cannot make a {type(target).__name__} into the recorded {type(source).__name__} in place")
    if isinstance(target, (list, bytearray)):
        target[:] = source
    elif isinstance(target, (dict, set)):
        target.clear()
        target.update(source)
    elif hasattr(target, "_mgr") and hasattr(target, "_update_inplace"):
        target._update_inplace(source)  # a pandas frame
    elif hasattr(target, "__array_interface__") and getattr(target, "shape", None) == source.shape:
        target[...] = source
    elif hasattr(target, "__dict__"):
        target.__dict__.clear()
        target.__dict__.update(source.__dict__)
    else:
        raise ValueRefused(
            f"a {type(target).__name__} cannot be restored in place",
            hint="return the changed value instead of mutating it",
        )
