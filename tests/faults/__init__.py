"""Kill the worker, the web and PostgreSQL in the middle of loads; nothing is lost or doubled.

    python -m tests.faults [--loads 50] [--rows 20000] [--seed 1] [--port 8190] [--home FOLDER]

A portal of its own is started; loads are pushed through its API one after another, each with a
kill at a moment that the seed draws. A sender that got no answer sends the same again under the
same key, as the API says. What the table must hold, and every balance, is reckoned here from the
files alone.
"""
