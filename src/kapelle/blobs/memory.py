"""Blobs in memory: for tests and for runs that nobody wants to keep."""

from __future__ import annotations

import hashlib

from kapelle.model.errors import NotFound


class MemoryBlobs:
    """Bytes in a dictionary, by project and digest."""

    def __init__(self) -> None:
        self._blobs: dict[tuple[str, str], bytes] = {}

    def put(self, project: str, data: bytes) -> str:
        """Keep the bytes; returns their digest."""
        digest = hashlib.sha256(data).hexdigest()
        self._blobs.setdefault((project, digest), bytes(data))
        return digest

    def get(self, project: str, digest: str) -> bytes:
        """The bytes of this digest."""
        try:
            return self._blobs[project, digest]
        except KeyError:
            raise NotFound(f"there is no value {digest!r} in project {project!r}") from None

    def has(self, project: str, digest: str) -> bool:
        """Whether the bytes are there."""
        return (project, digest) in self._blobs

    def delete(self, project: str, digest: str) -> None:
        """Forget the bytes, if they are there."""
        self._blobs.pop((project, digest), None)
