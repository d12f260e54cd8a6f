"""A load run of a fleet: two gateways behind HAProxy with one Redis, of which some are killed in the middle.

    python -m tests.gateway.load_run --seconds 300

Clients send good requests, the same one several times at once, and bad ones. A request that is refused or gets no
answer is signed anew and sent again. It is counted on both sides, and the exit code is 0 where all of this holds: no
signature arrived twice, nothing arrived that should not, and every good request was let in at last.
"""

from __future__ import annotations

import argparse
import http.client
import random
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.ports import free_port
from tests.replay.topologies import PortServer
from tests.servers.wire import send

from .processes import Behind, Gateway, behind, front, gateway, write_keys
from .sending import Sending
from .signing import bokun, plain

_RETRIES_FOR = 40.0  # seconds: Redis that has started anew refuses what may be older than it


class Fleet:
    """Two gateways, their Redis, and HAProxy in front."""

    def __init__(self, stack: ExitStack, folder: Path, app: Behind) -> None:
        self._folder = folder
        self._app = app
        self._stack = stack
        self.redis = stack.enter_context(PortServer())
        self._ports = [(free_port(), free_port()) for _ in range(2)]
        self._running: list[tuple[ExitStack, Gateway]] = [self._start(number) for number in range(2)]
        names = {"gateway": self._ports[0][0], "second": self._ports[1][0]}
        names |= {"admin": self._ports[0][1], "admin2": self._ports[1][1]}
        values = {name: port for name, port in names.items() if name != "gateway"}
        self.port = stack.enter_context(front("haproxy", names["gateway"], app.port, **values)).port
        stack.callback(self._close)

    def _close(self) -> None:
        for own, _ in self._running:
            own.close()

    def kill_gateway(self, number: int) -> None:
        """SIGKILL, with whatever is in flight."""
        self._running[number][1].process.kill()
        self._running[number][1].process.wait()

    def end_gateway(self, number: int) -> None:
        """SIGTERM: what is in flight is to be answered."""
        assert self._running[number][1].end() == 0

    def start_gateway(self, number: int) -> None:
        self._running[number][0].close()
        self._running[number] = self._start(number)

    def _start(self, number: int) -> tuple[ExitStack, Gateway]:
        folder = self._folder / f"{number}-{uuid.uuid4().hex}"
        folder.mkdir()
        port, admin = self._ports[number]
        arguments = ["--scheme", "bokun", "--upstream", self._app.url, "--keys", str(write_keys(folder))]
        arguments += ["--replay", f"redis://{self.redis.address}/0", "--drain", "1"]
        own = ExitStack()
        listening = gateway(folder, *arguments, listen=f"127.0.0.1:{port}", admin=f"127.0.0.1:{admin}")
        return own, own.enter_context(listening)


class Clients(Sending):
    """Threads that send until they are told to end, and what has become of it."""

    def __init__(self, port: int, count: int) -> None:
        super().__init__([self._good, self._good, self._replayed, self._bad], count)
        self._port = port
        self.start()

    def _status(self, data: bytes) -> int:
        """The status of the answer; 0 where none came."""
        try:
            return send(self._port, data, method="POST").status
        except (OSError, http.client.HTTPException):
            return 0

    def _good(self) -> None:
        target = f"/orders/{uuid.uuid4().hex}"
        deadline = time.monotonic() + _RETRIES_FOR
        refused = 0
        while (status := self._status(bokun("POST", target))) != 200:
            self.count(f"good: refused with {status}" if status else "good: no answer")
            refused += 1
            if time.monotonic() > deadline:
                self.faults.append(f"{target} was never let in, last with {status}")
                return
            time.sleep(1.0)  # another second, and so another signature
        self.count("good: let in", *(["good: let in when it was sent again"] if refused else []))

    def _replayed(self) -> None:
        data = bokun("POST", f"/once/{uuid.uuid4().hex}")
        statuses: list[int] = []
        threads = [threading.Thread(target=lambda: statuses.append(self._status(data))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.count(*(f"thrice at once: {status or 'no answer'}" for status in statuses))
        if statuses.count(200) > 1:
            self.faults.append("a signature was let in twice")

    def _bad(self) -> None:
        target = f"/bad/{uuid.uuid4().hex}"
        data = random.choice(
            [
                plain("POST", target),
                plain("POST", target, "X-Authenticated-Id: user:1"),
                bokun("POST", target, secret="another"),
                bokun("POST", target, key_id="nobody"),
                bokun("POST", target, signed_target="/orders/1"),
            ]
        )
        status = self._status(data)
        self.count(f"bad: {status or 'no answer'}")
        if status == 200:
            self.faults.append(f"{target} was let in")


@contextmanager
def fleet() -> Iterator[tuple[Fleet, Behind]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fleet-")))
        app = stack.enter_context(behind())
        yield Fleet(stack, folder, app), app


def load(seconds: float, clients: int) -> tuple[Counter[str], list[str]]:
    """The run: counts, and what is wrong."""
    with fleet() as (found, app):
        # A Redis that is new refuses what may be older than it.
        while send(found.port, bokun("POST", f"/orders/{uuid.uuid4().hex}"), method="POST").status != 200:
            time.sleep(0.5)
        app.arrived.clear()
        sending = Clients(found.port, clients)
        pause = seconds / 6
        time.sleep(pause)
        found.kill_gateway(0)
        time.sleep(pause)
        found.start_gateway(0)
        time.sleep(pause)
        found.redis.kill()
        time.sleep(1.0)
        found.redis.start()
        time.sleep(pause)
        found.end_gateway(1)
        time.sleep(pause)
        found.start_gateway(1)
        time.sleep(pause)
        sending.end(_RETRIES_FOR + 30)
        signatures = Counter(request.values("X-Bokun-Signature")[0] for request in app.arrived)
        sending.counts["arrived"] = len(app.arrived)
        sending.counts["signatures that arrived twice"] = sum(count > 1 for count in signatures.values())
        bad = [request for request in app.arrived if request.target.startswith("/bad/")]
        sending.counts["arrived and should not have"] = len(bad)
        forged = [request for request in app.arrived if request.values("X-Authenticated-Id") != ["user:1"]]
        faults = sending.faults + ["a signature arrived twice"] * sending.counts["signatures that arrived twice"]
        return sending.counts, faults + ["it should not have arrived"] * (len(bad) + len(forged))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--clients", type=int, default=12)
    options = parser.parse_args()
    counts, faults = load(options.seconds, options.clients)
    for name, count in sorted(counts.items()):
        print(f"{count:8} {name}")  # noqa: T201
    print(f"{len(faults)} faults", *faults[:20], sep="\n")  # noqa: T201
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
