"""A load of good and bad requests on uvicorn (httptools) with Redis: each verdict and logged reason is checked.

    python benchmarks/load.py                            200 clients, 20,000 requests
    python benchmarks/load.py --apps 2                   two app processes, which share one Redis
    python benchmarks/load.py --outage                   Redis is halted, killed and started anew under the load

Requests are signed without undersign, and sent over connections that are kept open: goTom and GoGrid, good ones,
replays at once and later, all kinds of bad ones, bodies of up to 2 MiB, in chunks, slow, or cut off. For each the
status, the calls of the app with the body that it got, the reason that the hook was told and the reason in the log are
compared with what has to be. None may be lost, none may wait for Redis beyond the time limit, and the app's processes
may not grow: in memory by more than --growth MiB after the warm-up, in open files by none. Prints the figures; exits
with 1 where anything is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import redis
from load_cases import AHEAD, UNAVAILABLE, Case, Cases, spent
from load_client import Clients, Notes
from serving import PATIENCE, Redis, Uvicorn

from undersign.policy.redis import RedisReplayGuard

MIB = 1024 * 1024
# Under load alone, and in an outage, which makes errors with long traces: their memory is used again, not given back.
GROWTH = (16.0, 40.0)
# So many clients wait for each other on a small machine, and the guard's time limit runs on.
TIMEOUT = (10.0, 2.0)
# Seconds that a request may take beside the guard's time limit, most of which it waits for its turn.
SLACK = 10.0


class Run:
    """The servers and the clients of one run, and what it has come to so far."""

    def __init__(self, stack: ExitStack, options: argparse.Namespace) -> None:
        folder = Path(tempfile.mkdtemp(prefix="undersign-load-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        notes = Notes(folder / "notes")
        stack.callback(notes.close)
        self.redis = stack.enter_context(Redis())
        guard = RedisReplayGuard(self.redis.url)
        guard.initialize()  # nothing has verified before this run
        guard.close()
        environ = {
            "LOAD_REDIS": self.redis.url,
            "LOAD_TIMEOUT": str(options.timeout),
            "LOAD_NOTES": str(folder / "notes"),
        }
        self.apps = [stack.enter_context(Uvicorn("load_app:app", **environ)) for _ in range(options.apps)]
        self.clients = Clients(options.clients, [app.port for app in self.apps], notes, options.seed)
        self._longest = options.timeout + SLACK
        self.let_in: Counter[str] = Counter()
        self.refused: Counter[tuple[str, str]] = Counter()
        self.faults: list[str] = []
        print("phase                    requests   seconds   requests/s    ms: p50      p99      max     MiB")

    async def phase(
        self, title: str, cases: Sequence[Case], *, at_send: int | None = None, call: Callable[[], None] | None = None
    ) -> None:
        """Send the cases, and print a line of figures; see Clients.run."""
        result = await self.clients.run(cases, at_send=at_send, call=call)
        self.let_in += result.let_in
        self.refused += result.refused
        self.faults += [f"{title}: {fault}" for fault in result.faults]
        times = [second * 1000 for second in result.latencies] or [0.0]
        if times[-1] > self._longest * 1000:
            self.faults.append(f"{title}: a request has taken {times[-1]:.0f} ms")
        p50, p99 = (times[int(len(times) * share)] for share in (0.5, 0.99))
        megabytes = " + ".join(f"{app.memory() / MIB:.0f}" for app in self.apps)
        print(
            f"{title:24} {result.sends:8} {result.seconds:9.2f} {result.sends / result.seconds:12.0f}"
            f" {p50:10.1f} {p99:8.1f} {times[-1]:8.1f}   {megabytes:>5}",
            flush=True,
        )

    def check_memory(self, before: Sequence[int], most: float) -> None:
        """Note a fault where an app has grown by more than `most` MiB."""
        for number, (app, memory) in enumerate(zip(self.apps, before, strict=True)):
            growth = (app.memory() - memory) / MIB
            print(f"app {number}: {memory / MIB:.1f} MiB before, {growth:+.1f} MiB after")
            if growth > most:
                self.faults.append(f"app {number} has grown by {growth:.1f} MiB, over {most}")

    def files(self) -> int:
        """The open files of the apps, less their connections to Redis."""
        with redis.Redis.from_url(self.redis.url) as client:
            connections: dict[str, int] = client.info("clients")
        return sum(app.open_files() for app in self.apps) - (connections["connected_clients"] - 1)

    def check_files(self, before: int) -> None:
        """Note a fault where open files are left over."""
        deadline = time.monotonic() + PATIENCE
        while (left := self.files()) > before and time.monotonic() < deadline:
            time.sleep(0.02)
        print(f"open files but for Redis: {before} before, {left} after")
        if left > before:
            self.faults.append(f"{left - before} files are left open")

    def check_running(self) -> None:
        """Note a fault where an app has ended."""
        self.faults += [f"app {number} has ended" for number, app in enumerate(self.apps) if not app.is_running()]


async def under_load(run: Run, options: argparse.Namespace) -> None:
    """The load run itself, and at its end a replay of what it has let in."""
    cases = Cases(options.seed, time.time)
    await run.phase("warm-up", cases.mixed(max(options.clients, options.requests // 5)))
    memory, files = [app.memory() for app in run.apps], run.files()
    load = cases.mixed(options.requests)
    await run.phase("load", load)
    await run.phase("replays of it", [case.again() for case in spent(load)][: options.requests // 5])
    run.check_memory(memory, options.growth)
    run.check_files(files)


async def in_an_outage(run: Run, options: argparse.Namespace) -> None:
    """Redis is halted, goes on, is killed in the middle, and comes back empty; the apps run on."""
    cases = Cases(options.seed, time.time, future=AHEAD)
    share = options.requests // 6
    before = cases.mixed(share)
    await run.phase("before", before)
    memory = [app.memory() for app in run.apps]

    run.redis.halt()
    halted = cases.mixed(share // 4)
    await run.phase("Redis is halted", [case.without_guard() for case in halted])
    run.redis.go_on()
    # A question that was given up may have been recorded: then its signature is spent, and nobody was let in by it.
    after_halt = [case.again_at_most() for case in halted]
    await run.phase("it goes on", after_halt)
    await run.phase("replays", [case.again() for case in spent(before)])

    amid = [case.meanwhile() for case in cases.mixed(share)]
    await run.phase("it is killed", amid, at_send=share // 2, call=run.redis.kill)
    gone = cases.mixed(share)
    known = [case.again(UNAVAILABLE) for case in spent([*before, *amid, *halted])]
    await run.phase("it is gone", [case.without_guard() for case in gone])
    await run.phase("replays", known)

    run.redis.start()
    began = time.monotonic()
    await run.phase("replays: it is back", known)
    probe = Cases(options.seed + 1, time.time, past=0, future=0)
    while time.monotonic() < began + PATIENCE:
        result = await run.clients.run([probe.post().meanwhile()])
        run.faults += result.faults
        if result.let_in:
            break
        await asyncio.sleep(0.1)
    recovered = time.monotonic() - began
    print(f"{recovered:.1f} s after its start a request is let in")

    fresh = Cases(options.seed + 2, time.time, past=0)
    after = fresh.mixed(share)
    await run.phase("after", after)
    await run.phase("replays", [*known, *(case.again() for case in spent(after))])
    run.check_memory(memory, options.growth)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=20_000, help="about how many, in the phases together")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--apps", type=int, default=1, help="how many app processes share the Redis server")
    parser.add_argument("--timeout", type=float, help="seconds that the guard gives Redis (10; in an outage 2)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--growth", type=float, help="MiB by which an app may grow (16; in an outage 40)")
    parser.add_argument("--outage", action="store_true")
    options = parser.parse_args()
    for name, (under_load_alone, in_outage) in {"growth": GROWTH, "timeout": TIMEOUT}.items():
        if getattr(options, name) is None:
            setattr(options, name, in_outage if options.outage else under_load_alone)
    with ExitStack() as stack:
        run = Run(stack, options)
        asyncio.run(in_an_outage(run, options) if options.outage else under_load(run, options))
        run.check_running()
    print("\nlet in")
    for kind, count in sorted(run.let_in.items()):
        print(f"    {kind:40} {count:6}")
    print("refused")
    for (kind, reason), count in sorted(run.refused.items()):
        print(f"    {kind:40} {count:6}   {reason}")
    print(f"\n{run.let_in.total()} let in, {run.refused.total()} refused, {len(run.faults)} faults")
    for fault in run.faults[:20]:
        print(fault, file=sys.stderr)
    return 1 if run.faults else 0


if __name__ == "__main__":
    sys.exit(main())
