"""Kapelle: workflows in plain typed Python that survive anything.

    from kapelle import flow, task

    @task(retries=3)
    def extract(day: str) -> list[int]: ...

    @flow
    def daily(day: str) -> int:
        return sum(extract(day))

Importing this package does nothing and loads nothing: each name is fetched when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kapelle.model.version import VERSION as __version__

_HOMES = {
    "flow": "authoring.flows",
    "Flow": "authoring.flows",
    "task": "authoring.tasks",
    "Task": "authoring.tasks",
    "step": "authoring.vocabulary",
    "run": "authoring.vocabulary",
    "resource": "authoring.vocabulary",
    "parallel": "authoring.vocabulary",
    "executor": "authoring.vocabulary",
    "unmapped": "authoring.vocabulary",
    "as_completed": "authoring.vocabulary",
    "current_run": "authoring.vocabulary",
    "current_task": "authoring.vocabulary",
    "Cache": "model.policies",
    "Retry": "model.policies",
    "Limit": "model.policies",
    "Outcome": "model.outcomes",
    "Secret": "model.secret",
    "Future": "ports.session",
    "RunInfo": "ports.session",
    "TaskInfo": "ports.session",
    "KapelleError": "model.errors",
    "NotFound": "model.errors",
    "CallError": "model.errors",
    "ArgumentChanged": "model.errors",
    "ValueRefused": "model.errors",
    "UsageError": "model.errors",
    "TemporaryError": "model.errors",
    "PermanentError": "model.errors",
    "Skip": "model.errors",
    "RunFailed": "model.errors",
    "RunCancelled": "model.errors",
    "TaskFailed": "model.errors",
    "TaskTimedOut": "model.errors",
    "TaskTimeout": "model.errors",
    "TaskCrashed": "model.errors",
    "TaskSkipped": "model.errors",
    "UpstreamFailed": "model.errors",
    "ParameterError": "model.errors",
}

__all__ = ["__version__", *sorted(_HOMES)]

if TYPE_CHECKING:
    from kapelle.authoring.flows import Flow as Flow
    from kapelle.authoring.flows import flow as flow
    from kapelle.authoring.tasks import Task as Task
    from kapelle.authoring.tasks import task as task
    from kapelle.authoring.vocabulary import as_completed as as_completed
    from kapelle.authoring.vocabulary import current_run as current_run
    from kapelle.authoring.vocabulary import current_task as current_task
    from kapelle.authoring.vocabulary import executor as executor
    from kapelle.authoring.vocabulary import parallel as parallel
    from kapelle.authoring.vocabulary import resource as resource
    from kapelle.authoring.vocabulary import run as run
    from kapelle.authoring.vocabulary import step as step
    from kapelle.authoring.vocabulary import unmapped as unmapped
    from kapelle.model.errors import ArgumentChanged as ArgumentChanged
    from kapelle.model.errors import CallError as CallError
    from kapelle.model.errors import KapelleError as KapelleError
    from kapelle.model.errors import NotFound as NotFound
    from kapelle.model.errors import ParameterError as ParameterError
    from kapelle.model.errors import PermanentError as PermanentError
    from kapelle.model.errors import RunCancelled as RunCancelled
    from kapelle.model.errors import RunFailed as RunFailed
    from kapelle.model.errors import Skip as Skip
    from kapelle.model.errors import TaskCrashed as TaskCrashed
    from kapelle.model.errors import TaskFailed as TaskFailed
    from kapelle.model.errors import TaskSkipped as TaskSkipped
    from kapelle.model.errors import TaskTimedOut as TaskTimedOut
    from kapelle.model.errors import TaskTimeout as TaskTimeout
    from kapelle.model.errors import TemporaryError as TemporaryError
    from kapelle.model.errors import UpstreamFailed as UpstreamFailed
    from kapelle.model.errors import UsageError as UsageError
    from kapelle.model.errors import ValueRefused as ValueRefused
    from kapelle.model.outcomes import Outcome as Outcome
    from kapelle.model.policies import Cache as Cache
    from kapelle.model.policies import Limit as Limit
    from kapelle.model.policies import Retry as Retry
    from kapelle.model.secret import Secret as Secret
    from kapelle.ports.session import Future as Future
    from kapelle.ports.session import RunInfo as RunInfo
    from kapelle.ports.session import TaskInfo as TaskInfo


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'kapelle' has no attribute {name!r}")
    value = getattr(import_module(f"kapelle.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
