"""Which key still signs with which scheme and secret."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.core.plain import NOW, SECRET, USER, gogrid_request, gotom_request
from undersign import GoGrid, GoTom, Verifier
from undersign.keys import KeyUsage, Use

KEYS = {"gotom": {USER: ["the new one", SECRET]}, "gogrid": {"key": [SECRET]}}
VERIFIER = Verifier([GoTom(), GoGrid()], KEYS, clock=lambda: NOW)


def test_the_report_says_who_uses_what() -> None:
    seconds = iter(range(100, 200))
    usage = KeyUsage(clock=lambda: next(seconds))
    for request in (gotom_request(), gogrid_request(), gogrid_request()):
        usage.record(VERIFIER.verify(request))
    assert usage.report() == [Use("key", "gogrid", 0, 2, 102), Use(USER, "gotom", 1, 1, 100)]
    assert usage.report("gogrid") == [Use("key", "gogrid", 0, 2, 102)]
    assert usage.report("other") == []
    assert usage.is_complete


def test_it_is_bounded_and_says_so() -> None:
    usage = KeyUsage(clock=lambda: NOW, capacity=1)
    for request in (gotom_request(), gogrid_request(), gotom_request()):
        usage.record(VERIFIER.verify(request))
    assert usage.report() == [Use(USER, "gotom", 1, 2, NOW)]
    assert not usage.is_complete


def test_threads_lose_no_count() -> None:
    usage = KeyUsage()
    verified = VERIFIER.verify(gotom_request())
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(usage.record, [verified] * 4000))
    assert usage.report()[0].requests == 4000
