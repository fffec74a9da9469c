"""The door from a flow that is called on its own to the parts that run it."""

from __future__ import annotations

from typing import Any

from kapelle.model.definitions import Definition


def start(definition: Definition, values: dict[str, Any], *, wait: bool = False) -> Any:
    """Run the flow with validated parameters; of an async one a coroutine, unless `wait`.

    This import is the one place where what authors use reaches the machinery, and only when a flow is really run.
    """
    from kapelle.wiring.scripts import call_flow

    return call_flow(definition, values, wait=wait)
