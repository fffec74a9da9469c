"""A home and a working directory of each test's own, and the command line called in this process."""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from kapelle.cli.main import answer

FLOWS = Path(__file__).with_name("flows_for_commands.py")


@dataclass(frozen=True)
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return msgspec.json.decode(self.out)

    @property
    def events(self):
        return [msgspec.json.decode(line) for line in self.out.splitlines()]

    @property
    def error(self):
        return msgspec.json.decode(self.err)["error"]


class Kapelle:
    """The command `kapelle`, with its output caught."""

    def __init__(self, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
        self._capsys = capsys
        self.folder = folder
        self.home = folder / "home"

    def __call__(self, *argv: str) -> Answer:
        self._capsys.readouterr()
        code = answer(argv)
        caught = self._capsys.readouterr()
        return Answer(code, caught.out, caught.err)


@pytest.fixture
def kapelle(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Kapelle]:
    shutil.copy(FLOWS, tmp_path / "flows.py")
    for name in [name for name in os.environ if name.startswith("KAPELLE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KAPELLE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr("kapelle.authoring.define._registered", {})  # each test imports the same flows anew
    before = set(sys.modules)
    yield Kapelle(capsys, tmp_path)
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]
