"""The store in one SQLite file: for a laptop, for one server, for scripts side by side.

One process writes at a time, and knows it: the lock file beside the store is held around every writing transaction and
every checkpoint (`lock.py`). SQL stands in `queries/*.sql` by name, the schema in numbered `migrations/*.sql`.
"""

from kapelle.stores.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
