"""Clocks that jump back and forth, of server and client: nothing is let in outside its window or twice."""

from __future__ import annotations

import random
import ssl
from pathlib import Path

import pytest
import requests
import trustme

from tests.clients.conftest import KEY_ID
from tests.clients.test_clock_correction import VerifyingServer
from tests.core.plain import NOW, SECRET, USER, gogrid_request, gotom_request
from undersign import Credential, GoGrid, GoTom, Reason, Rejected, Request, Scheme, Signer, Verifier
from undersign.clients.requests import SignatureAuth
from undersign.policy import MemoryReplayGuard, ReplayPolicy

JUMPS = (-86_400, -1900, -601, -30, -1, 0.4, 1, 29, 601, 1900, 86_400)


def verdict(verifier: Verifier, request: Request) -> Reason | None:
    try:
        verifier.verify(request)
    except Rejected as refused:
        return refused.reason
    return None


@pytest.mark.parametrize(
    ("scheme", "request_", "window"),
    [(GoTom(), gotom_request("POST"), 1800), (GoGrid(), gogrid_request(method="POST", key=USER), 600)],
    ids=["gotom", "gogrid"],
)
def test_a_server_s_clock_that_jumps_lets_nothing_in_late_or_twice(
    scheme: Scheme, request_: Request, window: int
) -> None:
    for seed in range(4):
        jumps = random.Random(seed)
        clock = [float(NOW)]
        guarded = ReplayPolicy(MemoryReplayGuard(born=0))
        once = Verifier(scheme, {USER: SECRET}, clock=lambda clock=clock: clock[0], replay={scheme.name: guarded})  # type: ignore[misc]
        often = Verifier(scheme, {USER: SECRET}, clock=lambda clock=clock: clock[0])  # type: ignore[misc]
        let_in = 0
        for _ in range(50):
            clock[0] += jumps.choice(JUMPS)
            if jumps.random() < 0.3:
                clock[0] = NOW + jumps.choice((-window - 1, -window, 0, window, window + 1))
            fresh = verdict(Verifier(scheme, {USER: SECRET}, clock=lambda clock=clock: clock[0]), request_)  # type: ignore[misc]
            assert (fresh is None) is (abs(clock[0] // 1 - NOW) <= window)
            assert verdict(often, request_) == fresh
            found = verdict(once, request_)
            let_in += found is None
            if fresh is not None:
                assert found == fresh
            elif let_in > 1 or found is not None:
                assert found in (Reason.REPLAYED, Reason.UNAVAILABLE)
        assert let_in <= 1


def test_a_client_s_clock_that_jumps_dates_each_request_by_what_it_tells_then() -> None:
    clock = [float(NOW)]
    signer = Signer(GoTom(), Credential(USER, SECRET), clock=lambda: clock[0])
    for at, date in (
        (NOW, "2024-11-07T10:21:15Z"),
        (NOW - 86_400, "2024-11-06T10:21:15Z"),
        (NOW + 86_400.9, "2024-11-08T10:21:15Z"),
        (NOW, "2024-11-07T10:21:15Z"),
    ):
        clock[0] = at
        assert dict(signer.sign(Request("GET", "/")).headers)["Date"] == date


def test_whichever_clock_jumps_a_client_that_adjusts_signs_once_more_and_goes_on(tmp_path: Path) -> None:
    authority = trustme.CA()
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(bundle)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    clock = [float(NOW)]
    auth = SignatureAuth(GoTom(), KEY_ID, SECRET, clock=lambda: clock[0], adjust_clock=True)
    with VerifyingServer(GoTom(), NOW, context) as server:
        asked = 0
        for ours, theirs, sent in ((0, 0, 1), (-7200, 0, 2), (0, 0, 2), (0, 7200, 2), (7200, 7200, 2), (7201, 7200, 1)):
            clock[0], server.now = NOW + ours, NOW + theirs
            assert requests.post(server.url, auth=auth, verify=str(bundle), timeout=30).status_code == 200
            asked += sent
            assert len(server.requests) == asked
