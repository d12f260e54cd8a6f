"""Fuzzing: `python -m fuzz` runs each target of `fuzz.targets` for a bounded time. See `fuzz/__main__.py`."""
