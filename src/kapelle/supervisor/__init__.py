"""Keeps watch over run processes from outside: their spools, what is shipped from them, their groups and their end.

Used alike by a worker and by a local run. It ships lines without judging them and answers the questions of the engine
through ports. It does not execute a user's code, makes no decision about a run and names no concrete store.
"""
