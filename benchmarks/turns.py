"""How the benchmarks take time: jobs in turns, and the fastest round of each.

What counts is the CPU time of this process, so other work on the machine is felt in its caches alone. Ratios of jobs
that take turns hold from machine to machine; plain figures do not.
"""

from __future__ import annotations

import importlib
import time
import timeit
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import Any, TypeAlias

Job: TypeAlias = Callable[[], object]


def fastest(jobs: Mapping[str, Job], rounds: int, calls: int) -> dict[str, float]:
    """Microseconds a call of each job's fastest round, the rounds taken in turns."""
    best = dict.fromkeys(jobs, float("inf"))
    for _ in range(rounds):
        for name, job in jobs.items():
            took = timeit.timeit(job, timer=time.process_time, number=calls)
            best[name] = min(best[name], took / calls * 1e6)
    return best


def optional(module: str) -> Any:
    """A module, or None where it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


def version(distribution: str) -> str:
    """The version of what is installed."""
    return metadata.version(distribution)
