"""Runs in processes of their own, killed at chosen moments and gone on with until they have ended.

A `Story` is one run from its first process to its last. Each process is a life; `live` starts the first with `kapelle
run` (or the script itself) and all later ones with `kapelle resume`. Nothing here sleeps: the witness rings a bell for
each line that it writes, and so does the end of a process.
"""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.testimony import Journals, Seen, Standing, judge, judge_sequence, testimony

from kapelle.model.access import Scope
from kapelle.model.runs import Run, RunState
from kapelle.ports.storage.listings import RunFilter
from kapelle.settings import Settings
from kapelle.wiring.local import open_home
from kapelle.wiring.runs import read_index, result_of

ROOT = Path(__file__).parents[2]
FLOWS = Path(__file__).parent / "flows"
PATIENCE_S = 120.0
"""What a busy machine may need for anything at all; nothing is measured against it."""

NOT_FOUND = 3


class Late(AssertionError):
    """Something that had to happen did not."""


@dataclass(frozen=True)
class Life:
    """A process that is over."""

    code: int
    out: str
    err: str


class Living:
    """A process under way."""

    def __init__(self, argv: Sequence[str], environ: dict[str, str], folder: Path, number: int, bell: Bell) -> None:
        self._paths = folder / f"life{number}.out", folder / f"life{number}.err"
        self._bell = bell
        with open(self._paths[0], "wb") as out, open(self._paths[1], "wb") as err:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environ, cwd=folder, start_new_session=True
            )
        self._waiter = threading.Thread(target=self._wait, daemon=True)
        self._waiter.start()

    def _wait(self) -> None:
        self.process.wait()
        self._bell.ring()

    @property
    def is_over(self) -> bool:
        """Whether the process has ended."""
        return self.process.poll() is not None

    @property
    def err(self) -> str:
        """What it has written to stderr up to now."""
        return self._paths[1].read_text(errors="replace")

    def until(self, happened: Callable[[], bool], what: str, *, or_over: bool = False) -> None:
        """Wait until something has happened; the process must not end before, unless `or_over`."""
        self._bell.until(lambda: happened() or self.is_over, what)
        if self.is_over and not happened() and not or_over:
            raise Late(f"the process ended ({self.process.returncode}) before {what}:\n{self.err}")

    def signal(self, number: int) -> None:
        """Send a signal to the process itself, not to its children."""
        try:
            self.process.send_signal(number)
        except ProcessLookupError:
            pass

    def kill(self) -> Life:
        """SIGKILL."""
        self.signal(signal.SIGKILL)
        return self.end()

    def end(self) -> Life:
        """Wait for its end."""
        self._bell.until(lambda: self.is_over, "the end of the process")
        self._waiter.join()
        out, err = (path.read_text(errors="replace") for path in self._paths)
        return Life(self.process.returncode, out, err)


