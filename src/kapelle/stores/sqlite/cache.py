"""The cache of results in SQLite."""

from __future__ import annotations

from kapelle.model.access import Scope
from kapelle.ports.storage.cache import CacheEntry
from kapelle.stores.refusals import no_project
from kapelle.stores.sqlite.encoding import pack, pack_value, projects_of, unpack, unpack_value
from kapelle.stores.sqlite.session import Parameters, Session


class SqliteCache:
    """Results by project and key, in one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, scope: Scope, project: str, key: str) -> CacheEntry | None:
        """The entry of this key."""
        return self._entry("find", _visible(scope, project) | {"key": key})

    def newest(self, scope: Scope, project: str, task: str) -> CacheEntry | None:
        """The entry of this task that was made last."""
        return self._entry("newest", _visible(scope, project) | {"task": task})

    def put(self, scope: Scope, project: str, entry: CacheEntry) -> None:
        """Keep an entry, in place of one with the same key."""
        kept = self._session.change(
            "cache",
            "put",
            _visible(scope, project)
            | {
                "key": entry.key,
                "task": entry.task,
                "made_at_us": entry.made_at_us,
                "expires_at_us": entry.expires_at_us,
                "run_id": entry.run_id,
                "parts": pack(entry.parts),
                "value": pack_value(entry.value),
            },
        )
        if not kept:
            raise no_project(project)

    def clear(self, scope: Scope, project: str, task: str | None = None) -> int:
        """Forget the entries of a task, or of the project."""
        return self._session.change("cache", "clear", _visible(scope, project) | {"task": task})

    def _entry(self, name: str, parameters: Parameters) -> CacheEntry | None:
        row = self._session.row("cache", name, parameters)
        if row is None:
            return None
        key, task, parts, value, made_at_us, expires_at_us, run_id = row
        return CacheEntry(
            key=key,
            task=task,
            parts=unpack(parts, tuple[tuple[str, str], ...]),
            value=unpack_value(value),
            made_at_us=made_at_us,
            expires_at_us=expires_at_us,
            run_id=run_id,
        )


def _visible(scope: Scope, project: str) -> Parameters:
    return {"projects": projects_of(scope), "project": project}
