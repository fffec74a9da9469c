"""Blobs: large encoded values, by project and digest."""

from __future__ import annotations

from typing import Protocol


class Blobs(Protocol):
    """Bytes by project and SHA-256 digest. What `put` returned is durable, and never readable in part."""

    def put(self, project: str, data: bytes) -> str:
        """Keep the bytes; returns their hexadecimal digest. Keeping the same bytes twice costs nothing.

        Raises StoreUnwritable when there is no room or no right to write.
        """
        ...

    def get(self, project: str, digest: str) -> bytes:
        """The bytes, checked against the digest. NotFound if there are none, ValueRefused if they are damaged."""
        ...

    def has(self, project: str, digest: str) -> bool:
        """Whether the bytes are there."""
        ...

    def delete(self, project: str, digest: str) -> None:
        """Forget the bytes, if they are there."""
        ...
