"""The home of a person's runs: store, blobs and the runs' own files in one folder, shared by any number of scripts."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from kapelle.authoring.naming import main_module_path
from kapelle.blobs.files import FileBlobs
from kapelle.engine.values.naming import declare_main
from kapelle.model.access import Scope
from kapelle.model.errors import NotFound, StoreError, UsageError
from kapelle.model.runs import Run, RunState
from kapelle.ports.blobs import Blobs
from kapelle.ports.clock import Clock
from kapelle.ports.storage.listings import RunFilter
from kapelle.ports.storage.store import Store
from kapelle.settings import Settings
from kapelle.stores.sqlite.store import SqliteStore
from kapelle.supervisor.leftovers import settle_all
from kapelle.wiring.clock import SystemClock

STORE_FILE = "kapelle.db"


class LocalHome:
    """An opened home. A context manager; `close` gives the files back."""

    def __init__(self, settings: Settings, store: Store, blobs: Blobs, clock: Clock) -> None:
        self.settings = settings
        self.store = store
        self.blobs = blobs
        self.clock = clock

    @property
    def runs(self) -> Path:
        """The folder of the runs' own files."""
        return self.settings.home / "runs"

    def settle(self) -> list[str]:
        """Ship what dead processes left and mark their runs as abandoned; the ids of the runs that were touched."""
        return settle_all(self.store, self.runs, self.clock.now_us())

    def find(self, ref: str) -> Run:
        """The run that a person means: an id or its beginning, a name, "@last", "@last-failed".

        NotFound, with what comes close, when there is none; UsageError when several begin like that.
        """
        scope = Scope.system()
        with self.store.read() as tx:
            if ref.startswith("@"):
                return self._by_word(tx.listings.runs, ref)
            by_id = tx.listings.runs(scope, RunFilter(id_prefix=ref.lower()), limit=6).runs if ref else ()
            if len(by_id) == 1 or (by_id and by_id[0].id == ref):
                return by_id[0]
            by_name = tx.listings.runs(scope, RunFilter(name=ref), limit=1).runs
            if by_name:
                return by_name[0]
            if by_id:
                raise UsageError(
                    f"several runs begin with {ref!r}",
                    cause=", ".join(f"{run.id[:12]} ({run.name})" for run in by_id[:5]),
                    hint="write more of the id",
                )
            recent = tx.listings.runs(scope, RunFilter(), limit=200).runs
        close = difflib.get_close_matches(ref, [name for run in recent for name in (run.name, run.id[:8])], n=3)
        raise NotFound(
            f"there is no run {ref!r}",
            where=str(self.settings.home),
            hint=f"did you mean {' or '.join(close)}?" if close else "`kapelle runs` lists the runs that are here",
        )

    def _by_word(self, list_runs: object, ref: str) -> Run:
        filters = {"@last": RunFilter(), "@last-failed": RunFilter(states=frozenset({RunState.FAILED}))}
        if ref not in filters:
            raise UsageError(f"{ref!r} is no run", hint="there are @last and @last-failed")
        found = list_runs(Scope.system(), filters[ref], limit=1).runs  # type: ignore[operator]
        if not found:
            raise NotFound(
                "no run has failed" if ref == "@last-failed" else "no run has been made yet",
                where=str(self.settings.home),
                hint="`kapelle run FILE.py:flow` makes one" if ref == "@last" else "",
            )
        run: Run = found[0]
        return run

    def close(self) -> None:
        """Give back the store's files."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


def open_home(settings: Settings | None = None) -> LocalHome:
    """Open the home that the settings name (by default those of the environment), making it if need be."""
    chosen = settings or Settings.from_environ(os.environ)
    declare_main(main_module_path())
    clock = SystemClock()
    store = SqliteStore(chosen.home / STORE_FILE, clock)
    try:
        return LocalHome(chosen, store, FileBlobs(chosen.home / "blobs"), clock)
    except StoreError:
        store.close()
        raise
