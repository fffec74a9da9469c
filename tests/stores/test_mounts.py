"""Where a store lies, and what is said of it."""

from pathlib import Path

import pytest
from tests.conformance.samples import StoppedClock

from kapelle.stores.sqlite import SqliteStore
from kapelle.stores.sqlite.mounts import network_file_system

MOUNTS = """\
/dev/vda / ext4 rw 0 0
server:/homes /home nfs4 rw 0 0
tmpfs /home/ada/fast\\040disk tmpfs rw 0 0
//box/share /mnt cifs rw 0 0
/dev/vdb /mnt ext4 rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/store.db", None),
        ("/home/ada/store.db", "nfs4"),
        ("/home", "nfs4"),
        ("/homes/store.db", None),
        ("/home/ada/fast disk/store.db", None),
        ("/mnt/store.db", None),
    ],
)
def test_a_network_file_system_is_noticed(tmp_path: Path, path: str, kind: str | None) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)
    assert network_file_system(Path(path), mounts) == kind


def test_where_nobody_knows_nothing_is_said(tmp_path: Path) -> None:
    assert network_file_system(tmp_path, tmp_path / "none") is None


def test_a_store_on_a_local_disk_has_nothing_doubtful(store: SqliteStore) -> None:
    assert store.warnings == ()


def test_a_store_on_a_network_disk_says_so(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.setattr("kapelle.stores.sqlite.mounts.network_file_system", lambda path: "nfs4")
    (warning,) = SqliteStore(path, StoppedClock()).warnings
    assert "nfs4" in warning
