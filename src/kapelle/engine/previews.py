"""Previews: a short text of arguments, for people. Secrets show nothing of themselves."""

from __future__ import annotations

import reprlib
from datetime import date
from pathlib import PurePath
from typing import Any

from kapelle.model.secret import Secret

TEXT_MAX = 400


class _Short(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 80
        self.maxlist = self.maxtuple = self.maxdict = self.maxset = 5

    def repr_instance(self, x: Any, level: int) -> str:
        if isinstance(x, Secret):
            return repr(x)
        if isinstance(x, (date, PurePath)):
            return str(x)
        if (
            getattr(type(x), "__repr__", None) is object.__repr__
            or hasattr(x, "__array__")
            or hasattr(x, "__dataframe__")
        ):
            shape = getattr(x, "shape", None)
            return f"<{type(x).__name__}{f' {shape}' if shape is not None else ''}>"
        return super().repr_instance(x, level)


_short = _Short()


def preview_value(value: Any) -> str:
    """A short text of one value; never raises."""
    try:
        text = _short.repr(value)
    except Exception as error:
        text = f"<{type(value).__name__}: its repr raised {type(error).__name__}>"
    return text if len(text) <= TEXT_MAX else text[: TEXT_MAX - 1] + "…"


def preview(names: tuple[str, ...], values: tuple[Any, ...]) -> str:
    """A short text of a call's arguments."""
    text = ", ".join(f"{name}={preview_value(value)}" for name, value in zip(names, values, strict=False))
    return text if len(text) <= TEXT_MAX else text[: TEXT_MAX - 1] + "…"
