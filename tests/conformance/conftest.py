"""Every store and every blob store, each in its turn: what is said here is said of all of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conformance.samples import StoppedClock

from kapelle.blobs.files import FileBlobs
from kapelle.blobs.memory import MemoryBlobs
from kapelle.ports.blobs import Blobs
from kapelle.ports.storage.store import Store
from kapelle.stores.memory import MemoryStore
from kapelle.stores.sqlite import SqliteStore


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: Store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "store.db", StoppedClock())
    yield made
    made.close()


@pytest.fixture(params=["memory", "files"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    return MemoryBlobs() if request.param == "memory" else FileBlobs(tmp_path / "blobs")
