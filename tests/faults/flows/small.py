"""A little of everything, for a run that is killed at each line of its journal."""

from tests.faults.flows.witness import seen, witnessed

from kapelle import TemporaryError, current_task, flow, resource, run, step, task


@task
def one(number: int) -> int:
    with witnessed("one", number):
        return number + 1


@task(retries=2, retry_delay=[0])
def flaky() -> int:
    with witnessed("flaky"):
        if current_task().attempt == 1:
            raise TemporaryError("once")
        return current_task().attempt


@task
def broken() -> None:
    with witnessed("broken"):
        raise ValueError("always")


@task(effects="external")
def charge() -> str:
    with witnessed("charge"):
        return "paid"


def text_of(value: object) -> str:
    return str(value)


def create() -> str:
    with witnessed("create"):
        return "thing"


def remove(thing: str) -> None:
    with witnessed("remove", thing):
        pass


@task
async def later(number: int) -> int:
    with witnessed("later", number):
        return number


@task
def inside(number: int) -> int:
    with witnessed("inside", number):
        return one(number) + one(number)


@flow
def nested(number: int) -> int:
    return inside(number)


@flow
def small() -> list[object]:
    values: list[object] = [one(1), flaky()]
    try:
        broken()
    except ValueError as error:
        values.append(str(error))
    with resource(create, cleanup=remove):
        values.append(charge())
    first = step(text_of, run.now())
    values += [nested(3), one.map(iter([10, 11])).results(), later(7), step(text_of, run.now()) >= first]
    seen("reached", "end")
    return values
