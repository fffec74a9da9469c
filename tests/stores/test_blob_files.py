"""Blobs in files: never readable in part, never outside their folder."""

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapelle.blobs import files
from kapelle.blobs.files import FileBlobs, folder_name
from kapelle.model.errors import StoreUnwritable, ValueRefused

DAY_US = 86_400_000_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


def stored(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def test_a_blob_lies_under_its_digest_and_is_for_its_owner_only(root: Path) -> None:
    digest = FileBlobs(root).put("ada", b"x")
    (path,) = stored(root)
    assert path == root / "ada" / digest[:2] / digest
    assert path.stat().st_mode & 0o777 == 0o600
    for folder in (root, path.parent, path.parent.parent):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_the_same_bytes_are_not_written_twice(root: Path) -> None:
    blobs = FileBlobs(root)
    blobs.put("ada", b"x" * 3_000_000)
    (path,) = stored(root)
    before = path.stat()
    blobs.put("ada", b"x" * 3_000_000)
    assert path.stat().st_ino == before.st_ino


@pytest.mark.parametrize("damage", [b"", b"x" * 99, b"x" * 101, b"x" * 50 + b"y" + b"x" * 49], ids=len)
def test_a_damaged_blob_is_never_handed_out_and_is_healed_by_writing_it_again(root: Path, damage: bytes) -> None:
    blobs = FileBlobs(root)
    digest = blobs.put("ada", b"x" * 100)
    (path,) = stored(root)
    path.write_bytes(damage)
    with pytest.raises(ValueRefused, match="damaged"):
        blobs.get("ada", digest)
    assert blobs.put("ada", b"x" * 100) == digest
    assert blobs.get("ada", digest) == b"x" * 100


@given(st.lists(st.text(max_size=12), unique=True, max_size=8))
def test_folder_names_are_plain_and_no_two_projects_share_one(projects: list[str]) -> None:
    names = [folder_name(project) for project in projects]
    assert len({name.casefold() for name in names}) == len(names)
    for name in names:
        assert name not in ("", ".", "..")
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-%")
        assert len(name) <= 255


@pytest.mark.parametrize("project", ["..", "../..", "/etc", "a/../../b", "\x00", ".", "", "c:\\x", "\ud800"])
def test_no_name_leads_out_of_the_root(root: Path, project: str) -> None:
    FileBlobs(root).put(project, b"x")
    (path,) = stored(root.parent)
    assert path.parent.parent.parent == root


def test_an_interrupted_write_leaves_nothing_that_can_be_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(handle: int) -> None:
        raise KeyboardInterrupt

    blobs = FileBlobs(root)
    with monkeypatch.context() as patched:
        patched.setattr(files, "_flush_folder", lambda folder: None)
        patched.setattr(os, "fsync", broken)
        with pytest.raises(KeyboardInterrupt):
            blobs.put("ada", b"x")
    assert stored(root) == []
    assert not blobs.has("ada", hashlib.sha256(b"x").hexdigest())


def test_a_killed_writer_leaves_a_temporary_file_that_the_sweep_takes_away(root: Path) -> None:
    program = (
        "import os, sys\n"
        "from kapelle.blobs.files import FileBlobs\n"
        "os.fsync_ = os.fsync\n"
        "folders = {'n': 0}\n"
        "def fsync(handle):\n"
        "    os.fsync_(handle)\n"
        "    if not os.path.isdir(f'/proc/self/fd/{handle}'): os.kill(os.getpid(), 9)\n"
        "os.fsync = fsync\n"
        "FileBlobs(sys.argv[1]).put('ada', b'x' * 1000)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(root)], check=False)
    assert done.returncode == -9
    (left,) = stored(root)
    assert left.name.startswith(".new-")
    blobs = FileBlobs(root)
    written_us = left.stat().st_mtime_ns // 1000
    assert blobs.sweep(written_us + DAY_US) == 0
    digest = blobs.put("ada", b"x" * 1000)
    assert blobs.sweep(written_us + DAY_US + 1_000_000_000) == 1
    assert blobs.get("ada", digest) == b"x" * 1000
    assert not left.exists()


def test_a_name_left_behind_by_a_dead_process_is_stepped_over(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blobs = FileBlobs(root)
    blobs.put("ada", b"x")
    monkeypatch.setattr(files, "_numbers", iter([7, 7, 8, 9]))
    digest = hashlib.sha256(b"y").hexdigest()
    (root / "ada" / digest[:2]).mkdir(exist_ok=True)
    left, handle = files._new_file(root / "ada" / digest[:2])
    os.close(handle)
    assert blobs.put("ada", b"y") == digest
    assert blobs.get("ada", digest) == b"y"
    assert left.exists()


def test_many_writers_of_the_same_bytes_do_no_harm(root: Path) -> None:
    blobs = FileBlobs(root)
    data = os.urandom(200_000)
    with ThreadPoolExecutor(8) as pool:
        digests = set(pool.map(lambda _: blobs.put("ada", data), range(32)))
    assert digests == {hashlib.sha256(data).hexdigest()}
    assert blobs.get("ada", digests.pop()) == data
    assert len(stored(root)) == 1


def test_a_root_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnwritable) as refused:
        FileBlobs(tmp_path / "file" / "blobs").put("ada", b"x")
    assert refused.value.cause
    assert refused.value.hint


def test_a_full_disk_is_refused_and_keeps_nothing_in_part(small_disk: Path) -> None:
    blobs = FileBlobs(small_disk)
    kept = blobs.put("ada", b"x" * 500_000)
    with pytest.raises(StoreUnwritable, match="cannot be kept") as refused:
        blobs.put("ada", b"y" * 900_000)
    assert "room" in refused.value.hint
    assert [path.name for path in stored(small_disk)] == [kept]
    assert blobs.get("ada", kept) == b"x" * 500_000


@pytest.fixture
def limited() -> list[str]:
    """A Python in which no file can grow above 100 kB."""
    limit = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    return [sys.executable, "-c", limit + "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)); "]


def test_a_file_that_may_not_grow_is_refused(root: Path, limited: list[str]) -> None:
    limited[-1] += (
        "import sys; from kapelle.blobs.files import FileBlobs; from kapelle.model.errors import StoreUnwritable\n"
        "try: FileBlobs(sys.argv[1]).put('ada', b'x' * 200_000)\n"
        "except StoreUnwritable as error: print(error.hint)"
    )
    done = subprocess.run([*limited, str(root)], capture_output=True, text=True, check=True)
    assert "room" in done.stdout
    assert stored(root) == []
