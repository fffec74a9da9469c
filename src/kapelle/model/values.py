"""Stored values: what a codec made of a Python value, and where it lies.

A small value stands inside its journal line (`inline`), a large one in the project's blob store under the digest of
its bytes, and a value that the author chose not to keep nowhere at all.
"""

from __future__ import annotations

import msgspec

INLINE_BYTES_MAX = 4096
"""Encoded values up to this size stand in the journal line itself."""

PERSIST_BYTES_MAX = 256 * 1024 * 1024
"""Encoded values above this size are kept only where the author says so (`results="keep"`)."""


class StoredValue(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """An encoded value.

    codec   name of the codec that made the bytes ("json", "array", "frame", "pickle", …)
    inline  the bytes as JSON text, for the JSON codec (valid JSON, put into the line as it is)
    packed  the bytes, for the other codecs, when they are small
    digest  hexadecimal SHA-256 of the bytes, when they lie in the blob store
    size    length of the bytes
    """

    codec: str
    inline: msgspec.Raw = msgspec.Raw(b"null")
    packed: bytes = b""
    digest: str = ""
    size: int = 0

    @property
    def is_kept(self) -> bool:
        """False for a value that was too large to keep: the call runs again if somebody needs it."""
        return self.size <= INLINE_BYTES_MAX or bool(self.digest)
