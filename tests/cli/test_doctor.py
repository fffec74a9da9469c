"""`kapelle doctor`."""

import shutil
from collections import namedtuple

from kapelle.cli import checkup

CHECKS = ["python", "packages", "home", "disk", "sqlite", "store", "clock", "extras"]
Usage = namedtuple("Usage", "total used free")


def test_all_is_well(kapelle):
    answer = kapelle("doctor")
    assert answer.code == 0
    assert [line.split()[:3] for line in answer.out.splitlines()] == [["✔", "ok", name] for name in CHECKS]
    assert [found["status"] for found in kapelle("doctor", "--json").json] == ["ok"] * len(CHECKS)


def test_little_room_is_a_finding_with_a_remedy(kapelle, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 10**12, 10**6))
    answer = kapelle("doctor")
    assert answer.code == 20
    assert "✖ fail  disk       1.0 MB free at " in answer.out
    assert "→ make room" in answer.out


def test_a_home_that_cannot_be_is_told_by_every_check_that_needs_it(kapelle, monkeypatch):
    (kapelle.folder / "file").write_text("")
    monkeypatch.setenv("KAPELLE_HOME", str(kapelle.folder / "file"))
    found = {each["check"]: each for each in kapelle("doctor", "--json").json}
    assert found["home"]["status"] == "fail"
    assert found["store"]["status"] == "fail"
    assert found["python"]["status"] == "ok"
    assert "KAPELLE_HOME" in found["home"]["remedy"]


def test_an_old_sqlite_is_a_finding(monkeypatch):
    monkeypatch.setattr("apsw.sqlite_lib_version", lambda: "3.40.1")
    assert checkup.check_sqlite().status == "fail"


def test_a_package_that_is_missing_is_a_finding(monkeypatch):
    monkeypatch.setattr(checkup, "REQUIRED", ("surely-not-there",))
    assert checkup.check_packages().remedy == "pip install surely-not-there"


def test_a_check_that_raises_is_a_finding_and_stops_no_other(monkeypatch):
    def broken():
        raise RuntimeError("boom")

    monkeypatch.setattr(checkup, "CHECKS", {"odd": broken, "python": checkup.check_python})
    odd, python = checkup.check_all()
    assert odd.status == "fail"
    assert "boom" in odd.text
    assert python.status == "ok"
