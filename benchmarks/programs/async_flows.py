"""Async calls: awaited one after the other, or a thousand at a time."""

from __future__ import annotations

import asyncio
import json
import sys
import time

from kapelle import flow, task

said: dict[str, float] = {}


@task
async def step(x: int) -> int:
    return x + 1


@flow
async def await_chain(calls: int) -> int:
    x = 0
    begin = time.perf_counter()
    for _ in range(calls):
        x = await step(x)
    said["us"] = (time.perf_counter() - begin) / calls * 1e6
    return x


@flow
async def gather(calls: int) -> None:
    begin = time.perf_counter()
    for _ in range(calls // 1000):
        await asyncio.gather(*[step(x) for x in range(1000)])
    said["us"] = (time.perf_counter() - begin) / calls * 1e6


if __name__ == "__main__":
    chosen = gather if sys.argv[1] == "gather" else await_chain
    asyncio.run(chosen(int(sys.argv[2])))
    print(json.dumps(said))
