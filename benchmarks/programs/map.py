"""A map of calls that do nothing, on threads, and a reduce; or, with `unheld`, a map whose results nobody keeps."""

from __future__ import annotations

import json
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from kapelle import flow, task

said: dict[str, float] = {}


@task
def same(x: int) -> int:
    return x


@task
def total(values: list[int]) -> int:
    return sum(values)


@flow
def map_reduce(elements: int) -> int:
    begin = time.perf_counter()
    futures = same.map(range(elements))
    futures[0].result()
    said["first_ms"] = (time.perf_counter() - begin) * 1e3
    result = total(futures.results())
    said["s"] = time.perf_counter() - begin
    return result


@flow
def unheld(elements: int) -> None:
    same.map(range(1000)).results()
    said["before"] = peak_bytes()
    same.map(range(elements))


def peak_bytes() -> int:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def floor(elements: int) -> None:
    """The same with the pool of the standard library, which records nothing."""
    begin = time.perf_counter()
    with ThreadPoolExecutor(8) as pool:
        results = pool.map(same.fn, range(elements))
        next(results)
        said["first_ms"] = (time.perf_counter() - begin) * 1e3
        sum(results)
    said["s"] = time.perf_counter() - begin


if __name__ == "__main__":
    what, count = sys.argv[1], int(sys.argv[2])
    if what == "unheld":
        unheld(count)
        said["bytes"] = (peak_bytes() - said["before"]) / count
    elif what == "floor":
        floor(count)
    else:
        map_reduce(count)
    print(json.dumps(said))
