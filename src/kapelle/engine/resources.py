"""Resources: something created for a while, and cleaned up in whichever process the block ends.

Creation and clean-up are two recorded calls. A run that dies inside the block goes on by replay, takes the created
thing from the journal, and reaches the clean-up once. A cancelled run still cleans up, within its grace time.
"""

from __future__ import annotations

from typing import Any

from kapelle.core.retry import CLEANUP_MARK
from kapelle.engine import calls, loops
from kapelle.engine.strand import Strand
from kapelle.model.definitions import Definition
from kapelle.model.errors import UsageError
from kapelle.ports.session import current


class Resource:
    """The block. Entering it gives what `create` returned; leaving it calls `cleanup` with that."""

    def __init__(self, create: Definition, values: tuple[Any, ...], cleanup: Definition) -> None:
        self._create = create
        self._values = values
        self._cleanup = cleanup
        self._thing: Any = None
        self._create_key = self._key = ""

    def __enter__(self) -> Any:
        strand = self._strand()
        if strand.is_async:
            raise UsageError("resource(…) in async code needs `async with`")
        with strand.lane:
            self._name(strand)
            if self._create.is_async:
                self._thing = loops.call_from_thread(
                    strand, lambda: calls.perform_async(strand, self._create, self._values, self._create_key)
                )
            else:
                self._thing = calls.perform(strand, self._create, self._values, self._create_key)
        return self._thing

    def __exit__(self, *_: object) -> None:
        strand = self._strand()
        with strand.lane:
            if self._cleanup.is_async:
                loops.call_from_thread(strand, lambda: self._clean_async(strand))
            else:
                calls.perform(strand, self._cleanup, (self._thing,), self._key, shielded=True)

    async def __aenter__(self) -> Any:
        strand = self._strand()
        self._name(strand)
        if self._create.is_async:
            self._thing = await calls.perform_async(strand, self._create, self._values, self._create_key)
        else:
            self._thing = calls.perform(strand, self._create, self._values, self._create_key)
        return self._thing

    async def __aexit__(self, *_: object) -> None:
        strand = self._strand()
        if self._cleanup.is_async:
            await self._clean_async(strand)
        else:
            calls.perform(strand, self._cleanup, (self._thing,), self._key, shielded=True)

    async def _clean_async(self, strand: Strand) -> None:
        await calls.perform_async(strand, self._cleanup, (self._thing,), self._key, shielded=True)

    def _name(self, strand: Strand) -> None:
        """Creation gets a key of its own, and clean-up the same behind a mark, so that each finds the other."""
        self._create_key = f"resource{strand.new_key()}"
        self._key = f"{CLEANUP_MARK}{self._create_key}"

    @staticmethod
    def _strand() -> Strand:
        strand = current.get()
        assert isinstance(strand, Strand)
        return strand
