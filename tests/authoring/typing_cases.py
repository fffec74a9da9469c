"""What a type checker sees of tasks, flows and futures. Checked by mypy, never run."""

from collections.abc import Coroutine
from typing import Any, assert_type

from kapelle import Future, Outcome, current_run, current_task, flow, run, step, task
from kapelle.authoring.flows import AsyncFlow, Flow
from kapelle.authoring.tasks import AsyncTask, Task
from kapelle.ports.session import RunInfo, TaskInfo


@task
def plain(x: int, name: str = "") -> float:
    return float(x)


@task(retries=3)
def optioned(x: int) -> list[str]:
    return [str(x)]


@task
async def later(x: int) -> bytes:
    return b"x" * x


@flow
def daily(day: str) -> int:
    return len(day)


@flow(tags=("nightly",))
def tagged(day: str) -> int:
    return len(day)


@flow
async def hourly(day: str) -> int:
    return len(day)


async def cases() -> None:
    assert_type(plain(1), float)
    assert_type(plain.submit(1), Future[float])
    assert_type(plain.submit(1).result(), float)
    assert_type(plain.submit(1).outcome(), Outcome[float])
    assert_type(plain.with_options(retries=1)(1), float)
    assert_type(await plain.aio(1), float)
    assert_type(optioned(1), list[str])
    assert_type(optioned.submit(1).result(), list[str])
    assert_type(await later(1), bytes)
    coroutine: Coroutine[Any, Any, bytes] = later(1)
    await coroutine
    assert_type(later.submit(1), Future[bytes])
    assert_type(daily("today"), int)
    assert_type(tagged("today"), int)
    assert_type(await hourly("today"), int)
    assert_type(step(len, "abc"), int)
    assert_type(current_run(), RunInfo)
    assert_type(current_task(), TaskInfo)
    assert_type(run.random().random(), float)
    kinds: tuple[type[Any], ...] = (Task, AsyncTask, Flow, AsyncFlow)
    assert kinds

    plain("one")  # type: ignore[arg-type]
    plain(1, nme="x")  # type: ignore[call-arg]
    daily(1)  # type: ignore[arg-type]
