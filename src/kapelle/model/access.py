"""Who asks: the `Scope` that every verb of the store takes.

A row of a project that the scope does not name does not exist for its holder. Services of Kapelle itself, and the owner
of a laptop's own store, use `Scope.system()`.
"""

from __future__ import annotations

import msgspec


class Scope(msgspec.Struct, frozen=True):
    """A principal, the projects it may see and the actions it may take there.

    principal  who asks, for the audit ("system", "user:ada", "run:…")
    projects   names of projects; None means all of them
    actions    names of actions ("run:read", "run:write", …); None means all of them
    """

    principal: str
    projects: frozenset[str] | None = None
    actions: frozenset[str] | None = None

    @classmethod
    def system(cls) -> Scope:
        """The scope of Kapelle's own services: every project, every action."""
        return cls("system")

    @classmethod
    def of_project(cls, project: str, principal: str = "system") -> Scope:
        """Everything, in one project."""
        return cls(principal, frozenset([project]))

    def sees(self, project: str) -> bool:
        """Whether rows of `project` exist for this scope."""
        return self.projects is None or project in self.projects

    def may(self, action: str) -> bool:
        """Whether this scope may take `action`."""
        return self.actions is None or action in self.actions
