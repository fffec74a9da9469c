"""Identity: what makes a call the same call in every life of a run.

A run is a tree of *branches*: strands of code in which calls happen one after the other. The flow's own code is the
root branch; every asyncio task, submitted call and executor thread that a branch starts is a branch of its own, named
by the order in which its parent created it; the inside of a call is a branch too. So a branch's id depends on the
program alone, never on which of two neighbours came first.

Inside its branch a call is told from others by its task's name, the fingerprint of its inputs, and its occurrence:
how many equal calls the branch made before. A submitted call has a key in place of the occurrence: its number among
the things that the branch started. Time, process, order of arrival and number of attempts are no part of it.

The identity says nothing of run and generation, so that a retry finds the calls of the generation before. What leaves
the run (the idempotency key) adds both.
"""

from __future__ import annotations

from hashlib import blake2b

ROOT_BRANCH = bytes(16)
DETACHED_KEY = "detached"


def branch_id(parent: bytes, call: bytes | None, key: str) -> bytes:
    """The id of a branch that `parent` started as number `key`, or of the inside of `call` (then `key` is "")."""
    state = blake2b(b"branch", digest_size=16)
    state.update(parent if call is None else call)
    state.update(key.encode())
    return state.digest()


def call_seed(branch: bytes, task: str) -> blake2b:
    """The part of a call's identity that equal calls of one branch share; `finish_call_id` copies and completes it."""
    name = task.encode()
    return blake2b(b"call" + branch + len(name).to_bytes(2, "little") + name, digest_size=16)


def finish_call_id(seed: blake2b, inputs: bytes, key: str, occurrence: int) -> bytes:
    """The identity of a call."""
    state = seed.copy()
    if key:
        state.update(inputs + b"#" + key.encode())
    else:
        state.update(inputs + b"@%d" % occurrence)
    return state.digest()


def idempotency_key(run_id: str, generation: int, call: bytes) -> str:
    """The key under which a call acts on the outside world: the same for every start of the call in its generation."""
    state = blake2b(run_id.encode(), digest_size=16)
    state.update(b"%d" % generation)
    state.update(call)
    return state.hexdigest()
