"""Sends the cases of load.py over many connections, and judges what has become of each request."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from load_cases import UNAVAILABLE, Case, Message, Refusal
from serving import PATIENCE


@dataclass(frozen=True, eq=False)
class Send:
    """A copy of the case that has this number in its phase."""

    case: Case
    number: int
    copy: int
    request_id: str


@dataclass(frozen=True)
class Outcome:
    """What came back, and in how many seconds; status 0 where nothing has."""

    status: int
    body: bytes
    seconds: float


class Connection:
    """A client's connection, which is kept open until the server or a cut ends it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def send(self, send: Send) -> Outcome:
        """Send it in its way, and read the answer."""
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        head, body = send.case.message.pieces(send.request_id)
        began = time.monotonic()
        try:
            await _deliver(self._writer, head, body, send.case.delivery)
            if send.case.delivery == "cut":
                await self.close()
                return Outcome(0, b"", 0)
            status, content, is_last = await _read(self._reader)
        except (OSError, asyncio.IncompleteReadError):
            await self.close()
            return Outcome(0, b"", time.monotonic() - began)
        if is_last or send.case.delivery == "head":
            await self.close()
        return Outcome(status, content, time.monotonic() - began)

    async def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()
        self._reader = self._writer = None


async def _deliver(writer: asyncio.StreamWriter, head: bytes, body: bytes, delivery: str) -> None:
    if delivery == "head":
        writer.write(head)
    elif delivery == "cut":
        writer.write(head + body[: len(body) // 2])
    elif delivery == "slow":
        writer.write(head)
        step = len(body) // 4 + 1
        for start in range(0, len(body), step):
            await asyncio.sleep(0.02)  # which is what makes it slow
            writer.write(body[start : start + step])
            await writer.drain()
    else:
        writer.write(head + body)
    await writer.drain()


async def _read(reader: asyncio.StreamReader) -> tuple[int, bytes, bool]:
    """Status, body, and whether the server closes the connection."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])
    return int(head[9:12]), await reader.readexactly(length), b"\r\nconnection: close" in head


class Notes:
    """What the apps have noted of each request, read as it comes."""

    def __init__(self, path: Path) -> None:
        path.touch()
        self._file = path.open(encoding="utf-8")
        self._left = ""
        self.of: defaultdict[str, Counter[tuple[str, str]]] = defaultdict(Counter)

    def read(self) -> None:
        """Take in what is new."""
        *lines, self._left = (self._left + self._file.read()).split("\n")
        for line in lines:
            request_id, what, said = line.split("\t")
            self.of[request_id][what, said] += 1

    async def wait_for(self, request_ids: Sequence[str]) -> list[str]:
        """Wait until the apps are done with them all; those that are missing when patience ends."""
        deadline = time.monotonic() + PATIENCE
        missing = list(request_ids)
        while True:
            self.read()
            missing = [request_id for request_id in missing if ("done", "") not in self.of[request_id]]
            if not missing or time.monotonic() > deadline:
                return missing
            await asyncio.sleep(0.01)

    def close(self) -> None:
        self._file.close()


@dataclass(frozen=True)
class Result:
    """What a phase came to; `faults` are sentences, none where all is right."""

    sends: int
    seconds: float
    latencies: list[float]
    let_in: Counter[str]
    refused: Counter[tuple[str, str]]
    faults: list[str]


class Clients:
    """`count` clients of the apps at `ports`. The copies of a case go to the apps in turns."""

    def __init__(self, count: int, ports: Sequence[int], notes: Notes, seed: int) -> None:
        self._count = count
        self._ports = ports
        self._notes = notes
        self._random = random.Random(seed)  # noqa: S311 - for the order, and no secret
        self._phases = 0

    async def run(
        self, cases: Sequence[Case], *, at_send: int | None = None, call: Callable[[], None] | None = None
    ) -> Result:
        """Send all cases, and judge. `call` is called when the send of the number `at_send` is taken up."""
        sends = self._order(cases)
        outcomes: dict[Send, Outcome] = {}
        waiting = iter(enumerate(sends))

        async def client() -> None:
            connections = [Connection(port) for port in self._ports]
            for place, send in waiting:
                if place == at_send and call is not None:
                    await asyncio.get_running_loop().run_in_executor(None, call)
                connection = connections[(send.number + send.copy) % len(connections)]
                try:
                    outcomes[send] = await asyncio.wait_for(connection.send(send), PATIENCE)
                except asyncio.TimeoutError:
                    outcomes[send] = Outcome(0, b"", PATIENCE)
                    await connection.close()
            for connection in connections:
                await connection.close()

        began = time.monotonic()
        await asyncio.gather(*(client() for _ in range(self._count)))
        seconds = time.monotonic() - began
        undone = await self._notes.wait_for([send.request_id for send in sends])
        faults = [f"{request_id}: the app's server has never come to its end" for request_id in undone]
        return self._judged(cases, sends, outcomes, seconds, faults)

    def _order(self, cases: Sequence[Case]) -> list[Send]:
        """The copies of a case at one time, and some that come later."""
        self._phases += 1
        placed: list[tuple[float, Send]] = []
        for number, case in enumerate(cases):
            for copy in range(case.copies):
                later = self._random.uniform(0, len(cases)) if copy and self._random.random() < 0.3 else 0.0
                placed.append((number + later, Send(case, number, copy, f"{self._phases}-{number}-{copy}")))
        placed.sort(key=lambda pair: pair[0])
        return [send for _, send in placed]

    def _judged(
        self,
        cases: Sequence[Case],
        sends: Sequence[Send],
        outcomes: dict[Send, Outcome],
        seconds: float,
        faults: list[str],
    ) -> Result:
        let_in: Counter[str] = Counter()
        refused: Counter[tuple[str, str]] = Counter()
        by_case: defaultdict[int, list[Refusal | None]] = defaultdict(list)
        for send in sends:
            verdict = _verdict(send, outcomes[send], self._notes.of[send.request_id])
            if isinstance(verdict, str):
                faults.append(f"{send.request_id}, {send.case.kind}: {verdict}")
                continue
            by_case[send.number].append(verdict)
            if send.case.delivery == "cut":
                continue
            if verdict is None:
                let_in[send.case.kind] += 1
            else:
                refused[send.case.kind, verdict.reason] += 1
        for number, verdicts in by_case.items():
            faults += _faults_of(number, cases[number], verdicts)
        latencies = [outcomes[send].seconds for send in sends if send.case.delivery == "whole"]
        return Result(len(sends), seconds, sorted(latencies), let_in, refused, faults)


def _verdict(send: Send, outcome: Outcome, noted: Counter[tuple[str, str]]) -> Refusal | str | None:
    """The refusal; None = let in, or cut off and left alone; or a sentence where answer and notes do not agree."""
    calls = noted["app", ""]
    told = [said for (what, said), count in noted.items() if what == "told" for _ in range(count)]
    logged = [said for (what, said), count in noted.items() if what == "logged" for _ in range(count)]
    seen = f"status {outcome.status}, the app called {calls} times, reasons {told}, logged {logged}"
    if noted["done", ""] != 1 or told != logged:
        return seen
    if send.case.delivery == "cut":
        return None if not calls and not told else seen
    if outcome.status == 200:
        if calls != 1 or told or json.loads(outcome.body) != _echo(send.case.key_id, send.case.message):
            return seen
        return None
    if calls or len(told) != 1:
        return seen
    return Refusal(outcome.status, told[0])


def _echo(key_id: str | None, message: Message) -> dict[str, object]:
    md5 = hashlib.md5(message.body, usedforsecurity=False).hexdigest()
    return {"key_id": key_id, "length": len(message.body), "md5": md5}


def _faults_of(number: int, case: Case, verdicts: Sequence[Refusal | None]) -> list[str]:
    if case.delivery == "cut":
        return []
    let_in = sum(verdict is None for verdict in verdicts)
    faults = []
    if let_in > case.let_in or (let_in < case.let_in and not case.may_fail):
        faults.append(f"case {number}, {case.kind}: {let_in} of {case.copies} let in, not {case.let_in}")
    allowed = {case.refusal, UNAVAILABLE} if case.may_fail else {case.refusal}
    faults += [
        f"case {number}, {case.kind}: {verdict}, not {case.refusal}"
        for verdict in verdicts
        if verdict is not None and verdict not in allowed
    ]
    return faults
