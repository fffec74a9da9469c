"""The cache of results in memory."""

from __future__ import annotations

from kapelle.model.access import Scope
from kapelle.ports.storage.cache import CacheEntry
from kapelle.stores.memory.state import View
from kapelle.stores.refusals import no_project


class MemoryCache:
    """Results by project and key, over one view."""

    def __init__(self, view: View) -> None:
        self._view = view

    def find(self, scope: Scope, project: str, key: str) -> CacheEntry | None:
        """The entry of this key."""
        return self._entries(scope, project).get(key)

    def newest(self, scope: Scope, project: str, task: str) -> CacheEntry | None:
        """The entry of this task that was made last."""
        of_task = [entry for entry in self._entries(scope, project).values() if entry.task == task]
        return max(of_task, key=lambda entry: (entry.made_at_us, entry.key), default=None)

    def put(self, scope: Scope, project: str, entry: CacheEntry) -> None:
        """Keep an entry, in place of one with the same key."""
        self._view.require_writable()
        if not scope.sees(project):
            raise no_project(project)
        self._view.set_cache_entry(project, entry.key, entry)

    def clear(self, scope: Scope, project: str, task: str | None = None) -> int:
        """Forget the entries of a task, or of the project."""
        self._view.require_writable()
        doomed = [key for key, entry in self._entries(scope, project).items() if task is None or entry.task == task]
        for key in doomed:
            self._view.set_cache_entry(project, key, None)
        return len(doomed)

    def _entries(self, scope: Scope, project: str) -> dict[str, CacheEntry]:
        return self._view.cache_entries(project) if scope.sees(project) else {}
