"""A bench for each test, and a supervisor that does not gather lines before it ships them."""

from pathlib import Path

import pytest
from tests.kit import Bench

from kapelle.supervisor import local


@pytest.fixture(autouse=True, scope="session")
def shipped_at_once() -> None:
    local.GATHER_S = 0.0


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)
