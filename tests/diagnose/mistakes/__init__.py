"""Mistakes that clients make, by clients that share no code with the library; `python -m tests.diagnose.mistakes`."""
