"""Asking the person at the terminal: `breakpoint()` and `input()` inside a run.

Both need the terminal as it was: the display stops drawing, and the streams are the original ones. A debugger keeps
them to the end of the run (what is printed from then on is seen and not kept); a question gives them back when it is
answered.
"""

from __future__ import annotations

import builtins
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO


@contextmanager
def questions(streams: tuple[TextIO, TextIO], pause: Callable[[], None], resume: Callable[[], None]) -> Iterator[None]:
    """Inside the block, `breakpoint()` and `input()` find the terminal as it was. `streams`: standard out and error."""
    ask, hook = builtins.input, sys.breakpointhook

    def asked(prompt: object = "", /) -> str:
        before = sys.stdout, sys.stderr
        pause()
        sys.stdout, sys.stderr = streams
        try:
            return ask(prompt)
        finally:
            sys.stdout, sys.stderr = before
            resume()

    def stopped(*args: Any, **kwargs: Any) -> Any:
        pause()
        sys.stdout, sys.stderr = streams
        if hook is not sys.__breakpointhook__ or os.environ.get("PYTHONBREAKPOINT"):
            return hook(*args, **kwargs)
        import pdb

        pdb.Pdb().set_trace(sys._getframe(1))
        return None

    builtins.input, sys.breakpointhook = asked, stopped
    try:
        yield
    finally:
        builtins.input, sys.breakpointhook = ask, hook
