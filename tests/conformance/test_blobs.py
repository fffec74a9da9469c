"""Blobs: bytes by project and digest."""

import hashlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kapelle.model.errors import NotFound
from kapelle.ports.blobs import Blobs

PROJECTS = ("ada", "Ada", "", ".", "..", "../ada", "a/b", "a\x00b", "x" * 1_000, "y" * 1_000, "%", "%2e", "ü", "con")


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 5_000])
def test_bytes_come_back(blobs: Blobs, data: bytes) -> None:
    digest = blobs.put("ada", data)
    assert digest == hashlib.sha256(data).hexdigest()
    assert blobs.has("ada", digest)
    assert blobs.get("ada", digest) == data
    assert blobs.put("ada", data) == digest


def test_every_project_has_blobs_of_its_own_whatever_its_name(blobs: Blobs) -> None:
    digests = {project: blobs.put(project, project.encode()) for project in PROJECTS}
    for project in PROJECTS:
        for other, digest in digests.items():
            assert blobs.has(project, digest) is (project == other)
    for project, digest in digests.items():
        blobs.delete(project, digest)
        assert not blobs.has(project, digest)


def test_what_is_not_there_is_not_found(blobs: Blobs) -> None:
    digest = blobs.put("ada", b"x")
    blobs.delete("ada", digest)
    blobs.delete("ada", digest)
    for missing in (digest, "", "ab", digest.upper(), "../" + digest, "/etc/passwd", "ab" * 33):
        assert not blobs.has("ada", missing)
        with pytest.raises(NotFound):
            blobs.get("ada", missing)
        blobs.delete("ada", missing)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(project=st.text(max_size=40), data=st.binary(max_size=200))
def test_any_project_and_any_bytes(blobs: Blobs, project: str, data: bytes) -> None:
    assert blobs.get(project, blobs.put(project, data)) == data
