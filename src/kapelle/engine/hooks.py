"""Hooks: an author's functions around a task or flow. A hook that raises is logged and changes nothing."""

from __future__ import annotations

import inspect
import logging
from typing import Any

from kapelle.engine.call import Call
from kapelle.model.definitions import Hook
from kapelle.model.errors import Interrupt
from kapelle.ports.session import RunInfo, TaskInfo

logger = logging.getLogger("kapelle")


def run(call: Call, hooks: tuple[Hook, ...], *, result: Any = None, error: BaseException | None = None) -> None:
    """Call the hooks of a task: with its TaskInfo, and the result or error where they take a second argument."""
    call_hooks(hooks, call.info(), result if error is None else error)


def call_hooks(hooks: tuple[Hook, ...], info: TaskInfo | RunInfo, outcome: Any) -> None:
    """Call each hook, whatever the ones before did. An async hook is run to its end in a loop of its own."""
    for hook in hooks:
        try:
            answer = hook(info, outcome) if _takes_two(hook) else hook(info)
            if inspect.iscoroutine(answer):
                _finish(answer)
        except (Exception, Interrupt):
            logger.exception("the hook %s failed", getattr(hook, "__qualname__", hook))


def _takes_two(hook: Hook) -> bool:
    try:
        inspect.signature(hook).bind(None, None)
    except (TypeError, ValueError):
        return False
    return True


def _finish(coroutine: Any) -> None:
    import asyncio
    import threading

    def work() -> None:
        try:
            asyncio.run(coroutine)
        except Exception:
            logger.exception("an async hook failed")

    thread = threading.Thread(target=work, name="kapelle-hook")
    thread.start()
    thread.join()
