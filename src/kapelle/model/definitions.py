"""Definitions: a task or a flow as its author declared it.

The engine sees these and nothing of the decorators that made them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from kapelle.model.outcomes import Outcome
from kapelle.model.policies import Cache, Limit, Retry

Kind = Literal["task", "flow", "step"]
When = str | Callable[[tuple[Outcome[Any], ...]], bool | None]
Hook = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Hooks:
    """What an author wants called around a task or flow. A hook that raises is logged and changes nothing."""

    start: tuple[Hook, ...] = ()
    success: tuple[Hook, ...] = ()
    failure: tuple[Hook, ...] = ()
    cancel: tuple[Hook, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.start or self.success or self.failure or self.cancel)


NO_HOOKS = Hooks()


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """A task, flow or step.

    name            module path from the project's root plus qualified name, or what `name=` says
    fn              the function itself
    parameters      its signature's parameter names, in order
    defaults        default values, by name
    spread          name of its `*args` parameter, or ""
    keywords        name of its `**kwargs` parameter, or ""
    positional_only how many leading parameters cannot be given by name
    keyword_only    names that can only be given by name
    plain           no `*args`, `**kwargs` or keyword-only: the fast path of binding
    ignore          arguments that are no part of the identity
    mutates         arguments that the task changes in place
    interruptions   how often a call may be cut off by the death of its process and run again
    results         "keep" | "recompute" for results above the persist limit; None: recompute, with a warning
    """

    kind: Kind
    name: str
    fn: Callable[..., Any]
    is_async: bool
    file: str
    line: int
    parameters: tuple[str, ...]
    defaults: dict[str, Any]
    spread: str = ""
    keywords: str = ""
    positional_only: int = 0
    keyword_only: frozenset[str] = frozenset()
    plain: bool = True
    aliases: tuple[str, ...] = ()
    retry: Retry = field(default_factory=Retry)
    timeout_s: float | None = None
    grace_s: float = 5.0
    isolation: Literal["thread", "process"] = "thread"
    cache: Cache | None = None
    ignore: frozenset[str] = frozenset()
    mutates: tuple[str, ...] = ()
    external: bool = False
    limit: Limit | None = None
    when: When = "all_success"
    allow_failure: bool = False
    hooks: Hooks = NO_HOOKS
    tags: tuple[str, ...] = ()
    run_name: str = ""
    interruptions: int = 3
    results: Literal["keep", "recompute"] | None = None
    index: bool = False
    doc: str = ""

    @property
    def unwatched(self) -> frozenset[str]:
        """Arguments that the task may change."""
        return self.ignore.union(self.mutates) if self.mutates else self.ignore

    @property
    def signature(self) -> inspect.Signature:
        """The function's signature, for messages and validation; of a builtin that shows none, the widest."""
        try:
            return inspect.signature(self.fn)
        except ValueError:
            return inspect.Signature(
                [
                    inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL),
                    inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD),
                ]
            )
