"""Names of things: run ids, attempt ids, digests as text. Chance is handed in by the caller."""

from __future__ import annotations

import base64
from hashlib import blake2b

RUN_ID_LENGTH = 26


def text_id(chance: bytes) -> str:
    """16 random bytes as 26 lower-case letters and digits."""
    return base64.b32encode(chance).decode().rstrip("=").lower()


def digest16(*parts: bytes) -> bytes:
    """16 bytes that stand for the parts, their borders included."""
    state = blake2b(digest_size=16)
    for part in parts:
        state.update(len(part).to_bytes(4, "little"))
        state.update(part)
    return state.digest()
