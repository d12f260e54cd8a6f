"""Importing undersign is cheap: the standard library's small modules and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys

_PROGRAM = """
import json, sys
before = set(sys.modules)
import undersign
print(json.dumps(sorted(set(sys.modules) - before)))
"""
_HEAVY = {
    "asyncio",
    "aiohttp",
    "email",
    "h11",
    "http.client",
    "httpx",
    "importlib.metadata",
    "logging",
    "requests",
    "socket",
    "ssl",
    "typing_extensions",
    "urllib.request",
    "urllib3",
}


def test_importing_undersign_pulls_in_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    imported = set(json.loads(done.stdout))
    assert "undersign.verifying.verifier" in imported
    assert imported & _HEAVY == set()


def test_the_public_names_are_all_there_and_sorted() -> None:
    import undersign

    assert sorted(undersign.__all__) == undersign.__all__
    assert all(hasattr(undersign, name) for name in undersign.__all__)
