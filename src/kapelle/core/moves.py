"""The refusal that all lifecycles share."""

from __future__ import annotations

from enum import StrEnum

from kapelle.model.errors import StoreError


class ImpossibleMove(StoreError):
    """Something was told to a run or a call that cannot happen to it in its state."""

    code = "E4006"

    def __init__(self, thing: str, state: StrEnum, event: StrEnum, possible: tuple[StrEnum, ...]) -> None:
        now = ", ".join(possible) if possible else "nothing, it is over"
        super().__init__(
            f"a {thing} that is {state.value} cannot be {event.value}",
            cause=f"what can happen to it: {now}",
            hint="somebody else was faster: look at its state again before you decide",
        )
