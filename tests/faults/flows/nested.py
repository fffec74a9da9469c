"""Flows in flows, called and submitted."""

from tests.faults.flows.witness import witnessed

from kapelle import flow, task


@task(interruptions=99)
def leaf(name: str, number: int) -> int:
    with witnessed("leaf", name, number):
        return number + len(name)


@task(interruptions=99)
def branching(name: str) -> int:
    """A task that calls tasks."""
    return leaf(name, 1) + leaf(name, 2) + leaf(name, 2)


@flow
def inner(name: str, depth: int) -> int:
    below = inner(f"{name}i", depth - 1) if depth else 0
    return below + leaf(name, depth) + branching(name)


@flow
def outer() -> list[int]:
    called = [inner(name, 2) for name in ("a", "bb", "a")]
    submitted = [inner.submit(name, 1) for name in ("c", "dd", "c")]
    return called + [future.result() for future in submitted]
