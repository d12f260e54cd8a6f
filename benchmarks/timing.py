"""What the time of a refusal tells: of the key, of its secrets, of the signature that was sent.

    python benchmarks/timing.py [--quick]

Kinds of bad requests take turns in one run, in random order, and no request is sent twice. Each kind is compared with
an unknown key id, which was asked for before or was not, as that of the kind: the median of the differences within a
turn, and its confidence interval of 99.9 %, by rank. A kind is told apart where the interval leaves zero out; what is
smaller than half its width would not have been seen. Client and server are on one machine: over a network less shows.
"""

from __future__ import annotations

import argparse
import gc
import http.client
import math
import random
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import count

from serving import Uvicorn
from timing_app import KEYS, ORIGIN, SECRET, known, often_rotated, rotated, unknown, verifier

from undersign import Credential, GoGrid, GoTom, Rejected, Request, sign
from undersign.scheme import Scheme

NOW = 1_730_974_875
HEADERS = (("Host", "api.example.com"), ("Accept", "*/*"), ("Content-Type", "application/json"))
LIKELY = 3.29  # standard deviations of 99.9 %
WARM, COLD = "unknown key, asked before", "unknown key, never asked before"

Ask = Callable[[Request], int]
"""Nanoseconds until the request is refused."""
Make = Callable[[float], Request]
"""A new bad request, signed at that time."""

_targets = count()


def signed(scheme: Scheme, key_id: str, secret: str, now: float) -> Request:
    request = Request("GET", f"/api/grid/server/list?page={next(_targets):09}", HEADERS, b"", ORIGIN)
    return sign(scheme, request, Credential(key_id, secret), now=now).apply(request)


def spoilt(scheme: Scheme, place: int, now: float) -> Request:
    """A good request, with one other character at that place of the signature."""
    request = signed(scheme, known(0), SECRET, now)
    if isinstance(scheme, GoGrid):
        front, _, rest = request.target.partition("&sig=")
        signature, _, end = rest.partition("&")
        return Request("GET", f"{front}&sig={_changed(signature, place)}&{end}", request.headers, b"", ORIGIN)
    headers = [(name, value) for name, value in request.headers if name != "Authorization"]
    who, _, signature = dict(request.headers)["Authorization"].rpartition(":")
    return Request(
        "GET", request.target, (*headers, ("Authorization", f"{who}:{_changed(signature, place)}")), b"", ORIGIN
    )


def _changed(signature: str, place: int) -> str:
    other = "a" if signature[place] != "a" else "b"
    return signature[:place] + other + signature[place + 1 :]


def kinds_of(scheme: Scheme, numbers: Iterator[int]) -> dict[str, Make]:
    """The kinds of bad requests. `numbers` are of key ids that nobody has asked for yet."""
    late = 31 if isinstance(scheme, GoGrid) else 26  # the last one that holds six bits of base64

    def wrong(key_id: Callable[[], str]) -> Make:
        return lambda now: signed(scheme, key_id(), "the-wrong-" + 33 * "y", now)

    return {
        WARM: wrong(lambda: unknown(0)),
        "known key, wrong secret, asked before": wrong(lambda: known(0)),
        "known key with two secrets": wrong(lambda: rotated(0)),
        "known key with four secrets": wrong(lambda: often_rotated(0)),
        "signature wrong in its first character": lambda now: spoilt(scheme, 0, now),
        "signature wrong in a late character": lambda now: spoilt(scheme, late, now),
        COLD: wrong(lambda: unknown(next(numbers))),
        "known key, never asked before": wrong(lambda: known(next(numbers))),
        "known key with two secrets, never asked before": wrong(lambda: rotated(next(numbers))),
    }


def in_process() -> tuple[Ask, Callable[[], float]]:
    keys = verifier(lambda: NOW)

    def ask(request: Request) -> int:
        # Each anew, so that they differ in nothing but what was sent.
        request = Request(request.method, request.target, request.headers, b"", request.origin)
        began = time.perf_counter_ns()
        try:
            keys.verify(request)
        except Rejected:
            return time.perf_counter_ns() - began
        raise AssertionError("a bad request has verified")

    return ask, lambda: NOW


def over_http(connection: http.client.HTTPConnection) -> Ask:
    def ask(request: Request) -> int:
        began = time.perf_counter_ns()
        connection.request("GET", request.target, headers=dict(request.headers))
        answer = connection.getresponse()
        answer.read()
        took = time.perf_counter_ns() - began
        assert answer.status in (401, 403), answer.status
        return took

    return ask


def measure(title: str, scheme: Scheme, ask: Ask, clock: Callable[[], float], rounds: int) -> None:
    numbers = iter(range(1, KEYS))
    kinds = kinds_of(scheme, numbers)
    names = list(kinds)
    for name in names[:6] * 30:
        ask(kinds[name](clock()))
    times: dict[str, list[int]] = {name: [] for name in names}
    for _ in range(rounds):
        random.shuffle(names)
        for name in names:
            times[name].append(ask(kinds[name](clock())))
    print(f"\n{title}, {rounds} turns\n{'':52}{'median, µs':>10}{'more than the unknown key, µs':>32}")
    for name, found in times.items():
        base = COLD if name.endswith("never asked before") else WARM
        middle, low, high = difference(times[base], found)
        verdict = "" if low <= 0 <= high else "  told apart"
        shown = "" if name == base else f"{middle:+12.2f}  ({low:+.2f} to {high:+.2f}){verdict}"
        print(f"  {name:50}{statistics.median(found) / 1000:10.2f}{shown}")


def difference(first: list[int], other: list[int]) -> tuple[float, float, float]:
    """The median difference within a turn in microseconds, and the two ends of its confidence interval."""
    found = sorted(b - a for a, b in zip(first, other, strict=True))
    reach = math.ceil(LIKELY * math.sqrt(len(found)) / 2)
    middle = len(found) // 2
    ends = found[max(0, middle - reach)], found[min(len(found) - 1, middle + reach)]
    return statistics.median(found) / 1000, ends[0] / 1000, ends[1] / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer turns")
    quick = parser.parse_args().quick
    gc.disable()
    for scheme in (GoTom(), GoGrid()):
        ask, clock = in_process()
        measure(f"{scheme.name}, in process", scheme, ask, clock, 200 if quick else 1_500)
        with Uvicorn("timing_app:app") as server:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            measure(f"{scheme.name}, over HTTP", scheme, over_http(connection), time.time, 200 if quick else 1_500)
            connection.close()


if __name__ == "__main__":
    main()
