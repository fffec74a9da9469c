"""What no engine can do without: call the function, fingerprint the argument, hand two lines to the system."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Coroutine
from hashlib import blake2b
from marshal import dumps
from pathlib import Path
from typing import Any

START = b'["s",123456,0,"",0,"0123456789abcdef0123456789abcdef",0,1712345678901234]\n'
END = b'["e",123456,"S",1712345678901234,["json",123456]]\n'


def step(x: int) -> int:
    """What the task of the chain does."""
    return x + 1


async def step_async(x: int) -> int:
    """The same, awaited."""
    return x + 1


def chain(fd: int, calls: int) -> None:
    """One call after the other."""
    write = os.write
    x = 0
    for _ in range(calls):
        blake2b(dumps(("x", x), 2), digest_size=16).digest()
        write(fd, START)
        x = step(x)
        write(fd, END)


async def _one(fd: int, x: int) -> int:
    blake2b(dumps(("x", x), 2), digest_size=16).digest()
    os.write(fd, START)
    value = await step_async(x)
    os.write(fd, END)
    return value


async def await_chain(fd: int, calls: int) -> None:
    """The same, awaited."""
    x = 0
    for _ in range(calls):
        x = await _one(fd, x)


async def gather(fd: int, calls: int) -> None:
    """A thousand at a time, side by side."""
    for _ in range(calls // 1000):
        await asyncio.gather(*[_one(fd, x) for x in range(1000)])


def us(work: Callable[[int, int], Coroutine[Any, Any, None] | None], calls: int) -> dict[str, float]:
    """How long a call takes in one of the above."""
    path = Path(os.environ["KAPELLE_HOME"]) / "floor"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        cpu, begin = time.thread_time(), time.perf_counter()
        made = work(fd, calls)
        if made is not None:
            asyncio.run(made)
        took, used = time.perf_counter() - begin, time.thread_time() - cpu
        return {"us": took / calls * 1e6, "cpu_us": used / calls * 1e6}
    finally:
        os.close(fd)


if __name__ == "__main__":
    calls = int(sys.argv[2])
    chosen: Any = {"chain": chain, "await": await_chain, "gather": gather}[sys.argv[1]]
    us(chosen, min(calls, 5000))
    print(json.dumps(us(chosen, calls)))
