"""The cache: one entry a key, by project."""

import pytest
from tests.conformance.samples import ALL, PACKED, VALUES, cache_entry

from kapelle.model.values import StoredValue
from kapelle.ports.storage.store import Store


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.codec)
def test_an_entry_comes_back_exactly(store: Store, value: StoredValue) -> None:
    entry = cache_entry(value=value, expires_at_us=None)
    with store.write() as tx:
        tx.cache.put(ALL, "ada", entry)
    with store.read() as tx:
        assert tx.cache.find(ALL, "ada", "k1") == entry
        assert tx.cache.find(ALL, "ada", "k2") is None
        assert tx.cache.find(ALL, "bob", "k1") is None


def test_an_entry_takes_the_place_of_one_with_its_key(store: Store) -> None:
    with store.write() as tx:
        tx.cache.put(ALL, "ada", cache_entry())
        tx.cache.put(ALL, "ada", cache_entry(task="load", value=PACKED, made_at_us=5))
        assert tx.cache.find(ALL, "ada", "k1") == cache_entry(task="load", value=PACKED, made_at_us=5)
        assert tx.cache.newest(ALL, "ada", "train") is None


def test_an_expired_entry_is_still_found(store: Store) -> None:
    with store.write() as tx:
        tx.cache.put(ALL, "ada", cache_entry(expires_at_us=0))
        assert tx.cache.find(ALL, "ada", "k1") is not None


def test_the_newest_entry_of_a_task_is_the_one_made_last(store: Store) -> None:
    with store.write() as tx:
        for key, made_at_us in (("k1", 5), ("k2", 7), ("k3", 6), ("k0", 7)):
            tx.cache.put(ALL, "ada", cache_entry(key, made_at_us=made_at_us))
        tx.cache.put(ALL, "bob", cache_entry("k9", made_at_us=9))
        newest = tx.cache.newest(ALL, "ada", "train")
        assert newest is not None
        assert newest.key == "k2"
        assert tx.cache.newest(ALL, "ada", "load") is None


def test_clearing_forgets_a_task_or_the_whole_project_and_no_other(store: Store) -> None:
    with store.write() as tx:
        for key, task in (("k1", "train"), ("k2", "train"), ("k3", "load")):
            tx.cache.put(ALL, "ada", cache_entry(key, task=task))
        tx.cache.put(ALL, "bob", cache_entry())
        assert tx.cache.clear(ALL, "ada", "train") == 2
        assert tx.cache.find(ALL, "ada", "k3") is not None
        assert tx.cache.clear(ALL, "ada") == 1
        assert tx.cache.clear(ALL, "ada") == 0
        assert tx.cache.find(ALL, "bob", "k1") is not None
