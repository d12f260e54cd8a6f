"""The load run of benchmarks/ in small, on two processes with one Redis: each verdict and logged reason is right."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .matrix import SERVERS, skip_without

_SCRIPT = Path(__file__).parents[2] / "benchmarks" / "load.py"


def load(*options: str) -> str:
    """What the script prints. It checks every request, and exits with 0 where all was right."""
    uvicorn = next(server for server in SERVERS if server.name == "uvicorn-httptools")
    skip_without([*uvicorn.missing(), *missing()])
    command = [sys.executable, str(_SCRIPT), "--requests", "600", "--clients", "30", "--apps", "2", *options]
    found = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False)
    assert found.returncode == 0, f"{found.stdout}\n{found.stderr}"
    assert not found.stderr
    return found.stdout


def missing() -> list[str]:
    found = {"redis-server": shutil.which("redis-server"), "/proc": Path("/proc/self/stat").exists()}
    return [name for name, is_there in found.items() if not is_there]


def count(output: str, kind: str, reason: str = "") -> int:
    """How many of a kind were let in, or refused for the reason."""
    return sum(int(number) for number in re.findall(rf"^ +{re.escape(kind)} +(\d+) *{reason}$", output, re.MULTILINE))


@pytest.mark.long
def test_under_load_every_verdict_is_right_and_two_processes_let_a_signature_in_once() -> None:
    output = load()
    for kind in ("good POST", "good GET, thrice", "GoGrid, good form", "public"):
        assert count(output, kind) > 0
    for kind, reason in (
        ("POST many times", "replayed"),
        ("wrong secret", "mismatch"),
        ("GoGrid, bad version", "unsupported_version"),
        ("too large, in chunks", "body_too_large"),
        ("both schemes at once", "ambiguous"),
    ):
        assert count(output, kind, reason) > 0
    # Each is sent to both processes at once.
    assert count(output, "POST many times") >= 20
    assert " 0 faults\n" in output


@pytest.mark.long
def test_while_redis_halts_goes_and_comes_back_nothing_is_let_in_twice_and_no_process_is_started_anew() -> None:
    output = load("--outage")
    phases = re.findall(r"^(\S.*?)  +\d+ ", output, re.MULTILINE)
    assert phases == [
        *("before", "Redis is halted", "it goes on", "replays", "it is killed", "it is gone", "replays"),
        *("replays: it is back", "after", "replays"),
    ]
    assert count(output, "good POST", "unavailable") > 0
    assert count(output, "good POST, replayed", "unavailable") > 0
    assert "s after its start a request is let in" in output
    assert " 0 faults\n" in output
