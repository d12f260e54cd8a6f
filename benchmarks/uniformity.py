"""Whether the time of a refusal tells an unknown key from a known one with a wrong secret.

    python benchmarks/uniformity.py

Both are refused in turns, in random order, by a verifier whose keys are warm and in memory. The figure is the AUC: how
often a refusal of the one kind takes longer than one of the other. 0.5 is a coin; the goal is 0.48 to 0.52. Beside it
stands what a bad GoGrid signature costs, as a multiple of a good one.
"""

from __future__ import annotations

import gc
import random
import statistics
import sys
import time
from collections.abc import Iterable

from undersign import Credential, GoGrid, GoTom, Rejected, Request, Verifier, sign
from undersign.scheme import Scheme

TIMINGS = 20_000
NOW = 1_730_974_875
KNOWN, UNKNOWN, SECRET = "a-known-key-id", "no-such-key-id", "the-secret"
REQUEST = Request("GET", "/api/grid/server/list", (("Content-Type", "application/json"),), b"", "https://h.example")


def signed(scheme: Scheme, key_id: str, secret: str) -> Request:
    return sign(scheme, REQUEST, Credential(key_id, secret), now=NOW).apply(REQUEST)


def refusal_time(verifier: Verifier, request: Request) -> int:
    """Nanoseconds until the request is refused."""
    began = time.perf_counter_ns()
    try:
        verifier.verify(request)
    except Rejected:
        return time.perf_counter_ns() - began
    raise AssertionError("the request has verified")


def interleaved(verifier: Verifier, kinds: list[Request], timings: int) -> list[list[int]]:
    """The times of each kind's refusals, `timings` in all."""
    order = list(range(len(kinds)))
    times: list[list[int]] = [[] for _ in kinds]
    for _ in range(timings // len(kinds)):
        random.shuffle(order)
        for kind in order:
            times[kind].append(refusal_time(verifier, kinds[kind]))
    return times


def auc(lower: Iterable[int], higher: Iterable[int]) -> float:
    """How often one of `higher` exceeds one of `lower`, a tie counting half: the rank sum of Mann and Whitney."""
    ranked = sorted([(value, 0) for value in lower] + [(value, 1) for value in higher])
    rank_sum, start = 0.0, 0
    while start < len(ranked):
        end = start
        while end < len(ranked) and ranked[end][0] == ranked[start][0]:
            end += 1
        rank_sum += (start + end + 1) / 2 * sum(kind for _, kind in ranked[start:end])
        start = end
    count = sum(kind for _, kind in ranked)
    return (rank_sum - count * (count + 1) / 2) / (count * (len(ranked) - count))


def cost_of_a_bad_signature(calls: int = 5_000) -> float:
    """The median time of a GoGrid refusal as a multiple of a good request's."""
    verifier = Verifier(GoGrid(), {KNOWN: SECRET}, clock=lambda: NOW)
    good, bad = signed(GoGrid(), KNOWN, SECRET), signed(GoGrid(), KNOWN, "wrong")
    verified, refused = [], []
    for _ in range(calls):
        began = time.perf_counter_ns()
        verifier.verify(good)
        verified.append(time.perf_counter_ns() - began)
        refused.append(refusal_time(verifier, bad))
    return statistics.median(refused) / statistics.median(verified)


def main() -> int:
    outside = 0
    gc.disable()
    schemes: list[Scheme] = [GoTom(), GoGrid()]
    for scheme in schemes:
        verifier = Verifier(scheme, {KNOWN: SECRET}, clock=lambda: NOW)
        kinds = [signed(scheme, KNOWN, "wrong"), signed(scheme, UNKNOWN, "wrong")]
        interleaved(verifier, kinds, 2_000)
        known, unknown = interleaved(verifier, kinds, TIMINGS)
        figure = auc(known, unknown)
        outside += not 0.48 <= figure <= 0.52
        medians = [statistics.median(times) / 1000 for times in (known, unknown)]
        print(f"{scheme.name:8} AUC {figure:.3f}   wrong secret {medians[0]:.1f} µs, unknown key {medians[1]:.1f} µs")
    print(f"a bad GoGrid signature costs {cost_of_a_bad_signature():.2f} x a good one")
    return 1 if outside else 0


if __name__ == "__main__":
    sys.exit(main())
