"""Whether the time of a refusal tells which keys are known, and how busy many key ids keep a server.

    python benchmarks/uniformity.py [--quick]

The figure is the AUC: how often a refusal of the one kind takes longer than one of the other. 0.5 is a coin, 0 and 1
tell them apart each time. Kinds take turns in random order. A known key is asked for with a wrong secret.

goTom is asked in process. GoGrid does not send the time, so a verifier keeps a window for each key, and a key id that
was asked for lately ("again") costs less than one that was not ("first"). It is asked in process and over HTTP, with
both settings of `RollingWindows(alike=)`. Exits with 1 where kinds that are to be alike are not.
"""

from __future__ import annotations

import argparse
import gc
import http.client
import math
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import count

from serving import Uvicorn
from uniformity_app import ORIGIN, SECRET, TARGET, known, unknown, verifier

from undersign import Credential, GoGrid, GoTom, Rejected, Request, Verifier, sign
from undersign.scheme import Scheme

NOW = 1_730_974_875
HEADERS = (("Host", "api.example.com"), ("Accept", "*/*"), ("Content-Type", "application/json"))
FLUSHED_CAPACITY = 16

Ask = Callable[[str], int]
"""Nanoseconds until a request with that key id and a wrong secret is refused."""


def signed(scheme: Scheme, key_id: str, secret: str, now: float = NOW) -> Request:
    request = Request("GET", TARGET, HEADERS, b"", ORIGIN)
    return sign(scheme, request, Credential(key_id, secret), now=now).apply(request)


def refusal_time(of: Verifier, request: Request) -> int:
    """Nanoseconds until the request is refused."""
    request = Request(request.method, request.target, request.headers, b"", request.origin)
    began = time.perf_counter_ns()
    try:
        of.verify(request)
    except Rejected:
        return time.perf_counter_ns() - began
    raise AssertionError("the request has verified")


def in_process(of: Verifier, scheme: Scheme) -> Ask:
    return lambda key_id: refusal_time(of, signed(scheme, key_id, "wrong"))


def over_http(connection: http.client.HTTPConnection) -> Ask:
    def ask(key_id: str) -> int:
        target = signed(GoGrid(), key_id, "wrong", time.time()).target
        began = time.perf_counter_ns()
        connection.request("GET", target, headers=dict(HEADERS))
        answer = connection.getresponse()
        answer.read()
        took = time.perf_counter_ns() - began
        assert answer.status == 403, answer.status
        return took

    return ask


def interleaved(ask: Ask, kinds: dict[str, Callable[[], str]], rounds: int) -> dict[str, list[int]]:
    """The times of each kind, whose function says which key id is next."""
    names = list(kinds)
    times: dict[str, list[int]] = {name: [] for name in names}
    for _ in range(rounds):
        random.shuffle(names)
        for name in names:
            times[name].append(ask(kinds[name]()))
    return times


def auc(lower: Sequence[int], higher: Sequence[int]) -> float:
    """How often one of `higher` exceeds one of `lower`, a tie counting half: the rank sum of Mann and Whitney."""
    ranked = sorted([(value, 0) for value in lower] + [(value, 1) for value in higher])
    rank_sum, start = 0.0, 0
    while start < len(ranked):
        end = start
        while end < len(ranked) and ranked[end][0] == ranked[start][0]:
            end += 1
        rank_sum += (start + end + 1) / 2 * sum(kind for _, kind in ranked[start:end])
        start = end
    return (rank_sum - len(higher) * (len(higher) + 1) / 2) / (len(higher) * len(lower))


def tolerance(times: Sequence[int]) -> float:
    """How far from a half the AUC of two equal kinds may be by chance: four standard errors, or 0.02."""
    return max(0.02, 4 * math.sqrt(1 / (6 * len(times))))


def compare(
    title: str, times: dict[str, list[int]], pairs: Iterable[tuple[str, str]], alike: Iterable[tuple[str, str]] = ()
) -> int:
    """Print medians and AUCs; how many of those pairs that are to be alike can be told apart."""
    wrong = 0
    print(f"\n{title}")
    for name, found in times.items():
        print(f"  {name:28}{statistics.median(found) / 1000:9.1f} µs, median of {len(found)}")
    for one, other in pairs:
        figure, verdict = auc(times[one], times[other]), ""
        if (one, other) in alike:
            bad = abs(figure - 0.5) > tolerance(times[one])
            wrong += bad
            verdict = f"  {'TOLD APART' if bad else 'alike'}, at most 0.5 ± {tolerance(times[one]):.3f}"
        print(f"  AUC {figure:.3f}  {other} over {one}{verdict}")
    return wrong


