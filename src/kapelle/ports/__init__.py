"""Protocols: what one part of Kapelle asks of another, one noun to a file, in the words of the domain.

Each method says its duties and how it fails, never how it is done, and a port fits on one screen. Nothing here acts,
holds state or names an implementation; whoever implements a port passes its conformance tests, the fakes included.
"""
