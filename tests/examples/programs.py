"""Examples as people start them: processes of their own with a home of their own, killed where a test says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parents[2] / "examples"
PATIENCE_S = 240
"""What a busy machine may need; nothing is measured against it."""


@dataclass(frozen=True)
class Bench:
    """A folder to work in and a home for its runs."""

    folder: Path

    @property
    def environ(self) -> dict[str, str]:
        """The environment of every process here."""
        home = self.folder / "home"
        return {**os.environ, "KAPELLE_HOME": str(home), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

    def python(self, *arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run Python to its end; it must end with `code`."""
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=self.folder, env=self.environ, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        return done

    def kapelle(self, *arguments: object) -> str:
        """What a command of ours says on stdout."""
        return self.python("-m", "kapelle", *arguments).stdout

    def last_run(self) -> dict[str, Any]:
        """The newest run, as `kapelle show` gives it."""
        shown: dict[str, Any] = json.loads(self.kapelle("show", "@last", "--json"))
        return shown

    def kill_when(self, sign: str, arguments: Sequence[object]) -> None:
        """Start Python and kill it as soon as a line of its stderr has `sign` in it."""
        process = subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            cwd=self.folder, env=self.environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stderr is not None
        seen = []
        with process:
            for line in process.stderr:
                seen.append(line)
                if sign in line:
                    process.kill()
                    break
        assert process.returncode == -9, "".join(seen)
