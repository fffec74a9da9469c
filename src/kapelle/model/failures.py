"""Failures: what is kept of an exception that ended a call."""

from __future__ import annotations

import msgspec

TRACEBACK_BYTES_MAX = 16 * 1024
"""A traceback longer than this loses its middle."""

PACKED_BYTES_MAX = 64 * 1024
"""An exception that packs to more than this is not packed; a `TaskFailed` stands for it."""


class Failure(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """An exception, as it is recorded and shown.

    type       qualified name of its class ("HTTPError")
    module     the module of its class
    message    its text
    traceback  the formatted traceback, the author's own frames only
    packed     the exception itself, if it comes back equal; empty if it does not, then a `TaskFailed` stands for it
    notes      what `add_note` added
    """

    type: str
    module: str = "builtins"
    message: str = ""
    traceback: str = ""
    packed: bytes = b""
    notes: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        """ "ValueError: no rows": class and first line of the text, for lists."""
        known = self.module in ("builtins", "__main__") or self.module.startswith("kapelle.")
        name = self.type if known else f"{self.module}.{self.type}"
        first = self.message.strip().split("\n", 1)[0]
        return f"{name}: {first}" if first else name
