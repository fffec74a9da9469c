"""The cache: results that a call of this run may take from, or leave for, other runs of the project.

The key is made of digests of everything that must be equal. The digests are kept beside the result, so that a miss can
say which of them differs.
"""

from __future__ import annotations

from kapelle.engine.call import Call
from kapelle.engine.state import Engine
from kapelle.engine.values.fingerprint import fingerprint_value
from kapelle.model.errors import UnrepeatableInput
from kapelle.model.ids import digest16
from kapelle.model.journal import Remembered
from kapelle.model.values import StoredValue
from kapelle.ports.storage.cache import CacheEntry


class CacheKey:
    """The key of one call, the parts that it was made of, and why nothing was found under it."""

    __slots__ = ("digest", "miss", "parts")

    def __init__(self, task: str, parts: tuple[tuple[str, str], ...]) -> None:
        self.parts = parts
        self.digest = digest16(task.encode(), *(f"{name}={digest}".encode() for name, digest in parts)).hex()
        self.miss = ""


def key_of(call: Call) -> CacheKey:
    """The cache key of a call: its inputs (or what `Cache.key` makes of them), code, environment and version."""
    cache = call.definition.cache
    assert cache is not None
    inputs = call.inputs.digest
    if cache.key is not None:
        chosen = fingerprint_value(cache.key(**dict(zip(call.definition.parameters, call.values, strict=True))))
        if chosen is None:
            raise UnrepeatableInput(
                f"Cache.key of {call.entry.name} gave a value that has no fingerprint",
                where=f"{call.definition.file}:{call.definition.line}",
                hint="return plain data: texts, numbers, tuples",
            )
        inputs = chosen
    parts = (
        ("inputs", inputs.hex()),
        ("code", call.entry.code),
        ("environment", call.engine.options.environment()),
        ("version", cache.version),
    )
    return CacheKey(call.entry.name, parts)


def look_up(engine: Engine, task: str, key: CacheKey) -> tuple[CacheEntry | None, str]:
    """The entry that may be taken now, or None and why there is none."""
    now = engine.clock.now_us()
    entry = engine.supervisor.find_cached(key.digest)
    if entry is not None:
        if entry.expires_at_us is None or now < entry.expires_at_us:
            return entry, ""
        return None, f"it expired {(now - entry.expires_at_us) / 1e6:.0f} s ago"
    newest = engine.supervisor.newest_cached(task)
    if newest is None:
        return None, "no result of this task is in the cache yet"
    before = dict(newest.parts)
    different = [name for name, digest in key.parts if before.get(name) != digest]
    return None, f"different from the newest cached result: {', '.join(different)}"


def remember(call: Call, stored: StoredValue, now_us: int) -> None:
    """Keep the result of a call for other runs."""
    key: CacheKey = call.cache_key
    ttl_s = call.definition.cache.ttl_s if call.definition.cache is not None else None
    expires = None if ttl_s is None else now_us + int(ttl_s * 1e6)
    call.engine.recorder.write(Remembered(call.number, key.digest, call.entry.name, key.parts, now_us, expires, stored))
