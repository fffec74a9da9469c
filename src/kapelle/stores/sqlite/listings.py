"""Searches in SQLite: one statement, composed of the predicates that are wanted."""

from __future__ import annotations

from kapelle.model.access import Scope
from kapelle.ports.storage.listings import Page, RunFilter
from kapelle.stores.listing_keys import LAST_CHARACTER, cursor_behind, last_part, page_size, parse_cursor
from kapelle.stores.sqlite.encoding import pack, projects_of
from kapelle.stores.sqlite.queries import statement
from kapelle.stores.sqlite.run_rows import run_of
from kapelle.stores.sqlite.session import Parameters, Session


class SqliteListings:
    """Searches, in one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def runs(self, scope: Scope, where: RunFilter, *, limit: int = 50, cursor: str | None = None) -> Page:
        """Runs by time of creation, newest first."""
        size = page_size(limit)
        predicates, parameters = _predicates(scope, where)
        if cursor is not None:
            predicates.append("where_behind")
            parameters["behind_us"], parameters["behind_id"] = parse_cursor(cursor)
        # One more than wanted tells whether there is a next page.
        parameters["limit"] = size + 1
        sql = "\n".join(statement("listings", name) for name in ("runs", *predicates, "newest_first"))
        found = [run_of(row) for row in self._session.rows_of(sql, parameters)]
        page = found[:size]
        more = len(found) > size
        return Page(page, cursor_behind(page[-1].created_at_us, page[-1].id) if more else None)

    def durations(self, scope: Scope, project: str, flow: str, *, limit: int = 20) -> list[int]:
        """How long the flow's last successful runs took, newest first."""
        parameters = {
            "projects": projects_of(scope),
            "project": project,
            "flow": flow,
            "flow_last_part": last_part(flow),
            "limit": page_size(limit),
        }
        return [int(span) for (span,) in self._session.rows("listings", "durations", parameters)]


def _predicates(scope: Scope, where: RunFilter) -> tuple[list[str], Parameters]:
    """The names of the predicates that are set, and their parameters."""
    chosen: dict[str, Parameters] = {}
    if scope.projects is not None:
        chosen["where_seen"] = {"projects": projects_of(scope)}
        if len(scope.projects) == 1:
            chosen["where_only"] = {"only": next(iter(scope.projects))}
    if where.project is not None:
        chosen["where_project"] = {"project": where.project}
    if where.flow is not None:
        chosen["where_flow"] = {"flow": where.flow, "flow_last_part": last_part(where.flow)}
    if len(where.states) == 1:
        chosen["where_state"] = {"state": next(iter(where.states)).value}
    elif where.states:
        chosen["where_states"] = {"states": pack(sorted(where.states)).decode()}
    if where.id_prefix is not None:
        chosen["where_id_prefix"] = {"id_prefix": where.id_prefix, "id_prefix_end": where.id_prefix + LAST_CHARACTER}
    if where.name is not None:
        chosen["where_name"] = {"name": where.name}
    if where.tag is not None:
        chosen["where_tag"] = {"tag": where.tag}
    if where.since_us is not None:
        chosen["where_since_us"] = {"since_us": where.since_us}
    parameters: Parameters = {}
    for part in chosen.values():
        parameters |= part
    return list(chosen), parameters
