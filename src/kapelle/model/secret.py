"""Secret values: left out of fingerprints, journals, previews and pickles."""

from __future__ import annotations

from typing import NoReturn

from kapelle.model.errors import ValueRefused


class Secret:
    """Holds a text that must not be written down. `reveal()` gives it; nothing else does.

    As an argument of a task it is no part of the call's identity. As a result, or inside one, it is refused.
    """

    __slots__ = ("_text", "name")

    def __init__(self, text: str, name: str = "") -> None:
        self._text = text
        self.name = name

    def reveal(self) -> str:
        """The secret text itself."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret({self.name or '…'})"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(("kapelle.Secret", self._text))

    def __reduce__(self) -> NoReturn:
        raise ValueRefused(
            "a Secret cannot be stored or sent",
            hint="return what you made with it, not the secret itself; fetch the secret again where it is needed",
        )
