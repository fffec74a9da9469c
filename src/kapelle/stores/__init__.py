"""Places where runs are kept: one package per kind of store, all behind the ports of `kapelle.ports.storage`.

A store keeps and compares; it decides nothing. What may follow what stands in `kapelle.core`, which no store imports:
the conformance suite holds every store against those tables.
"""
