"""requests: adapters that set another URL, proxies, mocks with stand-ins, and redirects below the SigningAdapter."""

from __future__ import annotations

from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

import pytest
import requests
from requests.adapters import HTTPAdapter

from tests.clients.conftest import NOW, SECRET
from tests.clients.test_redirects import ODD_PLACES, quote_all
from tests.clients.transports import GOGRID, SCHEMES, TRANSPORTS, Answer, auth, ticking, verifier
from tests.clients.wire import WireServer, once, redirect
from undersign import GoTom, HttpHmac, Rejected, Request, Scheme, Verifier
from undersign.clients.requests import SigningAdapter


class HostToAddress(HTTPAdapter):
    """An adapter that sends what is for a name to an address."""

    def __init__(self, name: str, address: str) -> None:
        super().__init__()
        self.name = name
        self.address = address

    def send(self, request: requests.PreparedRequest, *arguments: Any, **keywords: Any) -> requests.Response:
        assert request.url is not None
        request.url = request.url.replace(self.name, self.address)
        return super().send(request, *arguments, **keywords)


class TestAnAdapterThatSetsAnotherUrl:
    @SCHEMES
    @pytest.mark.parametrize("location", ["/2", "{name}/2", "{address}/2"])
    @pytest.mark.parametrize("named", [True, False], ids=["origins", "no origins"])
    @pytest.mark.parametrize("mounted", ["http://", "{name}"])
    def test_both_hops_are_signed(
        self, server: WireServer, scheme: Scheme, location: str, named: bool, mounted: str
    ) -> None:
        name = f"http://api.example.test:{server.port}"
        server.respond = once(redirect(307, location.format(name=name, address=server.url)))
        with requests.Session() as session:
            session.mount(mounted.format(name=name), HostToAddress("api.example.test", "127.0.0.1"))
            signed = auth(scheme, origins=[name] if named else [])
            session.post(name + "/1?x=%2f", data={"a": "1"}, auth=signed, timeout=30)
        ats = [server.verified(verifier(scheme), index).at for index in range(2)]
        assert ats == [int(NOW), int(NOW) + 1]
        assert server.received().target.startswith("/2")

    @SCHEMES
    def test_elsewhere_nothing_of_the_credential_goes(
        self, server: WireServer, elsewhere: WireServer, scheme: Scheme
    ) -> None:
        name = f"http://api.example.test:{server.port}"
        server.respond = once(redirect(307, elsewhere.url))
        with requests.Session() as session:
            session.mount("http://", HostToAddress("api.example.test", "127.0.0.1"))
            session.post(name, data={"a": "1"}, auth=auth(scheme, origins=[name]), timeout=30)
        assert elsewhere.received().body == b"a=1"
        with pytest.raises(Rejected, match="missing"):
            elsewhere.verified(verifier(scheme))


class TestThroughAProxy:
    @SCHEMES
    @pytest.mark.parametrize("path", ["//a//b", "///a", "/a//b", "//", "//a/../b?x=//y"])
    @pytest.mark.parametrize("below", [False, True], ids=["auth", "adapter"])
    def test_what_is_signed_is_sent(self, server: WireServer, scheme: Scheme, path: str, below: bool) -> None:
        origin = "http://api.example.test"
        with requests.Session() as session:
            session.proxies = {"http": server.url}
            if below:
                session.mount("http://", SigningAdapter(scheme, "key", SECRET, origins=[origin], clock=lambda: NOW))
                session.get(origin + path, timeout=30)
            else:
                session.get(origin + path, auth=auth(scheme), timeout=30)
        assert server.received().target.startswith(origin + "/")
        assert server.verified(verifier(scheme)).key_id == "key"


class TestClockCorrectionUnderMocks:
    """A mock may put a stand-in of its own at `response.request`."""

    @pytest.mark.parametrize("name", ["url first", "requests-mock", "responses", "rest framework"])
    def test_it_signs_once_more(self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tests.clients.transports.HOME", "https://api.example.test")
        late = NOW + 7200
        server = Verifier(GoTom(), {"key": SECRET}, clock=lambda: late)

        def respond(request: Request) -> Answer:
            try:
                server.verify(request)
            except Rejected:
                return 401, {"Date": formatdate(late, usegmt=True)}
            return 200, {}

        with TRANSPORTS[name](respond, tmp_path) as (session, home, _):
            response = session.post(home, data={"a": "1"}, auth=auth(GoTom(), adjust_clock=True))
        assert (response.status_code, len(response.history)) == (200, 1)


class TestBelowTheSigningAdapter:
    """It is mounted for one origin, and another adapter sends the hop elsewhere."""

    @pytest.fixture
    def session(self, server: WireServer) -> requests.Session:
        session = requests.Session()
        scheme = HttpHmac(provider="Acme", signed_headers=("X-Tenant",))
        session.mount(server.url, SigningAdapter(scheme, "key", SECRET, origins=[server.url], clock=ticking()))
        return session

    def test_an_answer_that_brings_gogrid_s_parameters_back_leads_elsewhere_without_them(
        self, server: WireServer, elsewhere: WireServer
    ) -> None:
        targets: list[str] = []

        def respond(raw: bytes) -> bytes:
            targets.append(Request.from_http(raw).target.partition("?")[2])
            return redirect(302, "/2" if len(targets) == 1 else f"{elsewhere.url}/?{targets[0]}&y=%2f#part")

        server.respond = respond
        with requests.Session() as session:
            session.mount(server.url, SigningAdapter(GOGRID, "key", SECRET, origins=[server.url], clock=ticking()))
            response = session.get(server.url + "/?x=1", timeout=30)
        assert elsewhere.received().target == "/?x=1&y=%2F"
        assert "sig" not in response.url

    @pytest.mark.parametrize("place", ODD_PLACES)
    def test_nor_does_it_lead_there_with_the_signature_in_an_odd_place(
        self, server: WireServer, elsewhere: WireServer, place: str
    ) -> None:
        signatures: list[str] = []

        def respond(raw: bytes) -> bytes:
            signature = dict(parse_qsl(Request.from_http(raw).target.partition("?")[2]))["sig"]
            signatures.append(signature)
            if len(signatures) == 1:
                return redirect(302, "/2")
            signature = signatures[0]
            forms = {"sig": signature, "upper": signature.upper(), "escaped": quote_all(signature)}
            forms["escaped_thrice"] = quote(quote(forms["escaped"]))
            return redirect(302, elsewhere.url + place.format(**forms))

        server.respond = respond
        with requests.Session() as session:
            session.mount(server.url, SigningAdapter(GOGRID, "key", SECRET, origins=[server.url], clock=ticking()))
            session.get(server.url + "/?x=1", timeout=30)
        assert signatures[0] not in unquote(unquote(unquote(elsewhere.received().target))).lower()

    def test_signed_headers_of_the_caller_stay_here(
        self, session: requests.Session, server: WireServer, elsewhere: WireServer
    ) -> None:
        server.respond = once(redirect(307, elsewhere.url))
        session.post(server.url, data="a", headers={"X-Tenant": "t", "X-Other": "o"}, timeout=30)
        assert server.received().values("x-tenant") == ["t"]
        assert elsewhere.received().values("x-tenant") == []
        assert elsewhere.received().values("x-other") == ["o"]
