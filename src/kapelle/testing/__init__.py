"""For those who test workflows or implement a port: simulator, clock, conformance suites, replay.

Public, and shipped with the package. Nothing outside of it may depend on it, except a command that exists to test.
"""
