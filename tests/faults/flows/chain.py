"""Calls one after the other: each gets what the one before gave."""

import json
import os

from tests.faults.flows.witness import witnessed

from kapelle import flow, task

CALLS = int(os.environ.get("FAULTS_CALLS", "60"))


@task(interruptions=99)
def mix(number: int, before: str) -> str:
    with witnessed("mix", number):
        return f"{hash_of(before)}-{number}"


def hash_of(text: str) -> int:
    value = 17
    for letter in text:
        value = value * 31 + ord(letter)
    return value % 1_000_003


@flow
def chain() -> str:
    value = "begin"
    for number in range(CALLS):
        value = mix(number, value)
    return value


if __name__ == "__main__":
    print(json.dumps(chain()))
