"""Settings: read once from the environment, then handed around as one frozen object.

KAPELLE_HOME      folder of the store, the blobs and the runs' own files (~/.kapelle)
KAPELLE_THREADS   threads for submitted calls of one run (twice the processors, at least 8)
KAPELLE_STRICT    1: arguments are compared in full after each call, however large
KAPELLE_CONTINUE  ids of runs that the flows called by this script go on with (set by Kapelle itself)
KAPELLE_QUIET     1: no progress display for flows that a script calls
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kapelle.model.errors import UsageError


@dataclass(frozen=True, slots=True)
class Settings:
    """How this process is set up."""

    home: Path
    threads: int = 8
    look_closely: bool = False
    quiet: bool = False
    go_on_with: tuple[str, ...] = ()

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """The settings that the environment describes. Raises UsageError, naming the variable, for a wrong one."""
        home = environ.get("KAPELLE_HOME") or ""
        threads = environ.get("KAPELLE_THREADS") or str(max(8, 2 * (os.cpu_count() or 1)))
        if not threads.isdigit() or int(threads) < 1:
            raise UsageError(f"KAPELLE_THREADS={threads!r} is not a number of threads", hint="write 1 or more")
        return cls(
            home=Path(home).expanduser().absolute() if home else Path("~/.kapelle").expanduser(),
            threads=int(threads),
            look_closely=environ.get("KAPELLE_STRICT") == "1",
            quiet=environ.get("KAPELLE_QUIET") == "1",
            go_on_with=tuple(one for one in (environ.get("KAPELLE_CONTINUE") or "").split(",") if one),
        )