class Bell:
    """Rings when the witness has something new, and when a process ends."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def ring(self) -> None:
        """Have everybody look again."""
        try:
            os.write(self._fd, b".")
        except BlockingIOError:
            pass  # it rings already

    def until(self, happened: Callable[[], bool], what: str) -> None:
        """Wait until something has happened; look whenever it rings, and now and then."""
        end = time.monotonic() + PATIENCE_S
        while not happened():
            if time.monotonic() > end:
                raise Late(f"in {PATIENCE_S:g} s there was no sign of {what}")
            if select.select([self._fd], [], [], 0.05)[0]:
                os.read(self._fd, 65536)

    def pass_time(self, seconds: float) -> None:
        """Let a moment pass, for a kill that follows no rule."""
        select.select([], [], [], seconds)


class Story:
    """One run: its home, its witness, and the processes that carry it on."""

    def __init__(
        self, folder: Path, target: str, *, script: bool = False, environ: dict[str, str] | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.home = folder / "home"
        self.target = f"{FLOWS / target}"
        self.script = script
        self.lives = 0
        self.kills = 0
        self.standing: dict[int, Standing] = {}
        self.bell = Bell(folder / "witness.bell")
        self._witness = folder / "witness"
        self._journals = Journals()
        self._environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("KAPELLE_", "FAULTS_"))},
            "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT))),
            "KAPELLE_HOME": str(self.home),
            "FAULTS_WITNESS": str(self._witness),
            **(environ or {}),
        }

    # Lives

    def begin(self, *, leash: int | None = None, **environ: str) -> Living:
        """Start the next process of the run."""
        argv = ["resume", "@last"] if self.exists else ["run", self.target]
        if self.script and not self.exists:
            return self.command([sys.executable, self.target.partition(":")[0]], leash=leash, **environ)
        return self.command([sys.executable, "-m", "kapelle", *argv], leash=leash, **environ)

    def command(self, argv: Sequence[str], *, leash: int | None = None, **environ: str) -> Living:
        """Start any process in the home of the run, as its next life."""
        self.lives += 1
        more = {"FAULTS_LIFE": str(self.lives), "FAULTS_LEASH": "" if leash is None else str(leash), **environ}
        return Living(argv, {**self._environ, **more}, self.folder, self.lives, self.bell)

    def kapelle(self, *words: str, **environ: str) -> Life:
        """Run a command of Kapelle's to its end, beside the run."""
        done = subprocess.run(
            [sys.executable, "-m", "kapelle", *words],
            env={**self._environ, **environ}, cwd=self.folder, capture_output=True, text=True, check=False,
            timeout=PATIENCE_S,
        )  # fmt: skip
        return Life(done.returncode, done.stdout, done.stderr)

    def killed(self, living: Living) -> Life:
        """Kill a life, and note how the calls stand on record then."""
        life = living.kill()
        if life.code == -signal.SIGKILL:
            self.kills += 1
        self.note()
        return life

    def note(self) -> None:
        """Note how the calls stand on record now that the newest life is over."""
        standing = self._journals.take(self.home / "runs")
        if standing is not None:
            self.standing[self.lives] = standing

    def finish(self) -> Life:
        """Go on undisturbed to the end of the run."""
        life = self.begin().end()
        assert self.run.state.is_end, f"{self.run.state}: {life.err}"
        return life

    # Looking

    @property
    def exists(self) -> bool:
        """Whether the store has heard of the run."""
        return bool(self.runs)

    @property
    def runs(self) -> list[Run]:
        """The runs of the home, newest first."""
        if not (self.home / "kapelle.db").exists():
            return []
        with self._opened() as home, home.store.read() as tx:
            return list(tx.listings.runs(Scope.system(), RunFilter(), limit=100).runs)

    @property
    def run(self) -> Run:
        """The run."""
        return self.runs[0]

    @property
    def spools(self) -> list[Path]:
        """The journals on this machine that the store may not have whole."""
        return sorted((self.home / "runs").glob("*/*.journal"))

    @property
    def shipped(self) -> int:
        """How much of the newest attempt's journal the store has."""
        if not self.exists:
            return 0
        with self._opened() as home, home.store.read() as tx:
            return int(tx.journal.shipped(Scope.system(), self.run.attempt))

    def recorded(self) -> set[str]:
        """The calls that the store knows of."""
        with self._opened() as home:
            return {call.id.hex() for call in read_index(home, self.run, 1).calls.values()}

    @property
    def has_ended(self) -> bool:
        """Whether the run has ended."""
        return any(run.state.is_end for run in self.runs[:1])

    @property
    def seen(self) -> list[Seen]:
        """What the witness says."""
        return testimony(self._witness)

    @property
    def length(self) -> int:
        """How many lines the witness has."""
        return self._witness.read_bytes().count(b"\n") if self._witness.exists() else 0

    def saw(self, phase: str, task: str, times: int = 1) -> Callable[[], bool]:
        """Whether the witness has so many lines about a task in this phase."""
        return lambda: sum(line.phase == phase and line.task == task for line in self.seen) >= times

    def times(self, task: str, phase: str = "start") -> int:
        """How often a task came to a phase."""
        return sum(line.task == task and line.phase == phase for line in self.seen)

    def survivors(self) -> list[str]:
        """The processes that live in the run's home, as their command lines say it."""
        mark = f"KAPELLE_HOME={self.home}".encode()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (process / "environ").read_bytes().split(b"\0"):
                    found.append((process / "cmdline").read_text().replace("\0", " "))
            except OSError:
                pass  # gone meanwhile
        return found

    def result(self) -> Any:
        """The result of the run, which has succeeded."""
        with self._opened() as home:
            assert self.run.state is RunState.SUCCEEDED, f"{self.run.state}: {self.run.failure}"
            return result_of(home, self.run)

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        with open_home(Settings(home=self.home)) as home:
            yield home

    def holds(self, *, in_sequence: bool = False) -> None:
        """Require that nothing that had ended ran again."""
        judge(self.seen, self.standing)
        if in_sequence:
            judge_sequence(self.seen)


@dataclass
class Killing:
    """A plan of random kills: some after so many lines of the witness, some after so much time."""

    seed: int
    kills: int
    lines: tuple[int, int] = (1, 12)
    blind: float = 0.1
    """The share of kills that look at the clock only, so that they hit start-up too."""

    def carry_out(self, story: Story) -> None:
        """Kill the run so often, then let it end."""
        chance = random.Random(self.seed)
        while story.kills < self.kills:
            if chance.random() < self.blind:
                living = story.begin(leash=self.lines[1])
                story.bell.pass_time(chance.uniform(0.0, 0.8))
            else:
                count = story.length + chance.randint(*self.lines)
                living = story.begin(leash=self.lines[1] + 4)
                living.until(lambda count=count: story.length >= count, f"line {count} of the witness", or_over=True)  # type: ignore[misc]
                story.bell.pass_time(chance.choice((0.0, 0.0, chance.uniform(0.0, 0.004))))
            life = story.killed(living)
            if life.code != -signal.SIGKILL:
                assert story.has_ended, f"seed {self.seed}, life {story.lives} ended with {life.code}:\n{life.err}"
                break
        if not story.has_ended:
            story.finish()


def undisturbed(folder: Path, target: str, environ: dict[str, str] | None = None) -> Any:
    """The result of a run that nobody disturbs."""
    story = Story(folder, target, environ=environ)
    life = story.begin().end()
    assert life.code == 0, life.err
    return story.result()