def gotom(rounds: int) -> int:
    """A scheme that sends the time has no windows."""
    keys = Verifier(GoTom(), {known(0): SECRET}, clock=lambda: NOW)
    kinds = {"wrong secret": lambda: known(0), "unknown key": lambda: unknown(0)}
    ask = in_process(keys, GoTom())
    interleaved(ask, kinds, 500)
    pair = ("wrong secret", "unknown key")
    return compare("goTom, in process", interleaved(ask, kinds, rounds), [pair], [pair])


PAIRS = (
    ("unknown, first", "known, first"),
    ("unknown, again", "known, again"),
    ("unknown, first", "known, again"),
    ("unknown, again", "known, first"),
)


def gogrid(ask: Ask, title: str, rounds: int, *, alike: bool) -> int:
    """Key ids that are asked for the first time, and once more."""
    new, old = count(1), count(1)
    kinds = {
        "unknown, first": lambda: unknown(next(new)),
        "known, first": lambda: known(next(old)),
        "unknown, again": lambda: unknown(0),
        "known, again": lambda: known(0),
    }
    for _ in range(50):
        ask(unknown(0))
        ask(known(0))
    return compare(title, interleaved(ask, kinds, rounds), PAIRS, PAIRS[:2] if alike else PAIRS[1:2])


def flushed(rounds: int, *, alike: bool) -> int:
    """Ask for a key id, then for as many others as there are windows, then for it again."""
    keys = verifier(1, alike=alike, capacity=FLUSHED_CAPACITY, now=NOW)
    ask, made_up = in_process(keys, GoGrid()), count(1)
    times: dict[str, list[int]] = {"unknown, after others": [], "known, after others": []}
    for _ in range(rounds):
        for name, key_id in random.sample([*zip(times, (unknown(0), known(0)), strict=True)], 2):
            ask(key_id)
            for _ in range(FLUSHED_CAPACITY + 1):
                ask(unknown(next(made_up)))
            times[name].append(ask(key_id))
    pair = ("unknown, after others", "known, after others")
    title = f"GoGrid, alike={alike}, after as many other ids as there are windows"
    return compare(title, times, [pair], [pair] if alike else [])


def kept_busy(*, alike: bool, ids: int = 300) -> None:
    """What key ids in turn cost, that do not exist."""
    ask = in_process(verifier(1, alike=alike, now=NOW), GoGrid())
    ask(unknown(0))
    for title in ("new", "the same again"):
        took = sum(ask(unknown(number)) for number in range(1, ids + 1)) / 1e6
        print(f"  {ids} unknown ids in turn, {title:16}{took:8.1f} ms, {took / ids * 1000:.0f} µs each")


def cost_of_a_bad_signature(calls: int = 5_000) -> float:
    """The median time of a GoGrid refusal as a multiple of a good request's."""
    keys = verifier(1, alike=True, now=NOW)
    good, bad = signed(GoGrid(), known(0), SECRET), signed(GoGrid(), known(0), "wrong")
    verified, refused = [], []
    for _ in range(calls):
        again = Request(good.method, good.target, good.headers, b"", good.origin)
        began = time.perf_counter_ns()
        keys.verify(again)
        verified.append(time.perf_counter_ns() - began)
        refused.append(refusal_time(keys, bad))
    return statistics.median(refused) / statistics.median(verified)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer timings")
    quick = parser.parse_args().quick
    rounds = 300 if quick else 1_500
    gc.disable()
    wrong = gotom(2_000 if quick else 10_000)
    for alike in (True, False):
        keys = verifier(rounds + 1, alike=alike, now=NOW)
        wrong += gogrid(in_process(keys, GoGrid()), f"GoGrid, alike={alike}, in process", rounds, alike=alike)
        kept_busy(alike=alike)
        wrong += flushed(30 if quick else 100, alike=alike)
        settings = {"BENCHMARK_ALIKE": "yes" if alike else "no", "BENCHMARK_KEYS": str(rounds + 1)}
        with Uvicorn("uniformity_app:app", **settings) as server:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            wrong += gogrid(over_http(connection), f"GoGrid, alike={alike}, over HTTP", rounds, alike=alike)
            connection.close()
    print(f"\na bad GoGrid signature costs {cost_of_a_bad_signature():.2f} x a good one")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
