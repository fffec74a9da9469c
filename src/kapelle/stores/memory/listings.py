"""Searches in memory: every predicate in one line, every run looked at."""

from __future__ import annotations

from kapelle.model.access import Scope
from kapelle.model.runs import Run, RunState
from kapelle.ports.storage.listings import Page, RunFilter
from kapelle.stores.listing_keys import cursor_behind, last_part, page_size, parse_cursor
from kapelle.stores.memory.state import View


class MemoryListings:
    """Searches over one view."""

    def __init__(self, view: View) -> None:
        self._view = view

    def runs(self, scope: Scope, where: RunFilter, *, limit: int = 50, cursor: str | None = None) -> Page:
        """Runs by time of creation, newest first."""
        size = page_size(limit)
        found = self._newest_first(scope, where)
        if cursor is not None:
            behind = parse_cursor(cursor)
            found = [run for run in found if (run.created_at_us, run.id) < behind]
        page = found[:size]
        more = len(found) > size
        return Page(page, cursor_behind(page[-1].created_at_us, page[-1].id) if more else None)

    def durations(self, scope: Scope, project: str, flow: str, *, limit: int = 20) -> list[int]:
        """How long the flow's last successful runs took, newest first."""
        size = page_size(limit)
        where = RunFilter(project=project, flow=flow, states=frozenset({RunState.SUCCEEDED}))
        spans = [
            run.ended_at_us - run.started_at_us
            for run in self._newest_first(scope, where)
            if run.started_at_us is not None and run.ended_at_us is not None
        ]
        return spans[:size]

    def _newest_first(self, scope: Scope, where: RunFilter) -> list[Run]:
        runs = [record.run for record in self._view.records()]
        found = [run for run in runs if scope.sees(run.project) and _matches(run, where)]
        return sorted(found, key=lambda run: (run.created_at_us, run.id), reverse=True)


def _matches(run: Run, where: RunFilter) -> bool:
    return (
        (where.project is None or run.project == where.project)
        and (where.flow is None or where.flow in (run.flow, last_part(run.flow)))
        and (not where.states or run.state in where.states)
        and (where.id_prefix is None or run.id.startswith(where.id_prefix))
        and (where.name is None or run.name == where.name)
        and (where.tag is None or where.tag in run.tags)
        and (where.since_us is None or run.created_at_us >= where.since_us)
    )
